"""The end of files: trash first, then rows away with tombstones for their objects."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.core.errors import AppError
from apps.media import dispatch, signals
from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, WrongStateError
from apps.media.models import MediaFile, Tombstone, Upload
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.locks import lock_media
from apps.media.storage import store_of

logger = logging.getLogger(__name__)

BATCH = 500
# Longer than any write under way may last, so that what is removed is not written afterwards.
WRITE_GRACE = timedelta(minutes=15)
LONGEST_RETRY = timedelta(hours=1)


@transaction.atomic
def delete_media(*, user: Visitor, media: MediaFile, permanent: bool = False) -> None:
    """Move `media` to the trash, or remove it for good.

    Removing drops the rows now and the stored objects right after commit. Raises `ForbiddenError`.
    """
    if not can_access(user, media, Action.DELETE):
        raise ForbiddenError(media.pk)
    locked = lock_media(media)
    if permanent:
        locked.delete()
        dispatch.bury_later()  # once for all objects; other ways of deleting wait for the sweep
        return
    if locked.deleted_at is None:
        locked.deleted_at = timezone.now()
        locked.save(update_fields=["deleted_at"])
    media.deleted_at = locked.deleted_at


@transaction.atomic
def restore_media(*, user: Visitor, media: MediaFile) -> MediaFile:
    """Take `media` out of the trash. Raises `ForbiddenError`, `WrongStateError`."""
    if not can_access(user, media, Action.DELETE):
        raise ForbiddenError(media.pk)
    locked = lock_media(media)
    if locked.deleted_at is None:
        raise WrongStateError(media.pk, detail="This file is not in the trash.")
    locked.deleted_at = None
    locked.save(update_fields=["deleted_at"])
    media.deleted_at = None
    return media


def raise_tombstone(*, storage: str, key: str, still_written: bool = False) -> None:
    """Note that the object at `key` must go; an empty key notes nothing.

    Call it in the transaction that drops the row. `still_written` waits until no writer can be
    at work on the object any more.
    """
    if not key:
        return
    due = timezone.now() + (WRITE_GRACE if still_written else timedelta())
    Tombstone.objects.create(storage=storage, key=key, due_at=due)


def announce_deletion(media: MediaFile) -> None:
    """Tell other apps, after commit, that `media` no longer exists."""
    media_id, owner_id = media.pk, media.owner_id
    transaction.on_commit(
        lambda: signals.media_deleted.send_robust(
            sender=MediaFile, media_id=media_id, owner_id=owner_id
        ),
        robust=True,
    )


def bury_tombstones(*, limit: int = BATCH) -> int:
    """Remove the objects of due tombstones; return how many are gone. Failures are kept."""
    due = Tombstone.objects.filter(due_at__lte=timezone.now()).order_by("due_at")[:limit]
    return sum(_bury(tombstone) for tombstone in due)


def _bury(tombstone: Tombstone) -> bool:
    try:
        store_of(tombstone.storage).remove(tombstone.key)
    except (AppError, OSError) as error:
        logger.warning("object of tombstone %s stays for now: %s", tombstone.pk, error)
        _postpone(tombstone, error)
        return False
    tombstone.delete()
    return True


def _postpone(tombstone: Tombstone, error: Exception) -> None:
    wait = min(timedelta(seconds=10) * 2**tombstone.attempts, LONGEST_RETRY)
    Tombstone.objects.filter(pk=tombstone.pk).update(
        attempts=F("attempts") + 1,
        last_error=type(error).__name__,
        due_at=timezone.now() + wait,
    )


def empty_trash(*, limit: int = BATCH) -> int:
    """Remove what has been in the trash for longer than the option says; return how many."""
    before = timezone.now() - timedelta(seconds=options().trash_lifetime)
    due = MediaFile.objects.filter(deleted_at__lt=before).values_list("pk", flat=True)[:limit]
    return sum(_delete_if_still(pk, deleted_at__lt=before) for pk in list(due))


def expire_uploads(*, limit: int = BATCH) -> int:
    """Drop uploads past their time: unfinished ones with their objects; return how many."""
    now = timezone.now()
    due = Upload.objects.filter(expires_at__lt=now).values_list("pk", flat=True)[:limit]
    return sum(_expire_upload(pk, now) for pk in list(due))


@transaction.atomic
def _delete_if_still(pk: Any, **condition: Any) -> bool:
    media = MediaFile.objects.select_for_update().filter(pk=pk, **condition).first()
    if media is None:
        return False
    media.delete()
    return True


@transaction.atomic
def _expire_upload(pk: Any, now: Any) -> bool:
    upload = Upload.objects.select_for_update().filter(pk=pk, expires_at__lt=now).first()
    if upload is None:
        return False
    upload.delete()
    return True
