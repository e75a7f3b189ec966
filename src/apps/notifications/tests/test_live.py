"""Streams: for their reader alone, as long as they are signed in, and only where there is room."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client

from apps.notifications import live, selectors, services
from apps.notifications.kinds import Kind
from apps.notifications.live import STREAMS, Stream
from apps.notifications.services import News

pytestmark = pytest.mark.django_db
URL = "/notifications/stream/"


@pytest.fixture(autouse=True)
def room(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For two; nobody watches but the test."""
    settings.LIVE_STREAMS = 2
    monkeypatch.setattr(live.Streams, "_watch", lambda self: None)
    monkeypatch.setattr(live, "BEAT", 0)
    yield
    STREAMS._all.clear()


@pytest.fixture
def answers(owner: Any, browser_of: Callable[[Any], Client]) -> Any:
    return browser_of(owner).get(URL)


def tell(person: Any, key: str = "1") -> None:
    services.notify(recipient=person, news=News(kind=Kind.WEBHOOK_OFF, key=key, group=key))


def test_says_the_count_at_once_and_whenever_it_is_another(
    owner: Any, stranger: Any, answers: Any
) -> None:
    assert answers["Content-Type"] == "text/event-stream"
    assert "no-store" in answers["Cache-Control"]
    assert answers["X-Accel-Buffering"] == "no"
    lines = iter(answers.streaming_content)
    assert next(lines).startswith(b"retry: ")
    assert next(lines) == b"event: unread\ndata: 0\n\n"
    tell(stranger)
    assert next(lines).startswith(b":")
    tell(owner)
    assert next(lines) == b"event: unread\ndata: 1\n\n"
    services.mark_read(user=owner)
    assert next(lines) == b"event: unread\ndata: 0\n\n"


@pytest.mark.parametrize("end", ["signed out", "switched off", "another password", "stopped"])
def test_v3_3_1_ends_with_the_right_to_it(end: str, owner: Any, answers: Any) -> None:
    lines = iter(answers.streaming_content)
    next(lines), next(lines)
    tell(owner)
    if end == "signed out":
        Session.objects.all().delete()
    elif end == "switched off":
        type(owner).objects.update(is_active=False)
    elif end == "another password":
        owner.set_password("something else")
        owner.save()
    else:
        next(iter(STREAMS._all)).end()
    assert list(lines) == []


def test_nobody_else_gets_one(client: Client) -> None:
    assert client.get(URL).status_code == 401
    assert client.post(URL).status_code in {401, 405}
    assert not STREAMS._all


def test_there_is_room_for_so_many_and_of_one_person_for_fewer(
    owner: Any,
    stranger: Any,
    browser_of: Callable[[Any], Client],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert browser_of(owner).get(URL).status_code == 200
    (first,) = STREAMS._all
    assert browser_of(owner).get(URL).status_code == 200
    assert browser_of(stranger).get(URL).status_code == 204
    first.close()
    assert browser_of(stranger).get(URL).status_code == 200
    settings.LIVE_STREAMS = 10
    monkeypatch.setattr(live, "EACH", 1)
    assert browser_of(owner).get(URL).status_code == 204
    assert browser_of(owner).head(URL).status_code == 405


class TestWatching:
    @pytest.fixture
    def stream(self, owner: Any, answers: Any) -> Stream:
        lines = iter(answers.streaming_content)
        next(lines), next(lines)
        return next(iter(STREAMS._all))

    def test_wakes_whom_it_concerns_by_one_query_for_all(
        self, owner: Any, stranger: Any, stream: Stream, django_assert_num_queries: Any
    ) -> None:
        tell(stranger)
        live._look([stream])
        assert not stream._woken.is_set()
        tell(owner)
        with django_assert_num_queries(1):
            live._look([stream] * 50)
        assert stream._woken.is_set()

    def test_ends_that_of_a_reader_who_has_gone(self, stream: Stream) -> None:
        here, there = socket.socketpair()
        with here:
            stream.line = here
            live._look([stream])
            assert not stream._ended
            there.close()
            live._look([stream])
        assert stream._ended

    def test_survives_a_database_that_is_away(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: Any) -> None:
            raise DatabaseError

        monkeypatch.setattr(selectors, "count_unread_of", fail)
        monkeypatch.setattr(live, "connection", type("Closed", (), {"close": lambda self: None})())
        live._look([stream])
        assert not stream._ended
