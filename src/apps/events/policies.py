"""Who may do what with an event, as one answer and as a query. Hidden equals missing."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import reduce
from typing import Any, TypeAlias
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from apps.events.models import Event, EventPhoto, Invitation, Visibility
from apps.media.policies import Description, HostUse

Visitor: TypeAlias = AbstractBaseUser | AnonymousUser


class Action(StrEnum):
    VIEW = "view"
    EDIT = "edit"  # and who is invited, and the order of the gallery
    DELETE = "delete"
    ADD_PHOTOS = "add_photos"
    ANSWER = "answer"


_HELD_BY = {
    Action.VIEW: ("view_event", "change_event", "delete_event"),
    Action.EDIT: ("change_event",),
    Action.DELETE: ("delete_event",),
    Action.ADD_PHOTOS: ("change_event",),
    Action.ANSWER: (),
}


def is_active(user: Visitor) -> bool:
    return bool(user.is_authenticated and user.is_active)


def holds(user: Visitor, action: Action) -> bool:
    """Whether `user` may do `action` with every event, by a permission."""
    check = getattr(user, "has_perm", None)
    names = _HELD_BY[action]
    return bool(is_active(user) and check and any(check(f"events.{name}") for name in names))


def visible_to(user: Visitor) -> Q:
    """Every event that `user` may see."""
    return reduce(operator.or_, ways_to_visible(user))


def ways_to_visible(user: Visitor) -> list[Q]:
    """Conditions of which one is enough to see an event, none itself a choice. With the account
    of its host an event is switched off."""
    if holds(user, Action.VIEW):
        return [Q()]
    alive = Q(host__is_active=True)
    public = alive & Q(visibility=Visibility.PUBLIC)
    return [public, Q(host=user.pk), alive & invited(user)] if is_active(user) else [public]


def invited(user: Visitor) -> Q:
    return Q(pk__in=Invitation.objects.filter(user=user.pk).values("event"))


def rights_among(user: Visitor, events: Iterable[Event]) -> dict[UUID, frozenset[Action]]:
    """What `user` may do with each of `events`, all of which they may see; one query at most."""
    kept = list(events)
    by_role = frozenset(action for action in Action if holds(user, action))
    guests_of = _invited_among(user, kept)
    return {
        event.pk: by_role | {Action.VIEW} | _own_rights(user, event, event.pk in guests_of)
        for event in kept
    }


def _own_rights(user: Visitor, event: Event, is_guest: bool) -> frozenset[Action]:
    if not is_active(user):
        return frozenset()
    if event.host_id == user.pk:
        return frozenset(Action) - {Action.ANSWER}
    may_answer = is_guest or event.visibility == Visibility.PUBLIC
    may_add = is_guest and event.guests_add_photos
    return frozenset(
        action for action, may in ((Action.ANSWER, may_answer), (Action.ADD_PHOTOS, may_add)) if may
    )


def _invited_among(user: Visitor, events: list[Event]) -> set[UUID]:
    foreign = [event.pk for event in events if event.host_id != user.pk]
    if not foreign or not is_active(user):
        return set()
    rows = Invitation.objects.filter(user=user.pk, event__in=foreign)
    return set(rows.values_list("event", flat=True))


def may_remove(user: Visitor, photo: EventPhoto, rights: Iterable[str]) -> bool:
    """Whether `user`, who has `rights` on its event, may take `photo` out of the gallery."""
    own = is_active(user) and photo.added_by_id == user.pk
    return own or Action.EDIT in rights


def used_where_visible(user: Visitor) -> QuerySet[Any]:
    """The use rule: ids of the files in banners and galleries of events that `user` may see.

    Only of what its owner put there: who may edit a file of another may not show it to others.
    """
    events = Event.objects.filter(visible_to(user))
    banners = events.filter(banner__owner=F("host")).values_list("banner")
    own = EventPhoto.objects.filter(added_by=F("media__owner"))
    photos = own.filter(event__in=events.values("pk")).values_list("media")
    return photos.order_by().union(banners, all=True)


def describe_events(user: Visitor, uses: Sequence[HostUse]) -> list[Description | None]:
    """What events that use a file are called to those who may see them: one query."""
    rows = Event.objects.filter(visible_to(user), pk__in=[use.host.pk for use in uses])
    seen = set(rows.values_list("pk", flat=True))
    return [_describe(use) if use.host.pk in seen else None for use in uses]


def _describe(use: HostUse) -> Description:
    kind = _("banner of event") if use.field else _("event")
    return Description(use.host.title, use.host.get_absolute_url(), kind)
