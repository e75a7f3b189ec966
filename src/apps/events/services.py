"""Every change of events, invitations and galleries. Each is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.events.exceptions import (
    BadRequestError,
    ForbiddenError,
    NotVisibleError,
    NotYoursError,
    UnknownGuestError,
)
from apps.events.models import Answer, Event, EventPhoto, Invitation
from apps.events.policies import Action, Visitor, is_active, may_remove, rights_among, visible_to
from apps.events.selectors import find_guest, find_own_photos, list_photos
from apps.events.signals import guest_invited, photos_added
from apps.media import services as media
from apps.media.models import MediaFile
from apps.media.selectors import list_media_by_ids

EDITABLE = frozenset("title text starts_at ends_at place visibility guests_add_photos".split())
MOST_AT_ONCE = 200


@transaction.atomic
def create_event(*, user: Visitor, **fields: Any) -> Event:
    """A new event of `user`; `fields` are those of `EDITABLE`, `banner` (a file that they may
    attach, or its id) and `banner_crop`.

    Raises `ForbiddenError`, `ValidationError`, `NotYoursError` for a banner that is not the host's,
    and what `media.attach_media` raises.
    """
    if not is_active(user):
        raise ForbiddenError
    banner = _take_banner(fields)
    event = Event(**_known(fields))
    event.host_id = user.pk or 0
    event.full_clean(exclude={"host", "banner"})
    event.save(force_insert=True)
    _hang_banner(user, event, banner)
    return event


@transaction.atomic
def update_event(*, user: Visitor, event: Event, **fields: Any) -> Event:
    """Change `fields` (see `create_event`); a `banner` of None takes it down. Raises what
    `create_event` raises."""
    banner = _take_banner(fields)
    event = _lock(user, event, Action.EDIT)
    for name, value in _known(fields).items():
        setattr(event, name, value)
    event.full_clean(exclude={"host", "banner"})
    event.save(update_fields=[*fields, "updated_at"])
    _hang_banner(user, event, banner)
    return event


@transaction.atomic
def delete_event(*, user: Visitor, event: Event) -> None:
    """Remove `event` with its gallery. Files that were uploaded for it alone go, too."""
    _lock(user, event, Action.DELETE).delete()


def _take_banner(fields: dict[str, Any]) -> dict[str, Any]:
    """What is said of the banner, taken out of `fields`."""
    return {name: fields.pop(name) for name in ("banner", "banner_crop") if name in fields}


def _hang_banner(user: Visitor, event: Event, said: dict[str, Any]) -> None:
    if not said:
        return
    chosen = said.get("banner", event.banner)
    if chosen is None:
        media.detach_media(user=user, to=event, field="banner")
        return
    if not isinstance(chosen, MediaFile):
        chosen = _find_file(user, chosen)
    before, crop = event.banner_id, said.get("banner_crop")
    media.attach_media(user=user, media=chosen, to=event, field="banner", crop=crop)
    # Media judges first, which answers for hidden files as for missing ones.
    if chosen.pk != before and chosen.owner_id != event.host_id:
        raise NotYoursError(chosen.pk)


def _find_file(user: Visitor, media_id: UUID) -> MediaFile:
    found = list_media_by_ids(user=user, ids=[media_id])
    if media_id not in found:
        raise NotVisibleError(media_id)
    return found[media_id]


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(fields) - EDITABLE):
        raise BadRequestError(
            detail=_("The field %(name)s cannot be set."), values={"name": repr(unknown[0])}
        )
    return {name: _tidy(value) for name, value in fields.items()}


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


# -- who comes ---------------------------------------------------------------------------------


@transaction.atomic
def invite_guest(*, user: Visitor, event: Event, name: str) -> Invitation:
    """Ask the person of this user name to come; asking again changes nothing.

    Raises `ForbiddenError`, and `UnknownGuestError` also for those who are not to be found.
    """
    event = _lock(user, event, Action.EDIT)
    guest = find_guest(user=user, name=name.strip())
    if guest is None or guest.pk == event.host_id:
        raise UnknownGuestError(name)
    invitation, created = Invitation.objects.get_or_create(event=event, user=guest)
    if created:
        guest_invited.tell(Event, invitation=invitation, invited_by_id=user.pk)
    return invitation


@transaction.atomic
def withdraw_invitation(*, user: Visitor, event: Event, invitation_id: int) -> None:
    """Take an invitation back: who had it sees no more than a stranger. Raises `ForbiddenError`,
    `NotVisibleError`."""
    event = _lock(user, event, Action.EDIT)
    gone = Invitation.objects.filter(event=event.pk, pk=invitation_id).delete()[0]
    if not gone:
        raise NotVisibleError(invitation_id)


@transaction.atomic
def answer_invitation(*, user: Visitor, event: Event, answer: str) -> Invitation:
    """Say whether `user` comes. To a public event everybody may say it, unasked.

    Raises `ForbiddenError`, `BadRequestError`.
    """
    if answer not in Answer.values:
        raise BadRequestError(detail=_("Answer yes, maybe or no."))
    event = _lock(user, event, Action.ANSWER)
    said = {"answer": answer, "answered_at": timezone.now()}
    return Invitation.objects.update_or_create(event=event, user_id=user.pk or 0, defaults=said)[0]


# -- the gallery -------------------------------------------------------------------------------


@transaction.atomic
def add_photos(
    *,
    user: Visitor,
    event: Event,
    media_ids: Sequence[UUID],
    before: UUID | None = None,
) -> int:
    """Put files that `user` may attach into the gallery, before the photo `before` or at the end;
    return how many are new. What is in it already stays where it is.

    Raises `ForbiddenError`, `NotVisibleError`, `NotYoursError`, and what `media.add_attachments`
    raises.
    """
    event = _lock(user, event, Action.ADD_PHOTOS)
    found = list_media_by_ids(user=user, ids=_counted(media_ids))
    for media_id in media_ids:
        if media_id not in found:
            raise NotVisibleError(media_id)
    items = [media.AttachmentItem(found[pk]) for pk in dict.fromkeys(media_ids)]
    return _add(user, event, items, before)


@transaction.atomic
def add_described_photos(
    *, user: Visitor, event: Event, items: Sequence[media.AttachmentItem]
) -> int:
    """What `add_photos` does at the end of the gallery, of files with words of their own for it."""
    return _add(user, _lock(user, event, Action.ADD_PHOTOS), items)


def _add(
    user: Visitor, event: Event, items: Sequence[media.AttachmentItem], before: UUID | None = None
) -> int:
    new = _not_in_it(event, [item.media for item in items])
    if new:
        _announce_photos(user, event, new)
    added = media.add_attachments(
        user=user,
        to=event,
        through=EventPhoto,
        items=items,
        before=before,
        fields={"added_by_id": user.pk},
    )
    if any(one.owner_id != user.pk for one in new):
        raise NotYoursError(event.pk)
    return added


def _not_in_it(event: Event, files: list[MediaFile]) -> list[MediaFile]:
    """Those that are not in the gallery yet."""
    photos = EventPhoto.objects.filter(event=event.pk, media__in=files)
    there = set(photos.values_list("media", flat=True))
    return [one for one in files if one.pk not in there]


def _announce_photos(user: Visitor, event: Event, new: list[MediaFile]) -> None:
    """Tell of what comes into the gallery."""
    ids = [one.pk for one in new]
    photos_added.tell(Event, event_id=event.pk, media_ids=ids, added_by_id=user.pk)


@dataclass(frozen=True)
class PhotoWords:
    """What is said of a photo in the gallery; empty words leave those of the file in force."""

    alt_text: str = ""
    caption: str = ""


@transaction.atomic
def describe_photos(*, user: Visitor, event: Event, words: Mapping[UUID, PhotoWords]) -> None:
    """Say of photos of the gallery, by the ids of their files, what they show here. Guests say it
    of what they have added.

    Raises `ForbiddenError`, `NotVisibleError`, `ValidationError`; then nothing has changed.
    """
    event = _lock(user, event, Action.VIEW)
    photos = find_own_photos(user=user, event=event, media_ids=_counted(list(words)))
    for photo in photos:
        said = words[photo.media_id]
        photo.alt_text, photo.caption = said.alt_text.strip(), said.caption.strip()
        photo.clean_fields(exclude={"event", "media", "added_by"})
    EventPhoto.objects.bulk_update(photos, ["alt_text", "caption"])


@transaction.atomic
def remove_photos(*, user: Visitor, event: Event, media_ids: Sequence[UUID]) -> int:
    """Take photos out of the gallery; return how many. Guests take out what they have added.

    Raises `ForbiddenError` if there is one that is not theirs; then none is taken out.
    """
    event = _lock(user, event, Action.VIEW)
    rights = rights_among(user, [event])[event.pk]
    photos = EventPhoto.objects.filter(event=event.pk, media__in=_counted(media_ids))
    if not all(may_remove(user, photo, rights) for photo in photos):
        raise ForbiddenError(event.pk)
    return media.remove_attachments(to=event, through=EventPhoto, media_ids=media_ids)


@transaction.atomic
def move_photos(
    *, user: Visitor, event: Event, media_ids: Sequence[UUID], before: UUID | None = None
) -> None:
    """Put photos of the gallery in this order before the photo `before`, or at the end.

    Raises `ForbiddenError`, `NotVisibleError`.
    """
    event = _lock(user, event, Action.EDIT)
    media.move_attachments(
        to=event, through=EventPhoto, media_ids=_counted(media_ids), before=before
    )


@transaction.atomic
def step_photo(*, user: Visitor, event: Event, media_id: UUID, later: bool) -> None:
    """Put a photo one place earlier or later among those that `user` is shown; at the end, nothing.

    Raises `ForbiddenError`, `NotVisibleError`.
    """
    event = _lock(user, event, Action.EDIT)
    shown = list_photos(user=user, event=event)
    photo = shown.filter(media=media_id).first()
    if photo is None:
        raise NotVisibleError(media_id)
    after = Q(position__gt=photo.position) | Q(position=photo.position, pk__gt=photo.pk)
    if later:
        following = list(shown.filter(after).values_list("media", flat=True)[:2])
        if following:
            before = following[1] if len(following) > 1 else None
            move_photos(user=user, event=event, media_ids=[media_id], before=before)
        return
    ahead = shown.exclude(after).exclude(pk=photo.pk).order_by("-position", "-pk")
    if (before := ahead.values_list("media", flat=True).first()) is not None:
        move_photos(user=user, event=event, media_ids=[media_id], before=before)


def _counted(media_ids: Sequence[UUID]) -> list[UUID]:
    if len(media_ids) > MOST_AT_ONCE:
        raise BadRequestError(
            detail=_("At most %(most)s photos at once."), values={"most": MOST_AT_ONCE}
        )
    return list(media_ids)


# -- the event itself --------------------------------------------------------------------------


def _lock(user: Visitor, event: Event, action: Action) -> Event:
    """The event as it is now, which nobody else changes until the transaction ends."""
    rows = Event.objects.select_for_update(of=("self",)).filter(visible_to(user), pk=event.pk)
    locked = rows.first()
    if locked is None:
        raise NotVisibleError(event.pk)
    if action not in rights_among(user, [locked])[locked.pk]:
        raise ForbiddenError(event.pk)
    return locked
