"""The audit trail: what is written down of who did what. See `models.AuditEvent`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from apps.media.models import AuditEvent, MediaFile, ShareLink
from apps.media.models import Collection as MediaCollection
from apps.media.policies import Visitor, is_active, is_opened_by_role, opened_by_role_among

SAME_LOOK = timedelta(minutes=15)  # somebody who looks again within it is written down once


def note(
    act: AuditEvent.Act,
    *,
    user: Visitor | None,
    media: MediaFile | None = None,
    collection: MediaCollection | None = None,
    **details: Any,
) -> None:
    """Write down one act of `user` (None: of the clock), in the transaction that does it.

    `details` are for operators: ids and words of our own, never tokens, passwords or private names.
    """
    actor = user if user is not None and is_active(user) else None
    AuditEvent.objects.create(
        act=act,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        media_id=media.pk if media else None,
        collection_id=collection.pk if collection else None,
        details=details,
    )


def note_many(
    act: AuditEvent.Act, *, user: Visitor | None, details: Mapping[UUID, dict[str, Any]]
) -> None:
    """The same act with many files, each of them with its `details`."""
    actor = user if user is not None and is_active(user) else None
    AuditEvent.objects.bulk_create(
        AuditEvent(
            act=act,
            actor_id=actor.pk if actor else None,
            actor_name=actor.get_username() if actor else "",
            media_id=pk,
            details=of_one,
        )
        for pk, of_one in details.items()
    )


def maybe_note_look(*, user: Visitor, media: MediaFile) -> None:
    """Write down that `user` looked into a file, if only their role opens it to them."""
    if not is_opened_by_role(user, media):
        return
    looks = _lately(AuditEvent.Act.VIEWED, media=media).filter(actor=user.pk)
    if not looks.exists():
        note(AuditEvent.Act.VIEWED, user=user, media=media)


def maybe_note_looks(*, user: Visitor, media_ids: Collection[UUID]) -> None:
    """The same of many files, all of which `user` may view."""
    opened = opened_by_role_among(user, media_ids)
    if not opened:
        return
    since = timezone.now() - SAME_LOOK
    looks = AuditEvent.objects.filter(
        act=AuditEvent.Act.VIEWED, actor=user.pk, media_id__in=opened, created_at__gte=since
    )
    fresh = opened - set(looks.values_list("media_id", flat=True))
    note_many(AuditEvent.Act.VIEWED, user=user, details={pk: {} for pk in sorted(fresh)})


def maybe_note_opening(*, user: Visitor, link: ShareLink, media: MediaFile | None = None) -> None:
    """Write down that a link was opened; once for all who are not known, and who come together."""
    shown = media or link.media
    openings = _lately(AuditEvent.Act.LINK_OPENED, media=shown, collection=link.collection)
    actor = user.pk if is_active(user) else None
    if not openings.filter(actor=actor, details__link=str(link.pk)).exists():
        note(
            AuditEvent.Act.LINK_OPENED,
            user=user,
            media=shown,
            collection=link.collection,
            link=str(link.pk),
        )


def _lately(
    act: AuditEvent.Act, *, media: MediaFile | None, collection: MediaCollection | None = None
) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(
        act=act,
        media_id=media.pk if media else None,
        collection_id=collection.pk if collection else None,
        created_at__gte=timezone.now() - SAME_LOOK,
    )
