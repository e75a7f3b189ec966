"""Every address × every kind of visitor × both visibilities: who gets what.

The rows are generated from the URL table: an address without an expectation fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.events import services
from apps.events.models import Event, EventPhoto, Invitation
from apps.events.urls import urlpatterns
from apps.media.models import MediaFile

ROLES = ("anonymous", "stranger", "uninvited", "guest", "host", "staff")
MANAGERS = ("host", "staff")
# What shows an event to those who may see it, by GET.
VIEWING = {"event", "cards", "card", "event-detail", "event-photos", "event-archive"}
# What only those who may edit it get: name → method and body.
EDITING: dict[str, tuple[str, dict[str, Any]]] = {
    "edit": ("get", {}),
    "edit by form": ("post", {"title": "T", "starts_at": "2030-01-01T10:00"}),
    "invite": ("post", {"name": "sam"}),
    "withdraw": ("post", {}),
    "arrange": ("post", {"later": "photo"}),
    "words": ("post", {"ids": ["photo"]}),
    "event-detail": ("patch", {"title": "T"}),
    "event-photos": ("patch", {"media": ["photo"]}),
    "event-invitations": ("get", {}),
    "event-invitations by POST": ("post", {"username": "sam"}),
    "event-invitation": ("delete", {}),
}
# What only those who may delete it do.
DELETING = {"delete": "post", "event-detail": "delete"}
# What guests may do where the event says so, and managers always.
ADDING = {"add-photos": {}, "event-photos": {"media": ["photo"]}}
# What guests do, and where it is public everybody with an account; hosts are there anyway.
ANSWERING = {"answer": "post", "event-answer": "post"}
OPEN = {"events", "event-list"}
PERSONAL = {"new"}


def _plain(names: Any) -> set[str]:
    return {name.split(" ")[0] for name in names}


def _names() -> Iterator[str]:
    for entry in urlpatterns:
        for item in getattr(entry, "url_patterns", [entry]):
            yield item.name


def test_every_address_has_its_row() -> None:
    known = VIEWING | _plain(EDITING) | _plain(DELETING) | _plain(ADDING) | _plain(ANSWERING)
    assert set(_names()) == known | OPEN | PERSONAL


@pytest.fixture
def photo(owner: Any, event: Event, photos: Callable[[int], list[MediaFile]]) -> MediaFile:
    [media] = photos(1)
    services.add_photos(user=owner, event=event, media_ids=[media.pk])
    return media


@pytest.fixture
def visit(
    owner: Any,
    stranger: Any,
    guest: Any,
    staff: Any,
    event: Event,
    browser_of: Callable[[Any], Client],
    django_user_model: Any,
) -> dict[str, Client]:
    former = django_user_model.objects.create_user(username="former")
    services.invite_guest(user=owner, event=event, name="gina")
    row = services.invite_guest(user=owner, event=event, name="former")
    services.withdraw_invitation(user=owner, event=event, invitation_id=row.pk)
    people = {"stranger": stranger, "uninvited": former, "guest": guest, "host": owner}
    people |= {"anonymous": None, "staff": staff}
    return {role: browser_of(user) for role, user in people.items()}


def _url(name: str, event: Event, photo: MediaFile) -> str:
    plain = name.split(" ", 1)[0]
    last: dict[str, Any] = {"card": photo.pk}
    row = Invitation.objects.filter(event=event).first()
    last |= dict.fromkeys(("withdraw", "event-invitation"), row.pk if row else 0)
    return reverse(f"events:{plain}", args=[event.pk, *([last[plain]] if plain in last else [])])


def _send(client: Client, method: str, url: str, body: dict[str, Any], photo: MediaFile) -> Any:
    said = {
        key: [str(photo.pk)] if value == ["photo"] else str(photo.pk) if value == "photo" else value
        for key, value in body.items()
    }
    if method == "get":
        return client.get(url)
    if url.startswith("/api/"):
        return getattr(client, method)(url, said, content_type="application/json")
    return client.post(url, said)


def _state(event: Event) -> list[Any]:
    rows = [Event.objects.filter(pk=event.pk).values("title", "visibility", "starts_at")]
    rows += [Invitation.objects.values("user", "answer"), EventPhoto.objects.values("media")]
    return [list(found) for found in rows]


def _is_refused(answer: Any, role: str, *, sees: bool) -> bool:
    """As somebody who has to sign in, or may not, or must not know that there is anything."""
    if role == "anonymous" and answer.status_code in {302, 401}:
        return bool(answer.get("Location", "/accounts/login/").startswith("/accounts/login/"))
    return bool(answer.status_code == (403 if sees else 404))


def _sees(role: str, visibility: str) -> bool:
    return visibility == "public" or role in {"guest", *MANAGERS}


@pytest.mark.parametrize("visibility", ["invited", "public"])
@pytest.mark.parametrize("role", ROLES)
def test_who_gets_what(
    role: str, visibility: str, event: Event, photo: MediaFile, visit: dict[str, Client]
) -> None:
    Event.objects.filter(pk=event.pk).update(visibility=visibility)
    client, sees = visit[role], _sees(role, visibility)
    for name in sorted(VIEWING):
        answer = client.get(_url(name, event, photo))
        assert answer.status_code == (200 if sees else 404), name
        if not sees:
            assert b"Secret party" not in answer.content
    for name in OPEN:
        shown = client.get(reverse(f"events:{name}")).content
        assert (b"Secret party" in shown) is sees
    before = _state(event)
    refused = dict.fromkeys(ADDING, "post")
    if role not in {"guest"} and visibility == "invited" and role not in MANAGERS:
        refused |= ANSWERING
    if role not in MANAGERS:
        for name, (method, body) in EDITING.items():
            answer = _send(client, method, _url(name, event, photo), body, photo)
            assert _is_refused(answer, role, sees=sees), (name, answer.status_code)
        for name, method in (*DELETING.items(), *refused.items()):
            body = ADDING.get(name, {}) if method == "post" else {}
            answer = _send(client, method, _url(name, event, photo), body, photo)
            assert _is_refused(answer, role, sees=sees), (name, answer.status_code)
        assert _state(event) == before
        return
    for name, (method, body) in EDITING.items():
        said = {**body, "visibility": visibility} if name == "edit by form" else body
        answer = _send(client, method, _url(name, event, photo), said, photo)
        good = answer.status_code in {200, 201, 204, 302}
        gone = name == "event-invitation"  # taken back by the form before
        assert good or (gone and answer.status_code == 404), (name, answer.status_code)
    answer = _send(client, "post", _url("event-answer", event, photo), {"answer": "yes"}, photo)
    assert answer.status_code == (403 if role == "host" or visibility == "invited" else 200)
    assert client.delete(_url("event-detail", event, photo)).status_code == 204
    assert not Event.objects.exists()


@pytest.mark.parametrize("name", sorted(VIEWING - {"card"}))
def test_hidden_is_missing(name: str, event: Event, visit: dict[str, Client]) -> None:
    """Same status, same words, whichever it is."""
    there = visit["stranger"].get(reverse(f"events:{name}", args=[event.pk]))
    nowhere = visit["stranger"].get(reverse(f"events:{name}", args=[uuid4()]))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    if name.startswith("event-"):
        assert there.json() == nowhere.json()


@pytest.mark.parametrize("role", ["guest", "stranger"])
def test_guests_add_where_the_event_says_so(
    role: str, event: Event, photo: MediaFile, visit: dict[str, Client], guest: Any
) -> None:
    Event.objects.filter(pk=event.pk).update(guests_add_photos=True, visibility="public")
    MediaFile.objects.filter(pk=photo.pk).update(owner=guest)
    EventPhoto.objects.all().delete()
    url = reverse("events:event-photos", args=[event.pk])
    body = {"media": [str(photo.pk)]}
    answer = visit[role].post(url, body, content_type="application/json")
    assert answer.status_code == (200 if role == "guest" else 403)
    assert EventPhoto.objects.count() == (role == "guest")


def test_a_role_that_only_looks(
    event: Event, photo: MediaFile, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    permission = Permission.objects.get(codename="view_event")
    stranger.user_permissions.add(permission)
    client = browser_of(stranger)
    assert client.get(_url("event-detail", event, photo)).status_code == 200
    assert client.delete(_url("event-detail", event, photo)).status_code == 403
    assert Event.objects.exists()


@pytest.mark.parametrize("role", ["anonymous", "stranger"])
def test_new_events_need_an_account(role: str, event: Event, visit: dict[str, Client]) -> None:
    form = {"title": "Mine", "starts_at": "2030-01-01T10:00", "visibility": "public"}
    answers = [visit[role].get("/events/new/"), visit[role].post("/events/new/", form)]
    sent = {**form, "starts_at": "2030-01-01T10:00Z"}
    answers.append(visit[role].post("/api/v1/events/", sent, content_type="application/json"))
    expected = [302, 302, 401] if role == "anonymous" else [200, 302, 201]
    assert [answer.status_code for answer in answers] == expected
    assert Event.objects.filter(title="Mine").count() == (0 if role == "anonymous" else 2)
