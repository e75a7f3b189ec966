"""What can be known of events, as somebody may know it. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from apps.events.exceptions import ForbiddenError, NotVisibleError
from apps.events.models import LONGEST, Answer, Event, EventPhoto, Invitation
from apps.events.policies import (
    Action,
    Visitor,
    is_active,
    may_remove,
    rights_among,
    visible_to,
    ways_to_visible,
)
from apps.media import selectors as media
from apps.media.models import MediaFile
from apps.users.exceptions import PersonNotVisibleError
from apps.users.models import User
from apps.users.selectors import get_person, show_faces

ROWS_AT_ONCE = 500


def list_upcoming_events(*, now: datetime | None = None) -> QuerySet[Event]:
    """Events that are not over, whoever may see them: see `ways_to_visible_events`.

    None takes longer than `LONGEST`, so that a list begins in the middle of its index.
    """
    now = now or timezone.now()
    return _rows().filter(_is_not_over(now), starts_at__gte=now - LONGEST).order_by("starts_at")


def list_past_events(*, now: datetime | None = None) -> QuerySet[Event]:
    """Events that are over, the last first, whoever may see them."""
    now = now or timezone.now()
    return _rows().filter(~_is_not_over(now), starts_at__lt=now).order_by("-starts_at")


def list_events() -> QuerySet[Event]:
    return _rows()


def _is_not_over(now: datetime) -> Q:
    return Q(ends_at__gte=now) | Q(ends_at=None, starts_at__gte=now)


def ways_to_visible_events(*, user: Visitor) -> list[Q]:
    """What `user` may see, as conditions of which one is enough: for `read_page`."""
    return ways_to_visible(user)


def get_visible_event(*, user: Visitor, event_id: UUID | str) -> Event:
    """The event, if `user` may see it; hidden and missing both raise `NotVisibleError`."""
    try:
        found = _rows().filter(visible_to(user), pk=event_id).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise NotVisibleError(event_id)
    return found


def get_shown_event(*, user: Visitor, event_id: UUID | str) -> Event:
    """The event with what `user` gets of it: see `events_shown_to`."""
    [event] = events_shown_to(user, [get_visible_event(user=user, event_id=event_id)])
    return event


def events_shown_to(user: Visitor, rows: Iterable[Event]) -> list[Event]:
    """`rows`, all of which `user` may see, with `rights`, `own_answer`, `photo_count`, the banner
    and the face of the host. A fixed number of queries, however many rows."""
    kept = list(rows)
    rights = rights_among(user, kept)
    answers = _own_answers(user, kept)
    counts = _count_photos(user, kept)
    banners = _media_shown(user, (event.banner_id for event in kept))
    for event in kept:
        event.rights = frozenset(rights[event.pk])
        event.own_answer = answers.get(event.pk)
        event.photo_count = counts.get(event.pk, 0)
        event.shown_banner = _banner_among(banners, user, event)
    show_faces(user, [event.host for event in kept])
    return kept


def _banner_among(banners: dict[UUID, MediaFile], user: Visitor, event: Event) -> MediaFile | None:
    """The banner of `event`. One that is not its host's is not opened to others by being there."""
    found = banners.get(event.banner_id) if event.banner_id else None
    return found if found and found.owner_id in {event.host_id, user.pk} else None


def _rows() -> QuerySet[Event]:
    return Event.objects.select_related("host")


def _own_answers(user: Visitor, events: list[Event]) -> dict[UUID, str]:
    if not is_active(user):
        return {}
    rows = Invitation.objects.filter(user=user.pk, event__in=events)
    return dict(rows.values_list("event", "answer"))


def _count_photos(user: Visitor, events: list[Event]) -> dict[UUID, int]:
    rows = _shown_photos(user).filter(event__in=events)
    return dict(rows.values_list("event").annotate(count=Count("pk")).order_by())


# -- who comes ---------------------------------------------------------------------------------


def list_invitations(*, user: Visitor, event: Event) -> QuerySet[Invitation]:
    """Who is asked and what they said, for those who may edit the event; else `ForbiddenError`.

    Guests do not see each other's names: some people are not to be found by others.
    """
    if Action.EDIT not in rights_among(user, [event])[event.pk]:
        raise ForbiddenError(event.pk)
    rows = Invitation.objects.filter(event=event.pk, user__is_active=True)
    return rows.select_related("user").order_by("pk")


def invitations_shown(user: Visitor, rows: Iterable[Invitation]) -> list[Invitation]:
    """`rows` of `list_invitations` with the faces of those who are asked, in one query more."""
    kept = list(rows)
    show_faces(user, [invitation.user for invitation in kept])
    return kept


def count_answers(*, event: Event) -> dict[str, int]:
    """How many say yes, maybe and no; and how many have not said anything, as `none`."""
    rows = Invitation.objects.filter(event=event.pk, user__is_active=True).values_list("answer")
    found = dict(rows.annotate(count=Count("pk")).order_by())
    return {name or "none": found.get(name, 0) for name in (*Answer.values, "")}


