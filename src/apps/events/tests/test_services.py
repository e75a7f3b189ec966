"""What changes events: who may, what is refused, and that a refusal leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.events import selectors, services
from apps.events.exceptions import (
    BadRequestError,
    ForbiddenError,
    NotVisibleError,
    UnknownGuestError,
)
from apps.events.models import LONGEST, Event, EventPhoto, Invitation
from apps.events.tests.conftest import names
from apps.media.exceptions import CannotAttachError, TooManyAttachedError, WrongKindError
from apps.media.exceptions import NotVisibleError as NoSuchFileError
from apps.media.models import MediaFile

Photos = Callable[[int], list[MediaFile]]


def _fields(**changed: Any) -> dict[str, Any]:
    return {"title": "Lunch", "starts_at": timezone.now(), **changed}


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"ends_at": timezone.now() - timedelta(hours=1)},
        {"ends_at": timezone.now() + LONGEST + timedelta(days=1)},
        {"visibility": "secret"},
        {"text": "x" * 10_001},
    ],
)
def test_what_is_no_event(owner: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        services.create_event(user=owner, **_fields(**wrong))
    assert not Event.objects.exists()


def test_only_known_fields_are_set(owner: Any, stranger: Any, event: Event) -> None:
    with pytest.raises(BadRequestError):
        services.update_event(user=owner, event=event, host=stranger)
    event.refresh_from_db()
    assert event.host == owner


def test_hosts_change_and_delete(owner: Any, guest: Any, stranger: Any, event: Event) -> None:
    services.invite_guest(user=owner, event=event, name="gina")
    for act in (
        lambda user: services.update_event(user=user, event=event, title="Mine"),
        lambda user: services.delete_event(user=user, event=event),
        lambda user: services.invite_guest(user=user, event=event, name="sam"),
    ):
        with pytest.raises(ForbiddenError):
            act(guest)
        with pytest.raises(NotVisibleError):
            act(stranger)
    event.refresh_from_db()
    assert event.title == "Secret party"
    assert Invitation.objects.count() == 1
    services.update_event(user=owner, event=event, title=" Open party ", visibility="public")
    event.refresh_from_db()
    assert (event.title, event.visibility) == ("Open party", "public")
    services.delete_event(user=owner, event=event)
    assert not Event.objects.exists()


def test_nobody_is_told_who_has_an_account(
    owner: Any, guest: Any, event: Event, django_user_model: Any
) -> None:
    django_user_model.objects.create_user(username="gone", is_active=False)
    told = set()
    for name in ("nobody", "gone", "olga", "", "a\0b", "x" * 300):
        with pytest.raises(UnknownGuestError) as refused:
            services.invite_guest(user=owner, event=event, name=name)
        told.add((refused.value.code, refused.value.detail))
    assert len(told) == 1
    assert not Invitation.objects.exists()


def test_an_invitation_is_one(owner: Any, guest: Any, event: Event) -> None:
    first = services.invite_guest(user=owner, event=event, name="gina")
    services.answer_invitation(user=guest, event=event, answer="maybe")
    assert services.invite_guest(user=owner, event=event, name="gina") == first
    assert Invitation.objects.get().answer == "maybe"
    services.answer_invitation(user=guest, event=event, answer="yes")
    assert selectors.count_answers(event=event) == {"yes": 1, "maybe": 0, "no": 0, "none": 0}
    with pytest.raises(BadRequestError):
        services.answer_invitation(user=guest, event=event, answer="perhaps")
    services.withdraw_invitation(user=owner, event=event, invitation_id=first.pk)
    with pytest.raises(NotVisibleError):
        services.answer_invitation(user=guest, event=event, answer="no")


def test_who_is_gone_is_neither_listed_nor_counted(owner: Any, guest: Any, event: Event) -> None:
    services.invite_guest(user=owner, event=event, name="gina")
    services.answer_invitation(user=guest, event=event, answer="yes")
    type(guest).objects.filter(pk=guest.pk).update(is_active=False)
    assert not selectors.list_invitations(user=owner, event=event).exists()
    assert not any(selectors.count_answers(event=event).values())


def test_who_answers_unasked(owner: Any, stranger: Any, event: Event) -> None:
    with pytest.raises(NotVisibleError):
        services.answer_invitation(user=stranger, event=event, answer="yes")
    services.update_event(user=owner, event=event, visibility="public")
    with pytest.raises(ForbiddenError):  # the host is there anyway
        services.answer_invitation(user=owner, event=event, answer="yes")
    services.answer_invitation(user=stranger, event=event, answer="yes")
    assert Invitation.objects.get().user == stranger


# -- the gallery -------------------------------------------------------------------------------


@pytest.fixture
def gallery(owner: Any, event: Event, photos: Photos) -> list[MediaFile]:
    found = photos(5)
    services.add_photos(user=owner, event=event, media_ids=[one.pk for one in found])
    return found


def test_photos_in_their_order(
    owner: Any, event: Event, gallery: list[MediaFile], photos: Photos
) -> None:
    assert names(event) == ["000.jpg", "001.jpg", "002.jpg", "003.jpg", "004.jpg"]
    ids = [one.pk for one in gallery]
    services.move_photos(user=owner, event=event, media_ids=[ids[4], ids[3]], before=ids[0])
    assert names(event) == ["004.jpg", "003.jpg", "000.jpg", "001.jpg", "002.jpg"]
    services.move_photos(user=owner, event=event, media_ids=[ids[4]])
    assert names(event)[-1] == "004.jpg"
    services.step_photo(user=owner, event=event, media_id=ids[3], later=True)
    services.step_photo(user=owner, event=event, media_id=ids[2], later=False)
    assert names(event) == ["000.jpg", "003.jpg", "002.jpg", "001.jpg", "004.jpg"]
    services.step_photo(user=owner, event=event, media_id=ids[0], later=False)
    services.step_photo(user=owner, event=event, media_id=ids[4], later=True)
    assert names(event) == ["000.jpg", "003.jpg", "002.jpg", "001.jpg", "004.jpg"]
    assert services.add_photos(user=owner, event=event, media_ids=ids) == 0
    assert names(event) == ["000.jpg", "003.jpg", "002.jpg", "001.jpg", "004.jpg"]


def test_an_order_that_is_changed_without_end(
    owner: Any, event: Event, gallery: list[MediaFile]
) -> None:
    """Every gap is used up several times."""
    first, second = gallery[3].pk, gallery[4].pk
    for _ in range(40):
        services.move_photos(user=owner, event=event, media_ids=[first], before=gallery[2].pk)
        services.move_photos(user=owner, event=event, media_ids=[second], before=first)
        assert names(event) == ["000.jpg", "001.jpg", "004.jpg", "003.jpg", "002.jpg"]
        services.move_photos(user=owner, event=event, media_ids=[first, second])
        assert names(event) == ["000.jpg", "001.jpg", "002.jpg", "003.jpg", "004.jpg"]
    for _ in range(20):
        last = EventPhoto.objects.filter(event=event).order_by("-position").first()
        top = EventPhoto.objects.filter(event=event).order_by("position").first()
        assert last and top
        services.move_photos(
            user=owner, event=event, media_ids=[last.media_id], before=top.media_id
        )
    positions = list(EventPhoto.objects.values_list("position", flat=True))
    assert len(set(positions)) == 5
    assert names(event) == ["000.jpg", "001.jpg", "002.jpg", "003.jpg", "004.jpg"]


def test_photos_that_are_refused(
    owner: Any,
    stranger: Any,
    event: Event,
    photos: Photos,
    gallery: list[MediaFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = names(event)
    [theirs, public, paper, failed] = photos(4)
    MediaFile.objects.filter(pk=theirs.pk).update(owner=stranger)
    MediaFile.objects.filter(pk=public.pk).update(owner=stranger, visibility="public")
    MediaFile.objects.filter(pk=paper.pk).update(media_type="document")
    MediaFile.objects.filter(pk=failed.pk).update(status="failed", failure_code="corrupt_file")
    for media, error in (
        (theirs, NotVisibleError),
        (public, CannotAttachError),
        (paper, WrongKindError),
        (failed, CannotAttachError),
    ):
        with pytest.raises(error):
            services.add_photos(user=owner, event=event, media_ids=[photos(1)[0].pk, media.pk])
    with pytest.raises(NoSuchFileError):
        services.move_photos(user=owner, event=event, media_ids=[theirs.pk])
    with pytest.raises(NoSuchFileError):
        services.add_photos(user=owner, event=event, media_ids=[photos(1)[0].pk], before=theirs.pk)
    accepts = EventPhoto.accepts
    monkeypatch.setattr(EventPhoto, "accepts", type(accepts)(kinds=accepts.kinds, max_count=6))
    with pytest.raises(TooManyAttachedError):
        ids = [one.pk for one in photos(2)]
        services.add_photos(user=owner, event=event, media_ids=ids)
    assert names(event) == before


def test_guests_add_and_remove_their_own(
    owner: Any, guest: Any, event: Event, photos: Photos, gallery: list[MediaFile]
) -> None:
    [own] = photos(1)
    MediaFile.objects.filter(pk=own.pk).update(owner=guest, original_name="own.jpg")
    services.invite_guest(user=owner, event=event, name="gina")
    with pytest.raises(ForbiddenError):
        services.add_photos(user=guest, event=event, media_ids=[own.pk])
    services.update_event(user=owner, event=event, guests_add_photos=True)
    assert services.add_photos(user=guest, event=event, media_ids=[own.pk]) == 1
    assert EventPhoto.objects.get(media=own).added_by == guest
    for refused in (
        lambda: services.move_photos(user=guest, event=event, media_ids=[own.pk]),
        lambda: services.remove_photos(user=guest, event=event, media_ids=[own.pk, gallery[0].pk]),
    ):
        with pytest.raises(ForbiddenError):
            refused()
    assert len(names(event)) == 6
    assert services.remove_photos(user=guest, event=event, media_ids=[own.pk]) == 1
    assert "own.jpg" not in names(event)
    services.add_photos(user=guest, event=event, media_ids=[own.pk])
    assert services.remove_photos(user=owner, event=event, media_ids=[own.pk]) == 1
