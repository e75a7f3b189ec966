"""The bytes at their addresses: exact, conditional, safe (protocol table, ASVS V3 and V5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.media import selectors, services
from apps.media.models import Job, MediaFile
from apps.media.tests import samples
from apps.media.tests.views.asking import Answer, Ask, check_case, over_the_wire
from apps.media.tests.views.range_table import TABLE, Case, ids

DATA = samples.photo_png(64, 48)


@pytest.fixture
def address(upload: Callable[..., MediaFile]) -> str:
    media = upload(DATA, "Holiday photo.png", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    return f"/media/{media.pk}/original"


@pytest.fixture
def ask(address: str) -> Ask:
    def send(method: str, headers: dict[str, str]) -> Answer:
        response = Client().generic(method, address, headers=headers)
        body = b"".join(response) if response.streaming else response.content
        return Answer(response.status_code, dict(response.headers), body)

    return send


@pytest.mark.parametrize("case", TABLE, ids=ids(TABLE))
def test_protocol_table(case: Case, ask: Ask) -> None:
    check_case(case, ask)


@pytest.mark.django_db(transaction=True)
def test_protocol_table_over_the_wire(live_server: Any, address: str) -> None:
    send = over_the_wire(f"{live_server.url}{address}")
    for case in TABLE:
        check_case(case, send)


def test_s02_consecutive_ranges_join(ask: Ask) -> None:
    step = len(DATA) // 7 + 1
    parts = [
        ask("GET", {"Range": f"bytes={first}-{first + step - 1}"}).body
        for first in range(0, len(DATA), step)
    ]
    assert len(parts) == 7
    assert b"".join(parts) == DATA


class TestHeaders:
    def _get(self, client: Client, media: MediaFile, query: str = "") -> Any:
        return client.get(f"/media/{media.pk}/original{query}")

    @pytest.mark.parametrize(
        ("data", "name", "content_type", "shown"),
        [
            (DATA, "a.png", "image/png", True),
            (b"plain words", "a.txt", "text/plain; charset=utf-8", True),
            (b"a,b\n1,2\n", "a.csv", "text/csv; charset=utf-8", False),
            (samples.pdf(), "a.pdf", "application/pdf", False),
        ],
    )
    def test_only_safe_types_are_shown(
        self,
        upload: Callable[..., MediaFile],
        browser_of: Any,
        owner: Any,
        data: bytes,
        name: str,
        content_type: str,
        shown: bool,
    ) -> None:
        media = upload(data, name)
        client = browser_of(owner)
        answer = self._get(client, media)
        assert answer["Content-Type"] == content_type
        disposition = answer.get("Content-Disposition", "inline")
        assert disposition.startswith("inline" if shown else "attachment")
        download = self._get(client, media, "?download=1")
        assert download["Content-Disposition"] == f'attachment; filename="{name}"'
        assert b"".join(answer) == data

    def test_a_name_in_the_query_is_ignored(  # V5.4.1
        self, upload: Callable[..., MediaFile], browser_of: Any, owner: Any
    ) -> None:
        media = upload(DATA, "mine.png")
        query = "?download=1&filename=evil.html&response-content-disposition=inline"
        answer = self._get(browser_of(owner), media, query)
        assert answer["Content-Disposition"] == 'attachment; filename="mine.png"'

    def test_caching_follows_visibility(
        self, upload: Callable[..., MediaFile], browser_of: Any, owner: Any
    ) -> None:
        media = upload(DATA, "a.png")
        MediaFile.objects.update(status="ready", usable=True)
        client = browser_of(owner)
        assert self._get(client, media)["Cache-Control"] == "private, no-store"
        assert self._get(client, media, "?v=1")["Cache-Control"] == "private, no-store"
        MediaFile.objects.update(visibility="public")
        assert "immutable" not in self._get(client, media)["Cache-Control"]
        assert "immutable" in self._get(client, media, "?v=1")["Cache-Control"]
        assert "immutable" not in self._get(client, media, "?v=2")["Cache-Control"]
        MediaFile.objects.update(visibility="unlisted")
        assert self._get(client, media, "?v=1")["Cache-Control"] == "private, no-store"

    def test_web_cache_deception(self, address: str) -> None:  # V14.2.5
        for tail in ("/x.css", ".css", ";x.css", "%2fx.css"):
            assert Client().get(f"{address}{tail}").status_code == 404

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
    def test_only_reading_is_possible(self, address: str, method: str) -> None:  # V4.1.4
        assert Client().generic(method, address).status_code == 405

    def test_an_internal_header_of_a_visitor_does_nothing(self, address: str) -> None:  # V4.1.3
        answer = Client().get(address, headers={"X-Accel-Redirect": "/etc/passwd"})
        assert "X-Accel-Redirect" not in answer
        assert b"".join(answer) == DATA


def test_a_missing_object_is_a_clean_error(
    upload: Callable[..., MediaFile], browser_of: Any, owner: Any, own_storage: Any
) -> None:
    media = upload(DATA, "a.png")
    own_storage.remove(media.current.key)
    answer = browser_of(owner).get(f"/media/{media.pk}/original")
    assert (answer.status_code, answer.json()["code"]) == (404, "object_missing")


@pytest.mark.parametrize("path", ["original", "r/w320.avif"])
def test_what_is_deleted_after_the_look_at_it_is_gone(
    path: str,
    upload: Callable[..., MediaFile],
    browser_of: Any,
    owner: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    media, look = upload(DATA, "a.png"), selectors.get_readable_media

    def look_and_delete(**about: Any) -> MediaFile:
        found = look(**about)
        services.delete_media(user=owner, media=media, permanent=True)
        return found

    monkeypatch.setattr(selectors, "get_readable_media", look_and_delete)
    answer = browser_of(owner).get(f"/media/{media.pk}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Job.objects.exists()
