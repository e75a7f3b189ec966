"""Emptying one's own trash: asked for in one row, done in batches, not to be undone.

The `Emptying` row is the truth. From the moment it is there the trash shows nothing of what it
covers and gives nothing of it back; who asks waits for a few files only, a worker removes the rest.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from apps.media import dispatch
from apps.media.exceptions import ForbiddenError
from apps.media.models import AuditEvent, Emptying, MediaFile
from apps.media.policies import Visitor, may_empty_trash
from apps.media.services.auditing import note
from apps.media.services.deletion import remove_due, remove_for_good

AT_ONCE = 20  # files for which somebody waits
BATCH = 500


def empty_own_trash(*, user: Visitor) -> bool:
    """Remove for good what `user` has in the trash now; return whether all of it is gone already.

    Of many files a worker removes the rest, and what an object of another app protects as soon as
    none does. Raises `ForbiddenError` for who may not delete what is theirs.
    """
    if not may_empty_trash(user):
        raise ForbiddenError(user.pk)
    Emptying.objects.update_or_create(owner_id=user.pk, defaults={"asked_at": timezone.now()})
    due = due_emptied().filter(owner=user.pk)
    first = list(due.values_list("pk", flat=True)[:AT_ONCE])
    _remove(due.filter(pk__in=first), limit=AT_ONCE)
    done = not due.exists()
    if done:
        _forget(user.pk)
    else:
        dispatch.sweep_emptied_later()
    return done


def sweep_emptied(*, limit: int = BATCH) -> int:
    """Go on with what was asked for; return how many files went."""
    gone = _remove(due_emptied(), limit=limit)
    for owner_id in list(_done().values_list("owner", flat=True)[:limit]):
        _forget(owner_id)
    return dispatch.maybe_sweep_again(dispatch.SWEEP_EMPTIED, done=gone, limit=limit)


def due_emptied() -> QuerySet[MediaFile]:
    """What lay in the trash when its owner emptied it."""
    rows = MediaFile.objects.filter(
        deleted_at__isnull=False, owner__emptied_trash__asked_at__gte=F("deleted_at")
    )
    return rows.order_by("owner", "-pk")


def _remove(due: QuerySet[MediaFile], *, limit: int) -> int:
    gone = remove_due(due, _remove_if_still, limit=limit)
    if gone:
        dispatch.bury_later()
    return gone


def _remove_if_still(pk: Any) -> bool:
    locked = due_emptied().select_for_update(of=("self",)).select_related("owner")
    media = locked.filter(pk=pk).first()
    if media is None:
        return False
    note(AuditEvent.Act.DELETED, user=media.owner, media=media, trashed_at=str(media.deleted_at))
    remove_for_good(media)
    return True


def _done() -> QuerySet[Emptying]:
    """Of what nothing is left."""
    return Emptying.objects.filter(~Exists(due_emptied().filter(owner=OuterRef("owner"))))


@transaction.atomic
def _forget(owner_id: Any) -> None:
    """It is done, unless something is left of it or it was asked for anew."""
    if Emptying.objects.select_for_update().filter(owner=owner_id).exists():
        _done().filter(owner=owner_id).delete()
