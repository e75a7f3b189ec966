"""The end of files: trash first, then rows away with tombstones for their objects."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError, QuerySet, RestrictedError
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.storage import AppendingStore, DirectStore, State
from apps.core.words import gettext_noop as _
from apps.media import dispatch, links, signals
from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, StillProtectedError, WrongStateError
from apps.media.models import (
    AuditEvent,
    Emptying,
    Lifetime,
    MediaFile,
    Tombstone,
    Upload,
    Webhook,
)
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.announcing import announce_to_webhooks
from apps.media.services.auditing import note
from apps.media.services.explanations import owed_keys
from apps.media.services.locks import lock_media, lock_uploads_of
from apps.media.storage import INCOMING, known_aliases, store_of

logger = logging.getLogger(__name__)

BATCH = 500
# Longer than any write under way may last, so that what is removed is not written afterwards.
WRITE_GRACE = timedelta(minutes=15)
LONGEST_RETRY = 3600  # seconds


@dataclass(frozen=True)
class Burial:
    """The erasure that tombstones are raised for, and how many of each storage were."""

    erasure: UUID
    objects: Counter[str] = field(default_factory=Counter)


_burial: ContextVar[Burial | None] = ContextVar("burial", default=None)


@contextmanager
def burial_for(erasure: UUID) -> Iterator[Burial]:
    """Tombstones that are raised inside, receivers included, belong to that erasure."""
    burial = Burial(erasure)
    before = _burial.set(burial)
    try:
        yield burial
    finally:
        _burial.reset(before)


@contextmanager
def removal_of(pk: UUID) -> Iterator[None]:
    """A transaction of its own, in which one file may be removed for good.

    Raises `StillProtectedError` also where the database alone refuses, for a row of an app that is
    no longer installed: it does so at the commit.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise StillProtectedError(pk, str(error).partition("\n")[0]) from error


def delete_media(*, user: Visitor, media: MediaFile, permanent: bool = False) -> None:
    """Move `media` to the trash, or remove it for good.

    Removing drops the rows now and the stored objects right after commit. Raises `ForbiddenError`;
    `StillProtectedError` when an object of another app forbids removing.
    """
    if not can_access(user, media, Action.DELETE):
        raise ForbiddenError(media.pk)
    if permanent:
        _delete_for_good(user, media)
    else:
        _throw_away(user, media)


def _delete_for_good(user: Visitor, media: MediaFile) -> None:
    with removal_of(media.pk):
        locked = lock_media(media)
        note(AuditEvent.Act.DELETED, user=user, media=locked)
        remove_for_good(locked)
        dispatch.bury_later()  # once for all objects; other ways of deleting wait for the sweep


@transaction.atomic
def _throw_away(user: Visitor, media: MediaFile) -> None:
    locked = lock_media(media)
    if locked.deleted_at is None:
        announce_withdrawal(locked)
        locked.deleted_at = timezone.now()
        locked.save(update_fields=["deleted_at"])
        note(AuditEvent.Act.TRASHED, user=user, media=locked)
    media.deleted_at = locked.deleted_at


def remove_for_good(media: MediaFile) -> None:
    """Drop the row of a locked file with all that hangs on it, in the transaction of the lock (see
    `removal_of`).

    Raises `StillProtectedError` when an object of another app forbids it.
    """
    lock_uploads_of([media.pk])
    try:
        media.delete()
    except (ProtectedError, RestrictedError) as error:
        raise StillProtectedError(media.pk, error.args[0]) from error


@transaction.atomic
def restore_media(*, user: Visitor, media: MediaFile) -> MediaFile:
    """Take `media` out of the trash. Raises `ForbiddenError`, `WrongStateError`."""
    if not can_access(user, media, Action.DELETE):
        raise ForbiddenError(media.pk)
    locked = lock_media(media)
    if locked.deleted_at is None:
        raise WrongStateError(media.pk, detail=_("This file is not in the trash."))
    if Emptying.objects.filter(owner=locked.owner_id, asked_at__gte=locked.deleted_at).exists():
        detail = _("The trash was emptied: this file is being deleted.")
        raise WrongStateError(media.pk, detail=detail)
    locked.deleted_at = None
    # Somebody wants it, used or not.
    locked.lifetime, locked.expires_at = Lifetime.KEPT, None
    locked.save(update_fields=["deleted_at", "lifetime", "expires_at"])
    note(AuditEvent.Act.RESTORED, user=user, media=locked)
    media.deleted_at = None
    return media


