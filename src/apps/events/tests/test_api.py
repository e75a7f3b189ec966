"""The HTTP API of events, as programs use it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.events import services
from apps.events.models import Event, EventPhoto, Invitation
from apps.events.tests.conftest import names
from apps.media.models import MediaFile
from apps.media.rates import ArchiveRate, SharingRate

Photos = Callable[[int], list[MediaFile]]
LIST = "/api/v1/events/"


def _client(user: Any = None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def _url(event: Event, rest: str = "") -> str:
    return f"{LIST}{event.pk}/{rest}"


def test_a_life(api: APIClient, ready: Callable[..., MediaFile]) -> None:
    banner = ready()
    starts = timezone.now().replace(microsecond=0) + timedelta(days=1)
    sent = {
        "title": "Concert",
        "starts_at": starts.isoformat(),
        "visibility": "public",
        "banner": str(banner.pk),
        "banner_crop": {"left": 0, "top": 0.25, "width": 1, "height": 0.5},
    }
    answer = api.post(LIST, sent, format="json")
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert answer["Location"] == body["urls"]["self"]
    assert (body["host"]["username"], body["banner"]["id"]) == ("olga", str(banner.pk))
    assert body["permissions"] == {
        "edit": True,
        "delete": True,
        "add_photos": True,
        "answer": False,
    }
    event = Event.objects.get()
    assert str(event.banner_crop) == "0000-0250-1000-0500"
    assert api.get(body["urls"]["self"]).json() == body
    changed = api.patch(_url(event), {"title": "Gig", "banner": None}, format="json").json()
    assert (changed["title"], changed["banner"], changed["place"]) == ("Gig", None, "")
    assert api.delete(_url(event)).status_code == 204
    assert api.get(_url(event)).status_code == 404


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"title": "x"}, "starts_at"),
        ({"title": "", "starts_at": "2030-01-01T10:00Z"}, "title"),
        ({"title": "x", "starts_at": "soon"}, "starts_at"),
        ({"title": "x", "starts_at": "2030-01-01T10:00Z", "visibility": "all"}, "visibility"),
        (
            {
                "title": "x",
                "starts_at": "2030-01-01T10:00Z",
                "banner_crop": {"left": 0.5, "top": 0, "width": 0.9, "height": 1},
            },
            "banner_crop",
        ),
        ({"title": "x", "starts_at": "2030-01-02T10:00Z", "ends_at": "2030-01-01T10:00Z"}, None),
    ],
)
def test_what_is_no_event(api: APIClient, sent: dict[str, Any], field: str | None) -> None:
    answer = api.post(LIST, sent, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert field is None or field in answer.json()["errors"]
    assert not Event.objects.exists()


def test_a_banner_of_others_is_not_taken(
    api: APIClient, stranger: Any, ready: Callable[..., MediaFile]
) -> None:
    hidden, public = ready(user=stranger), ready(user=stranger, visibility="public")
    for media, status in ((hidden, 404), (public, 403)):
        sent = {"title": "x", "starts_at": "2030-01-01T10:00Z", "banner": str(media.pk)}
        assert api.post(LIST, sent, format="json").status_code == status
    assert not Event.objects.exists()


def test_lists_by_time_and_by_who_asks(owner: Any, guest: Any, stranger: Any) -> None:
    now = timezone.now()
    for days in (-40, -2, 0, 3, 1):
        at = now + timedelta(days=days)
        services.create_event(user=owner, title=f"public {days}", starts_at=at, visibility="public")
        one = services.create_event(
            user=owner, title=f"invited {days}", starts_at=at, ends_at=at + timedelta(hours=4)
        )
        services.invite_guest(user=owner, event=one, name="gina")
    running = now - timedelta(days=20)
    services.create_event(
        user=owner, title="running", starts_at=running, ends_at=now + timedelta(days=1)
    )

    def read(user: Any, query: str) -> list[str]:
        client, found, url = _client(user), [], f"{LIST}?page_size=2&{query}"
        while url:
            page = client.get(url).json()
            found += [one["title"] for one in page["results"]]
            url = page["next"]
        return found

    upcoming = ["invited 0", "public 1", "invited 1", "public 3", "invited 3"]
    past = ["public 0", "public -2", "invited -2", "public -40", "invited -40"]
    assert sorted(read(owner, "when=upcoming")) == sorted(["running", *upcoming])
    assert read(owner, "when=upcoming")[0] == "running"
    assert sorted(read(guest, "when=upcoming")) == sorted(upcoming)
    assert read(guest, "when=upcoming")[0] == "invited 0"
    assert sorted(read(guest, "when=past&ordering=-starts_at")) == sorted(past)
    for user in (stranger, None):
        assert set(read(user, "")) == {f"public {days}" for days in (-40, -2, 0, 3, 1)}
        assert read(user, "when=past&ordering=-starts_at") == [
            "public 0",
            "public -2",
            "public -40",
        ]
    assert _client().get(f"{LIST}?when=later").status_code == 400
    assert _client().get(f"{LIST}?cursor=x").status_code == 400


def test_photos(
    owner: Any, api: APIClient, event: Event, photos: Photos, stranger: Any, guest: Any
) -> None:
    ids = [str(one.pk) for one in photos(4)]
    answer = api.post(_url(event, "photos/"), {"media": ids[:3]}, format="json")
    assert answer.json() == {"added": 3}
    sent = {"media": ids, "before": ids[0]}
    assert api.post(_url(event, "photos/"), sent, format="json").json() == {"added": 1}
    assert names(event) == ["003.jpg", "000.jpg", "001.jpg", "002.jpg"]
    sent = {"media": [ids[2], ids[1]], "before": ids[3]}
    assert api.patch(_url(event, "photos/"), sent, format="json").status_code == 204
    page = api.get(_url(event, "photos/?page_size=3")).json()
    shown = [one["media"]["original_name"] for one in page["results"]]
    assert shown == ["002.jpg", "001.jpg", "003.jpg"]
    assert page["results"][0]["added_by"]["username"] == "olga"
    assert len(api.get(page["next"]).json()["results"]) == 1
    assert api.delete(_url(event, "photos/")).status_code == 400
    assert api.delete(_url(event, f"photos/?media={ids[0]}&media={ids[1]}")).status_code == 204
    assert names(event) == ["002.jpg", "003.jpg"]
    services.invite_guest(user=owner, event=event, name="gina")
    for user, status in ((None, 404), (stranger, 404), (guest, 403)):
        client = _client(user)
        for method in (client.post, client.patch):
            got = method(_url(event, "photos/"), {"media": [ids[2]]}, format="json")
            assert got.status_code == (401 if user is None else status)
        got = client.delete(_url(event, f"photos/?media={ids[2]}"))
        assert got.status_code == (401 if user is None else status)
    assert names(event) == ["002.jpg", "003.jpg"]


def test_invitations_are_the_hosts_to_see(
    api: APIClient, event: Event, guest: Any, stranger: Any
) -> None:
    made = api.post(_url(event, "invitations/"), {"username": "gina"}, format="json")
    assert (made.status_code, made.json()["user"]["username"]) == (201, "gina")
    refused = api.post(_url(event, "invitations/"), {"username": "nobody"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_guest")
    body = _client(guest).post(_url(event, "answer/"), {"answer": "yes"}, format="json").json()
    assert body["own_answer"] == "yes"
    listed = api.get(_url(event, "invitations/")).json()["results"]
    assert [(one["user"]["username"], one["answer"]) for one in listed] == [("gina", "yes")]
    assert _client(guest).get(_url(event, "invitations/")).status_code == 403
    assert _client(stranger).get(_url(event, "invitations/")).status_code == 404
    one = _url(event, f"invitations/{listed[0]['id']}/")
    assert _client(guest).delete(one).status_code == 403
    assert api.delete(one).status_code == 204
    assert _client(guest).get(_url(event)).status_code == 404
    assert not Invitation.objects.exists()


def test_inviting_is_limited_as_sharing_is(
    owner: Any, api: APIClient, browser_of: Any, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharingRate, "rate", "1/day")
    asked = [
        api.post(_url(event, "invitations/"), {"username": "nobody"}, format="json").status_code
        for _ in range(2)
    ]
    assert asked == [422, 429]
    page = browser_of(owner).post(f"/events/{event.pk}/invite/", {"name": "nobody"})
    assert page.status_code == 429
    assert api.get(_url(event, "invitations/")).status_code == 200


def test_the_archive_goes_on_where_it_ended(
    owner: Any, api: APIClient, event: Event, ready: Callable[..., MediaFile]
) -> None:
    ids = [ready(f"{name}.jpg").pk for name in "abc"]
    services.add_photos(user=owner, event=event, media_ids=ids)
    services.move_photos(user=owner, event=event, media_ids=[ids[2]], before=ids[0])
    whole = api.get(_url(event, "photos/archive/"))
    data = b"".join(whole)
    assert "Secret party.zip" in whole["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[:3] == ["00001 c.jpg", "00002 a.jpg", "00003 b.jpg"]
    headers = {"Range": "bytes=100-", "If-Range": whole["ETag"]}
    rest = api.get(_url(event, "photos/archive/"), headers=headers)
    assert (rest.status_code, b"".join(rest)) == (206, data[100:])


def test_the_archive_is_limited_as_others_are(
    api: APIClient, event: Event, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = _url(event, "photos/archive/")
    monkeypatch.setattr(ArchiveRate, "rate", "2/day")
    settings.MEDIA_APP = {**settings.MEDIA_APP, "DOWNLOADS": {"anonymous": 1, "user": 1}}
    held = api.get(url)
    assert held.status_code == 200
    assert api.get(url).json()["code"] == "too_many_downloads"
    assert b"".join(held)
    assert api.get(url).json()["code"] == "throttled"


@pytest.fixture
def without_storage(monkeypatch: pytest.MonkeyPatch, own_storage: ObjectStore) -> None:
    """Every call of the storage fails the test."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the storage was asked")

    for name in ("open_range", "read_range", "size", "exists", "stat", "writer", "walk"):
        if hasattr(type(own_storage), name):
            monkeypatch.setattr(type(own_storage), name, refuse)


