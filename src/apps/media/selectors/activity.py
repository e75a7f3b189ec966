"""What happened to a file and who did it, from the audit trail, for those who may share it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet

from apps.media.exceptions import ForbiddenError
from apps.media.models import AuditEvent, MediaFile
from apps.media.policies import Visitor, may_share

Act = AuditEvent.Act
# Each act that is told, with those of its details that are. Who only looked by their role is the
# operators' business.
TOLD: Mapping[str, tuple[str, ...]] = {
    Act.GRANTED: ("permission", "expires_at"),
    Act.GRANT_CHANGED: ("permission", "expires_at"),
    Act.REVOKED: (),
    Act.LINK_MADE: ("expires_at", "has_password", "max_downloads"),
    Act.LINK_REVOKED: (),
    Act.LINK_OPENED: (),
    Act.SIGNED: ("expires_at",),
    Act.VISIBILITY: ("before", "after"),
    Act.EDITED: ("fields",),
    Act.SHAPED: ("version",),
    Act.POSTER: ("at",),
    Act.REPLACED: ("version",),
    Act.VERSION_BACK: ("version",),
    Act.VERSION_GONE: ("version",),
    Act.TRASHED: (),
    Act.RESTORED: (),
    Act.HELD: (),
    Act.RELEASED: (),
    Act.RESCANNED: (),
}
# Those of operators, who are not named to the owners of files.
_BY_OPERATORS = frozenset({Act.HELD, Act.RELEASED, Act.RESCANNED})
Names = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Deed:
    """One act as it is told: `who` is empty where nobody is named, `recipient` where it concerned
    nobody or somebody who is gone."""

    id: UUID
    act: str
    at: datetime
    who: str = ""
    recipient: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def list_activity(*, user: Visitor, media: MediaFile) -> QuerySet[AuditEvent]:
    """What happened to `media`, the newest first. Raises `ForbiddenError`."""
    if not may_share(user, media):
        raise ForbiddenError(media.pk)
    return AuditEvent.objects.filter(media_id=media.pk, act__in=list(TOLD)).order_by("-pk")


def describe_activity(events: Sequence[AuditEvent]) -> list[Deed]:
    """The same as it is told, in two queries at most however many they are."""
    names = _names_of(events)
    return [_deed(event, names) for event in events]


def _deed(event: AuditEvent, names: Names) -> Deed:
    return Deed(
        id=event.pk,
        act=event.act,
        at=event.created_at,
        who="" if event.act in _BY_OPERATORS else event.actor_name,
        recipient=next((names[key] for key in _recipients((event,)) if key in names), ""),
        details={key: event.details[key] for key in TOLD[event.act] if key in event.details},
    )


def _names_of(events: Iterable[AuditEvent]) -> Names:
    wanted = set(_recipients(events))
    people = {pk for kind, pk in wanted if kind == "user"}
    groups = {pk for kind, pk in wanted if kind == "group"}
    names: Names = {}
    if people:
        for person in get_user_model()._default_manager.filter(pk__in=people):
            names["user", str(person.pk)] = person.get_username()
    if groups:
        for pk, name in Group.objects.filter(pk__in=groups).values_list("pk", "name"):
            names["group", str(pk)] = name
    return names


def _recipients(events: Iterable[AuditEvent]) -> Iterator[tuple[str, str]]:
    for event in events:
        for kind in ("user", "group"):
            pk = event.details.get(f"to_{kind}")
            if pk is not None:
                yield kind, str(pk)