def raise_tombstone(
    *,
    storage: str,
    key: str,
    still_written: bool = False,
    due_at: datetime | None = None,
    storage_state: State | None = None,
) -> None:
    """Note that the object at `key` must go; an empty key notes nothing.

    Call it in the transaction that drops the row. `still_written` waits until no writer can be
    at work on the object any more, `due_at` for a moment. `storage_state` is that of an object that
    grew or came in parts.
    """
    if not key:
        return
    due = due_at or timezone.now() + (WRITE_GRACE if still_written else timedelta())
    burial = _burial.get()
    if burial:
        burial.objects[storage] += 1
    Tombstone.objects.create(
        storage=storage,
        key=key,
        due_at=due,
        storage_state=storage_state or {},
        erasure=burial.erasure if burial else None,
    )


def raise_tombstones(objects: Iterable[tuple[str, str]], *, due_at: datetime) -> None:
    """The same for many objects, each by its storage and key, in one statement; of no erasure."""
    Tombstone.objects.bulk_create(
        Tombstone(storage=storage, key=key, due_at=due_at) for storage, key in objects
    )


def raise_late_tombstone(*, storage: str, key: str) -> None:
    """The same for bytes that nothing could make again: they stay for `DELETED_LIFETIME`.

    A backup of the objects that was begun before then has them. Those of somebody who is erased go.
    """
    kept = timedelta(seconds=0 if _burial.get() else options().deleted_lifetime)
    raise_tombstone(storage=storage, key=key, due_at=timezone.now() + kept)


def announce_deletion(media: MediaFile) -> None:
    """Tell other apps and webhooks, after commit, that `media` no longer exists."""
    announce_to_webhooks(Webhook.Event.DELETED, media)
    signals.media_deleted.tell(MediaFile, media_id=media.pk, owner_id=media.owner_id)


def announce_withdrawal(media: MediaFile) -> None:
    """Tell whoever purges caches, after commit, that `media` is everybody's no more; call it while
    it still is, if it is."""
    if not media.is_public:
        return
    media_id = media.pk
    transaction.on_commit(
        lambda: signals.media_withdrawn.send_robust(
            sender=MediaFile, media_id=media_id, prefix=links.tree_url(media_id)
        ),
        robust=True,
    )


def bury_tombstones(*, limit: int = BATCH, erasure: UUID | None = None) -> int:
    """Remove the objects of due tombstones, of one erasure if given; return how many are gone.

    Failures are kept, to be tried again later.
    """
    due = due_tombstones()
    if erasure is not None:
        due = due.filter(erasure=erasure)
    batch = list(due[:limit])
    refuted = _refuted(batch)
    gone = sum(_bury(tombstone) for tombstone in batch if tombstone not in refuted)
    return dispatch.maybe_sweep_again(dispatch.BURY, done=gone, limit=limit)


def _refuted(batch: Sequence[Tombstone]) -> set[Tombstone]:
    """Drop the tombstones of objects that a row says must be there, and return them.

    One may be raised for what no row explains while the transaction that explains it is open.
    """
    keys: dict[str, set[str]] = defaultdict(set)
    for tombstone in batch:
        keys[tombstone.storage].add(tombstone.key)
    owed = {alias: owed_keys(alias, named) for alias, named in keys.items()}
    refuted = {tombstone for tombstone in batch if tombstone.key in owed[tombstone.storage]}
    for tombstone in refuted:
        logger.error("a row needs the object of tombstone %s: it stays", tombstone.pk)
    Tombstone.objects.filter(pk__in=[tombstone.pk for tombstone in refuted]).delete()
    return refuted


