"""Who sees an event sees its files, and nobody else, on every surface there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from apps.core.storage import ObjectStore
from apps.events import services
from apps.events.exceptions import NotYoursError
from apps.events.models import Event, EventPhoto
from apps.events.tests.surfaces import seen_by, surfaces
from apps.media import selectors as media_selectors
from apps.media import services as media_services
from apps.media.models import MediaFile, Rendition
from apps.media.policies import can_access
from apps.media.tests.views.test_access_matrix import TRACK, _stored

Ready = Callable[..., MediaFile]
NAMES = list(surfaces(Event(), MediaFile(), MediaFile()))
LIKENESS = "00ff00ff00ff00ff"
API = "/api/v1/events/"


@pytest.fixture
def twin(ready: Ready, stranger: Any) -> MediaFile:
    """A public picture that looks like the one of the event."""
    media = ready("twin.jpg", user=stranger, visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(likeness=LIKENESS)
    media.refresh_from_db()
    return media


@pytest.fixture
def film(ready: Ready, own_storage: ObjectStore) -> MediaFile:
    """A file with all that can be made of one."""
    media = ready("Hidden name.jpg", title="hidden words")
    MediaFile.objects.filter(pk=media.pk).update(likeness=LIKENESS)
    Rendition.objects.create(
        media=media,
        version=1,
        name="hls/240p.mp4",
        state="ready",
        mime_type="video/mp4",
        width=64,
        height=48,
        details=TRACK,
        fingerprint="x",
        **_stored(own_storage, b"x" * 100),
    )
    media.refresh_from_db()
    return media


@pytest.fixture
def look(
    owner: Any,
    guest: Any,
    stranger: Any,
    browser_of: Callable[[Any], Client],
    event: Event,
    film: MediaFile,
    twin: MediaFile,
) -> Callable[[], dict[str, dict[str, bool]]]:
    people = {"anonymous": None, "stranger": stranger, "guest": guest, "host": owner}
    clients = {role: browser_of(user) for role, user in people.items()}
    return lambda: {role: seen_by(one, event, film, twin) for role, one in clients.items()}


NOTHING, EVERYTHING = dict.fromkeys(NAMES, False), dict.fromkeys(NAMES, True)


def test_a_gallery_is_seen_with_its_event(
    owner: Any, event: Event, film: MediaFile, look: Any
) -> None:
    services.add_photos(user=owner, event=event, media_ids=[film.pk])
    hidden = {"anonymous": NOTHING, "stranger": NOTHING, "guest": NOTHING, "host": EVERYTHING}
    assert look() == hidden
    services.invite_guest(user=owner, event=event, name="gina")
    assert look() == {**hidden, "guest": EVERYTHING}
    services.update_event(user=owner, event=event, visibility="public")
    assert set(map(str, look().values())) == {str(EVERYTHING)}
    services.update_event(user=owner, event=event, visibility="invited")
    assert look() == {**hidden, "guest": EVERYTHING}
    services.withdraw_invitation(user=owner, event=event, invitation_id=event.invitations.get().pk)
    assert look() == hidden


def test_what_is_taken_out_is_gone_again(
    owner: Any, event: Event, film: MediaFile, look: Any
) -> None:
    services.add_photos(user=owner, event=event, media_ids=[film.pk])
    services.update_event(user=owner, event=event, visibility="public")
    services.remove_photos(user=owner, event=event, media_ids=[film.pk])
    seen = look()
    assert [seen[role] for role in ("anonymous", "stranger", "guest")] == [NOTHING] * 3
    own = {name for name, is_seen in seen["host"].items() if is_seen}
    assert own == set(NAMES) - {
        *("archive of the event", "gallery", "event page", "cards", "card", "count")
    }


def test_the_trash_is_seen_nowhere(owner: Any, event: Event, film: MediaFile, look: Any) -> None:
    services.add_photos(user=owner, event=event, media_ids=[film.pk])
    services.update_event(user=owner, event=event, visibility="public")
    media_services.delete_media(user=owner, media=film)
    seen = look()
    assert [seen[role] for role in ("anonymous", "stranger", "guest")] == [NOTHING] * 3
    assert not seen["host"]["event page"]
    media_services.restore_media(user=owner, media=film)
    assert look()["anonymous"] == EVERYTHING


def test_what_is_not_known_to_be_clean_is_its_owners_alone(
    owner: Any, event: Event, film: MediaFile, look: Any
) -> None:
    services.add_photos(user=owner, event=event, media_ids=[film.pk])
    services.update_event(user=owner, event=event, visibility="public")
    MediaFile.objects.filter(pk=film.pk).update(usable=False, status="processing")
    seen = look()
    assert [seen[role] for role in ("anonymous", "stranger", "guest")] == [NOTHING] * 3
    assert seen["host"]["event page"]


def test_a_banner_is_seen_with_its_event(
    owner: Any, event: Event, film: MediaFile, stranger: Any, browser_of: Any
) -> None:
    media_services.attach_media(user=owner, media=film, to=event, field="banner")
    clients = [browser_of(None), browser_of(stranger)]
    paths = [f"/media/{film.pk}/original", f"/media/{film.pk}/r/thumb.webp"]
    paths.append(f"/api/v1/media/{film.pk}/")
    assert {c.get(path).status_code for c in clients for path in paths} == {404}
    services.update_event(user=owner, event=event, visibility="public")
    assert {c.get(path).status_code for c in clients for path in paths} == {200}
    for client in clients:
        banner = client.get(f"/api/v1/events/{event.pk}/").json()["banner"]
        assert banner["id"] == str(film.pk)
        assert f"/media/{film.pk}/" in client.get(f"/events/{event.pk}/").content.decode()
        assert f"/media/{film.pk}/" in client.get("/events/").content.decode()
    media_services.detach_media(user=owner, to=event, field="banner")
    assert {c.get(path).status_code for c in clients for path in paths} == {404}


def test_an_event_is_switched_off_with_its_host(
    owner: Any, event: Event, film: MediaFile, look: Any
) -> None:
    services.add_photos(user=owner, event=event, media_ids=[film.pk])
    services.invite_guest(user=owner, event=event, name="gina")
    services.update_event(user=owner, event=event, visibility="public")
    type(owner).objects.filter(pk=owner.pk).update(is_active=False)
    seen = look()
    assert [seen[role] for role in ("anonymous", "stranger", "guest")] == [NOTHING] * 3


def test_an_event_that_goes_closes_its_files(
    owner: Any, event: Event, film: MediaFile, browser_of: Any
) -> None:
    services.add_photos(user=owner, event=event, media_ids=[film.pk])
    services.update_event(user=owner, event=event, visibility="public")
    path = f"/media/{film.pk}/original"
    assert browser_of(None).get(path).status_code == 200
    services.delete_event(user=owner, event=event)
    assert browser_of(None).get(path).status_code == 404


def test_who_may_edit_a_file_of_another_opens_it_to_nobody(
    owner: Any,
    stranger: Any,
    ready: Ready,
    guest: Any,
    browser_of: Callable[[Any], Client],
) -> None:
    """Editing is not sharing: a public event of theirs, with the file as banner and as photo."""
    film = ready("private.jpg", title="hidden words")
    media_services.grant_access(user=owner, media=film, to=stranger, permission="edit")
    event = services.create_event(
        user=stranger, title="Open house", starts_at=timezone.now(), visibility="public"
    )
    for put in (
        lambda: services.update_event(user=stranger, event=event, banner=film),
        lambda: services.add_photos(user=stranger, event=event, media_ids=[film.pk]),
    ):
        with pytest.raises(NotYoursError):
            put()
    assert not (event.photos.exists() or Event.objects.exclude(banner=None).exists())
    # However it came there, as by the administration:
    EventPhoto.objects.create(event=event, media=film, added_by=stranger)
    Event.objects.update(banner=film)
    for visitor in (None, guest):
        assert not can_access(visitor or AnonymousUser(), film)
        assert film not in media_selectors.list_visible_media(user=visitor or AnonymousUser())
        for page in (f"/events/{event.pk}/", "/events/", f"{API}{event.pk}/photos/"):
            assert "hidden words" not in browser_of(visitor).get(page).content.decode()
        shown = browser_of(visitor).get(f"{API}{event.pk}/").json()
        assert (shown["banner"], shown["photo_count"]) == (None, 0)
    assert can_access(stranger, film)


def test_v8_2_3_uses_are_named_to_whoever_may_see_the_event(
    owner: Any, stranger: Any, ready: Ready, event: Event
) -> None:
    media = ready()
    services.update_event(user=owner, event=event, banner=media)
    services.add_photos(user=owner, event=event, media_ids=[media.pk])
    url = event.get_absolute_url()
    found = media_selectors.describe_usage(user=owner, media=media)
    assert [(use.kind, use.name, use.url) for use in found] == [
        ("banner of event", "Secret party", url),
        ("event", "Secret party", url),
    ]
    media_services.grant_access(user=owner, media=media, to=stranger, permission="edit")
    hidden = media_selectors.describe_usage(user=stranger, media=media)
    assert {(use.kind, use.name, use.url) for use in hidden} == {("event", "", "")}