def find_guest(*, user: Visitor, name: str) -> Any:
    """Whom `user` can invite by this name, or None."""
    try:
        found = get_person(username=name)
    except PersonNotVisibleError:
        return None
    return None if found.pk == user.pk else found


def list_people_of(*, event_id: UUID) -> QuerySet[User]:
    """Its host and those who were asked to come, without those who have said no: whoever is told
    of what is new in it."""
    alive = Invitation.objects.filter(event=event_id, event__host__is_active=True)
    coming = alive.exclude(answer=Answer.NO)
    host = Event.objects.filter(pk=event_id)
    among = Q(pk__in=coming.values("user")) | Q(pk__in=host.values("host"))
    return User.objects.filter(among, is_active=True)


def list_events_of(*, user: Visitor, ids: Iterable[UUID]) -> dict[UUID, Event]:
    """Those of the events that `user` may see, by id."""
    return {event.pk: event for event in _rows().filter(visible_to(user), pk__in=list(ids))}


# -- the gallery -------------------------------------------------------------------------------


def list_photos(*, user: Visitor, event: Event) -> QuerySet[EventPhoto]:
    """The gallery of an event that `user` may see, in its order."""
    return _shown_photos(user).filter(event=event.pk).order_by("position", "pk")


def photos_shown(user: Visitor, event: Event, rows: Sequence[EventPhoto]) -> list[EventPhoto]:
    """`rows` of the gallery of `event` (as shown to `user`) with `media` as `user` gets it, with
    details, and `may_remove`. A fixed number of queries, however many rows."""
    found = _media_shown(user, (photo.media_id for photo in rows))
    kept = [photo for photo in rows if photo.media_id in found]
    prefetch_related_objects(kept, "added_by")
    for photo in kept:
        photo.media = found[photo.media_id]
        photo.may_remove = may_remove(user, photo, event.rights)
    return kept


def get_photo(*, user: Visitor, event: Event, media_id: UUID) -> EventPhoto:
    """One photo of the gallery, as `photos_shown` gives it; raises `NotVisibleError`."""
    rows = list_photos(user=user, event=event).filter(media=media_id)
    shown = photos_shown(user, event, list(rows[:1]))
    if not shown:
        raise NotVisibleError(event.pk, media_id)
    return shown[0]


def list_files_in_gallery(*, event_id: UUID, media_ids: Iterable[UUID]) -> list[MediaFile]:
    """Those of the files that are in the gallery now and not in the trash, in its order."""
    photos = EventPhoto.objects.filter(event=event_id, media__in=media_ids, media__deleted_at=None)
    return [photo.media for photo in photos.select_related("media").order_by("position", "pk")]


def find_own_photos(*, user: Visitor, event: Event, media_ids: Sequence[UUID]) -> list[EventPhoto]:
    """Those photos of the gallery of an event that `user` may see, in its order: for whoever may
    take them out of it. Raises `NotVisibleError`, `ForbiddenError`."""
    photos = list(list_photos(user=user, event=event).filter(media__in=media_ids))
    if len(photos) < len(set(media_ids)):
        raise NotVisibleError(event.pk)
    rights = rights_among(user, [event])[event.pk]
    if not all(may_remove(user, photo, rights) for photo in photos):
        raise ForbiddenError(event.pk)
    return photos


def batches_of_photos(
    *, user: Visitor, event: Event
) -> Iterator[tuple[tuple[str, ...], list[UUID]]]:
    """The ids of the files of a gallery as `user` is shown it, in order, some at a time: as
    `archives.deliver_archive` takes them."""
    rows = list_photos(user=user, event=event).values_list("position", "pk", "media")
    batch = list(rows[:ROWS_AT_ONCE])
    while batch:
        yield (), [media_id for _, _, media_id in batch]
        position, pk, _ = batch[-1]
        beyond = Q(position__gt=position) | Q(position=position, pk__gt=pk)
        batch = list(rows.filter(beyond, position__gte=position)[:ROWS_AT_ONCE])


def _shown_photos(user: Visitor) -> QuerySet[EventPhoto]:
    """Those in galleries that `user` may see whose files they may see there: an event shows others
    what is good, not in the trash and was put there by its owner, who also sees what is not ready.
    """
    shown = Q(media__usable=True, media__owner=F("added_by"))
    if is_active(user):
        shown |= Q(media__owner=user.pk)
    return EventPhoto.objects.filter(shown, media__deleted_at=None)


def _media_shown(user: Visitor, ids: Iterable[UUID | None]) -> dict[UUID, MediaFile]:
    """The files of events that `user` may see, as they get them, with details."""
    shown = Q(usable=True)
    if is_active(user):
        shown |= Q(owner=user.pk)
    wanted = {pk for pk in ids if pk}
    rows = MediaFile.objects.filter(shown, pk__in=wanted, deleted_at=None)
    return {one.pk: one for one in media.shown_to(user, list(media.with_details(rows)))}