def _bury(tombstone: Tombstone) -> bool:
    try:
        store = store_of(tombstone.storage)
        is_begun = tombstone.storage_state or tombstone.key.startswith(f"{INCOMING}/")
        if is_begun and isinstance(store, AppendingStore | DirectStore):
            # What was begun and left may be gone while an object of the same key is there to stay:
            # the state says which is meant. Of what came in there may be more than any state says.
            store.discard(tombstone.key, state=tombstone.storage_state)
        else:
            store.remove(tombstone.key)
    except Exception as error:  # whatever is wrong with one
        logger.warning("object of tombstone %s stays for now: %s", tombstone.pk, error)
        _postpone(tombstone, error)
        return False
    tombstone.delete()
    return True


def _postpone(tombstone: Tombstone, error: Exception) -> None:
    # In whole numbers, which any number of attempts may double.
    wait = min(10 * 2**tombstone.attempts, LONGEST_RETRY)
    Tombstone.objects.filter(pk=tombstone.pk).update(
        attempts=F("attempts") + 1,
        last_error=type(error).__name__,
        due_at=timezone.now() + timedelta(seconds=wait),
    )


def empty_trash(*, limit: int = BATCH) -> int:
    """Remove what has been in the trash for longer than the option says; return how many."""
    gone = remove_due(due_trash(), _delete_if_still, limit=limit)
    return dispatch.maybe_sweep_again(dispatch.EMPTY_TRASH, done=gone, limit=limit)


def remove_due(due: QuerySet[MediaFile], remove: Callable[[UUID], bool], *, limit: int) -> int:
    """Call `remove` for what is `due`, each in its `removal_of`, until `limit` files are gone;
    return how many are.

    What an object of another app protects stays, however much it is, and the others go.
    """
    gone, passed, refused = 0, 0, Counter[str]()
    while page := list(due.values_list("pk", flat=True)[passed : passed + limit - gone]):
        for pk in page:
            try:
                with removal_of(pk):
                    went = remove(pk)
            except StillProtectedError as error:
                went = False
                refused[str(error.args[-1])] += 1
            gone, passed = gone + went, passed + (not went)
    for why, count in refused.items():
        logger.warning("%s files stay for now: %s", count, why)
    return gone


def due_trash() -> QuerySet[MediaFile]:
    """What has been in the trash for long enough, the oldest first."""
    before = timezone.now() - timedelta(seconds=options().trash_lifetime)
    return MediaFile.objects.filter(deleted_at__lt=before).order_by("deleted_at", "pk")


def due_uploads() -> QuerySet[Upload]:
    """What is past its time and nobody is writing to, the oldest first."""
    due = Upload.objects.filter(expires_at__lt=timezone.now()).exclude(lock_until__gt=Now())
    return due.order_by("expires_at")


def due_tombstones() -> QuerySet[Tombstone]:
    """Objects that may be removed now, the oldest first. Those of a storage that the site has left
    wait until the settings know it again, or are ended (`forget_storage`)."""
    due = Tombstone.objects.filter(due_at__lte=timezone.now(), storage__in=known_aliases())
    return due.order_by("due_at")


def expire_uploads(*, limit: int = BATCH) -> int:
    """Drop uploads past their time: unfinished ones with their objects; return how many."""
    due = due_uploads().values_list("pk", flat=True)[:limit]
    gone = sum(_expire_upload(pk) for pk in list(due))
    return dispatch.maybe_sweep_again(dispatch.EXPIRE_UPLOADS, done=gone, limit=limit)


def _delete_if_still(pk: Any) -> bool:
    media = due_trash().select_for_update().filter(pk=pk).first()
    if media is None:
        return False
    note(AuditEvent.Act.DELETED, user=None, media=media, trashed_at=str(media.deleted_at))
    remove_for_good(media)
    return True


@transaction.atomic
def _expire_upload(pk: Any) -> bool:
    upload = due_uploads().select_for_update().filter(pk=pk).first()
    if upload is None:
        return False
    upload.delete()
    return True