@pytest.mark.usefixtures("without_storage")
@pytest.mark.parametrize("role", ["host", "guest", "anonymous"])
@pytest.mark.parametrize("path", ["page", "cards", "photos", "detail", "events", "list"])
def test_pages_cost_the_same_with_more_photos(
    role: str, path: str, owner: Any, guest: Any, photos: Photos, browser_of: Any
) -> None:
    """5 photos and 50, one event and eight: the same queries, and none of the storage."""
    made = [_public_event(owner, photos(count)) for count in (5, 50)]
    for one in made:
        services.invite_guest(user=owner, event=one, name="gina")
    client = browser_of({"host": owner, "guest": guest, "anonymous": None}[role])

    def ask(event: Event) -> int:
        url = {
            "page": f"/events/{event.pk}/",
            "cards": f"/events/{event.pk}/photos/",
            "photos": f"{_url(event)}photos/?page_size=60",
            "detail": _url(event),
            "events": "/events/",
            "list": LIST,
        }[path]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(url)
        assert answer.status_code == 200
        if path in {"page", "cards", "photos"}:
            assert answer.content.count(b".jpg") >= EventPhoto.objects.filter(event=event).count()
        return len(queries)

    few = ask(made[0])
    if path in {"events", "list"}:
        for _ in range(6):
            _public_event(owner, photos(3))
    assert ask(made[1]) == few


def _public_event(owner: Any, files: list[MediaFile]) -> Event:
    at = timezone.now() + timedelta(days=1)
    made = services.create_event(user=owner, title="E", starts_at=at, visibility="public")
    Event.objects.filter(pk=made.pk).update(banner=files[0])  # nothing can be made of it
    services.add_photos(user=owner, event=made, media_ids=[one.pk for one in files])
    return made
