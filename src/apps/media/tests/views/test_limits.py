"""How fast, and how many at a time, by role; nothing of it unless the options say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client, RequestFactory

from apps.media.conf import options
from apps.media.models import MediaFile
from apps.media.policies import Allowance, allowance_of
from apps.media.tests import samples
from apps.media.views import limits
from apps.media.views.limits import limited

DATA = samples.photo_jpeg(400, 300)


@pytest.fixture
def url(upload: Callable[..., MediaFile]) -> str:
    media = upload(DATA, "Photo.jpg", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    return f"/media/{media.pk}/original"


@pytest.fixture
def allow(settings: Any) -> Callable[..., None]:
    def set_options(**limits: dict[str, int]) -> None:
        more = {name.upper(): value for name, value in limits.items()}
        settings.MEDIA_APP = {**settings.MEDIA_APP, **more}

    return set_options


@pytest.fixture
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGE", 1)


@pytest.mark.usefixtures("all_are_large")
def test_as_many_at_a_time_as_are_allowed(url: str, allow: Any) -> None:
    allow(downloads={"anonymous": 2})
    client = Client()
    first, second = client.get(url), client.get(url, headers={"Range": "bytes=0-9"})
    assert (first.status_code, second.status_code) == (200, 206)
    refused = client.get(url)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_downloads")
    assert int(refused["Retry-After"]) > 0
    assert refused["X-Content-Type-Options"] == "nosniff"
    assert b"".join(first) == DATA  # to its end
    again = client.get(url)
    assert again.status_code == 200
    _leave(again)
    _leave(second)
    assert [client.get(url).status_code for _ in range(2)] == [200, 200]


def _leave(answer: Any) -> None:
    """What a server does when the client has gone; the connection belongs to the test."""
    request_finished.disconnect(close_old_connections)
    try:
        answer.close()
    finally:
        request_finished.connect(close_old_connections)


def test_a_page_of_thumbnails_is_not_many_downloads(url: str, allow: Any) -> None:
    allow(downloads={"anonymous": 1})
    client = Client()
    assert {client.get(url).status_code for _ in range(3)} == {200}


@pytest.mark.usefixtures("all_are_large")
def test_what_has_no_body_takes_no_place(url: str, allow: Any) -> None:
    allow(downloads={"anonymous": 1})
    client = Client()
    etag = client.head(url)["ETag"]
    held = client.get(url)
    assert held.status_code == 200
    assert client.head(url).status_code == 200
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(url, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.get(url).status_code == 429


@pytest.mark.usefixtures("all_are_large")
def test_each_has_their_own(
    url: str, allow: Any, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    allow(downloads={"user": 1})
    answers = [browser_of(user).get(url).status_code for user in (owner, stranger, owner, None)]
    assert answers == [200, 200, 429, 200]


def test_the_most_generous_role_counts(allow: Any, owner: Any, staff: Any) -> None:
    allow(bandwidth={"anonymous": 1, "user": 10, "Friends": 30, "staff": 20}, downloads={"user": 2})
    nobody = AnonymousUser()
    assert allowance_of(nobody) == Allowance(bandwidth=1, downloads=None)
    assert allowance_of(owner) == Allowance(bandwidth=10, downloads=2)
    assert allowance_of(staff) == Allowance(bandwidth=20, downloads=2)
    for user in (owner, staff):
        user.groups.add(Group.objects.create(name=f"Friends{'' if user == owner else ' of ours'}"))
    assert allowance_of(owner).bandwidth == 30
    assert allowance_of(staff).bandwidth == 20
    owner.is_active = False
    assert allowance_of(owner) == allowance_of(nobody)


def test_paced_bytes_are_the_same(url: str, allow: Any) -> None:
    allow(bandwidth={"anonymous": 20 * len(DATA)})
    answer = Client().get(url)
    assert b"".join(answer) == DATA
    assert answer["Content-Length"] == str(len(DATA))


def test_nginx_is_told(allow: Any, db: None) -> None:
    view = limited(lambda request: HttpResponse(headers={"X-Accel-Redirect": "/inside"}))
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert "X-Accel-Limit-Rate" not in view(request)
    allow(bandwidth={"anonymous": 5_000})
    assert view(request)["X-Accel-Limit-Rate"] == "5000"


def test_by_default_nothing_is_asked(url: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):  # media, version
        assert Client().get(url).status_code == 200


@pytest.mark.parametrize("wrong", [{"user": 0}, {"user": "fast"}, {"user": -1}])
def test_a_limit_is_a_number(wrong: dict[str, Any], allow: Any) -> None:
    allow(bandwidth=wrong)
    with pytest.raises(ImproperlyConfigured, match="BANDWIDTH"):
        options()
