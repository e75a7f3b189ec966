"""The end of files that live as long as something uses them.

    for a use: expires_at = soon ──attached──► none ──last use gone──► soon ──► deleted, unless used

Setting `expires_at` decides nothing: whether a file goes is decided under its lock, by its uses at
that moment. A use that is committed afterwards refers to a file that is gone, which the database
refuses. So who marks may be wrong, and a sweep makes up for what nobody noted: rows that went by
raw SQL, in bulk, or in a process that was killed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.media import dispatch, selectors
from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, WrongStateError
from apps.media.models import AuditEvent, Lifetime, MediaFile
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.auditing import note
from apps.media.services.deletion import remove_due, remove_for_good
from apps.media.services.hosts import ensure_hosts_known
from apps.media.services.locks import lock_media

BATCH = 500


def unclaimed_until() -> datetime:
    """Until when a file waits for the use that it was uploaded for."""
    return timezone.now() + timedelta(seconds=options().unclaimed_lifetime)


@transaction.atomic
def claim_again(media: MediaFile, *, for_use: bool) -> None:
    """Somebody who uploads these bytes gets `media` instead: it stays at least as long as the copy
    would have, also when what uses it now goes sooner.

    Raises `NotVisibleError`, `WrongStateError` when it has been deleted since it was found.
    """
    locked = _lock_living(media)
    if locked.lifetime != Lifetime.USED:
        return
    if for_use:
        until = unclaimed_until()
        locked.expires_at = max(locked.expires_at or until, until)
    else:
        locked.lifetime, locked.expires_at = Lifetime.KEPT, None
    locked.save(update_fields=["lifetime", "expires_at"])


@transaction.atomic
def keep_media(*, user: Visitor, media: MediaFile) -> MediaFile:
    """Have `media` stay until somebody deletes it, whatever becomes of what uses it.

    For whoever may delete it, as bringing it back from the trash is. Raises `ForbiddenError`,
    `WrongStateError` for what is in the trash: restoring keeps it.
    """
    if not can_access(user, media, Action.DELETE):
        raise ForbiddenError(media.pk)
    locked = _lock_living(media)
    if locked.lifetime == Lifetime.USED:
        locked.lifetime, locked.expires_at = Lifetime.KEPT, None
        locked.save(update_fields=["lifetime", "expires_at", "updated_at"])
    media.lifetime, media.expires_at = locked.lifetime, locked.expires_at
    return media


def _lock_living(media: MediaFile) -> MediaFile:
    locked = lock_media(media)
    if locked.deleted_at is not None:
        raise WrongStateError(media.pk, detail=_("This file is in the trash."))
    return locked


def release_later(media_ids: Collection[UUID]) -> None:
    """Something that used these files has gone in this transaction: once it has committed, see
    whether it was the last. Once for all of a transaction."""
    connection = transaction.get_connection()
    here = set(connection.savepoint_ids)
    for savepoints, callback, *_rest in connection.run_on_commit:
        if isinstance(callback, _Release) and savepoints == here:
            callback.ids.update(media_ids)
            return
    transaction.on_commit(_Release(set(media_ids)), robust=True)


@dataclass(eq=False)
class _Release:
    ids: set[UUID] = field(default_factory=set)

    def __call__(self) -> None:
        release_media(media_ids=self.ids)


def release_media(*, media_ids: Collection[UUID]) -> int:
    """Set the clock of those of the files that live by their uses and have none left; return how
    many."""
    marked = _mark(MediaFile.objects.filter(pk__in=media_ids))
    if marked and not options().unused_grace:
        dispatch.send(dispatch.EXPIRE_UNUSED)
    return marked


def mark_unused(*, limit: int = 20 * BATCH) -> int:
    """The sweep: set the clock of files whose last use went unnoticed; return how many."""
    marked = 0
    while marked < limit:
        found = list(_unmarked(MediaFile.objects.all()).values_list("pk", flat=True)[:BATCH])
        now_marked = _mark(MediaFile.objects.filter(pk__in=found))
        marked += now_marked
        if not now_marked:
            break
    return dispatch.maybe_sweep_again(dispatch.MARK_UNUSED, done=marked, limit=limit)


def expire_unused(*, limit: int = BATCH) -> int:
    """Delete files whose time has come and that nothing uses; return how many. What is used after
    all has no time any more. Raises `HostMissingError`: who knows what a missing app uses."""
    ensure_hosts_known()
    now = timezone.now()
    gone = remove_due(due_unused(), lambda pk: _expire(pk, now), limit=limit)
    if gone:
        dispatch.bury_later()
    return dispatch.maybe_sweep_again(dispatch.EXPIRE_UNUSED, done=gone, limit=limit)


def due_unused() -> QuerySet[MediaFile]:
    """Files whose time has come, the oldest first; whether they go is decided under their lock."""
    due = MediaFile.objects.filter(expires_at__lte=timezone.now(), deleted_at=None)
    return due.order_by("expires_at", "pk")


def _expire(pk: Any, now: datetime) -> bool:
    due = MediaFile.objects.select_for_update().filter(pk=pk, expires_at__lte=now, deleted_at=None)
    media = due.first()
    if media is None:
        return False
    # A statement of its own: it sees what was committed while the lock was waited for.
    if selectors.is_media_used(pk):
        MediaFile.objects.filter(pk=pk).update(expires_at=None)
        return False
    note(AuditEvent.Act.DELETED, user=None, media=media, expired_at=str(media.expires_at))
    remove_for_good(media)
    return True


def _unmarked(rows: QuerySet[MediaFile]) -> QuerySet[MediaFile]:
    living = rows.filter(lifetime=Lifetime.USED, expires_at=None, deleted_at=None)
    return living.filter(~selectors.is_used())


def _mark(rows: QuerySet[MediaFile]) -> int:
    grace = timedelta(seconds=options().unused_grace)
    return _unmarked(rows).update(expires_at=timezone.now() + grace)
