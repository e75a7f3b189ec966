"""Everything of a user goes, whatever they have: objects by tombstones, rows in short transactions.

The `Erasure` row is the truth about how far it came. Any process may go on where another was
killed; a sweep does. What is found of a user, and so what goes, is said by `selectors.belongings`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, ProtectedError, QuerySet, RestrictedError
from django.utils import timezone

from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, NotVisibleError, StillProtectedError
from apps.media.models import AuditEvent, Collection, Erasure, MediaFile, Tombstone, Upload
from apps.media.policies import Visitor, may_erase
from apps.media.selectors.belongings import bytes_of_files, bytes_of_uploads, rows_naming, rows_of
from apps.media.services.auditing import note
from apps.media.services.deletion import burial_for, bury_tombstones
from apps.media.services.locks import lock_uploads_of
from apps.media.services.trees import lock_trees

BATCH = 100  # rows that go in one transaction
ABANDONED_AFTER = timedelta(minutes=5)  # a run that has removed nothing for so long is dead
SWEPT = 20

Progress = Callable[[int], None]


def erase_user(
    *,
    user: Any,
    by: Visitor | None,
    keep_account: bool = False,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Remove everything of `user` now, and the account unless `keep_account`; return the receipt.

    `by` is the user, somebody whose role allows it, or None for the operator. For what may take
    long use `request_erasure`. `on_progress` gets the number of rows of each step. Raises
    `ForbiddenError`; `StillProtectedError` when an object of another app forbids it, after which
    the rest is done by the next run.
    """
    erasure = _begin(user, by, keep_account)
    return run_erasure(erasure_id=erasure.pk, on_progress=on_progress)


@transaction.atomic
def request_erasure(*, user: Any, by: Visitor | None, keep_account: bool = False) -> Erasure:
    """Have a worker do what `erase_user` does. The account is closed at once, unless it stays."""
    erasure = _begin(user, by, keep_account)
    dispatch.run_erasure_later(erasure)
    return erasure


def run_erasure(*, erasure_id: UUID | str, on_progress: Progress | None = None) -> dict[str, Any]:
    """Go on with an erasure to its end; return its receipt. Repeating it is harmless.

    Not inside a transaction: objects go right after the rows that explained them.
    """
    erasure = Erasure.objects.get(pk=erasure_id)
    told = on_progress or (lambda count: None)
    while erasure.finished_at is None:
        try:
            _remove_all(erasure, told)
        except (ProtectedError, RestrictedError, IntegrityError) as error:
            raise StillProtectedError(erasure.pk, str(error)) from error
        erasure = _finish(erasure)
    return receipt_of(erasure)


def sweep_erasures(*, limit: int = SWEPT) -> int:
    """Go on with erasures that nobody works on any more; return how many came to their end."""
    before = timezone.now() - ABANDONED_AFTER
    due = Erasure.objects.filter(finished_at=None, updated_at__lt=before).order_by("updated_at")
    done = 0
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        # Whoever else sweeps leaves it alone now, and what cannot be done waits.
        if due.filter(pk=pk).update(updated_at=timezone.now()):
            try:
                run_erasure(erasure_id=pk)
            except StillProtectedError:
                continue
            done += 1
    return done


def find_open_erasure(*, name: str) -> Erasure | None:
    """The erasure of a user of that name that has not come to its end."""
    return Erasure.objects.filter(finished_at=None, subject_name=name).exclude(subject="").first()


def receipt_of(erasure: Erasure) -> dict[str, Any]:
    """What went and what remains, for JSON; names nobody.

    `pending` are objects that a writer may still be at work on, or whose storage is away, and
    `until` the moment after which the last of them is removed.
    """
    waiting = Tombstone.objects.filter(erasure=erasure.pk)
    by_storage = dict(waiting.order_by().values_list("storage").annotate(count=Count("pk")))
    until = waiting.aggregate(last=Max("due_at"))["last"]
    return {
        "erasure": str(erasure.pk),
        "account": "kept" if erasure.keeps_account else "removed",
        "started_at": erasure.created_at.isoformat(),
        "finished_at": erasure.finished_at.isoformat() if erasure.finished_at else None,
        "removed": dict(sorted(erasure.removed.items())),
        "bytes": sum(erasure.bytes_by_storage.values()),
        "storages": {
            alias: {
                "objects": count,
                "bytes": erasure.bytes_by_storage.get(alias, 0),
                "pending": by_storage.get(alias, 0),
            }
            for alias, count in sorted(erasure.objects_by_storage.items())
        },
        "pending": {
            "objects": sum(by_storage.values()),
            "until": until.isoformat() if until else None,
        },
    }


# -- beginning ---------------------------------------------------------------------------------


@transaction.atomic
def _begin(user: Any, by: Visitor | None, keep_account: bool) -> Erasure:
    """One erasure of a user at a time; one that was begun is gone on with, and takes the account
    along as soon as somebody asks for that."""
    if by is not None and not may_erase(by, user):
        raise ForbiddenError(user.pk)
    locked = get_user_model()._base_manager.select_for_update().filter(pk=user.pk).first()
    if locked is None:
        raise NotVisibleError(user.pk)
    if not keep_account:
        Erasure.objects.filter(subject=str(user.pk), finished_at=None, keeps_account=True).update(
            keeps_account=False
        )
    erasure, _ = Erasure.objects.get_or_create(
        subject=str(user.pk),
        finished_at=None,
        defaults={
            "subject_name": user.get_username(),
            "keeps_account": keep_account,
            "requested_by_id": by.pk if by is not None else None,
        },
    )
    if not erasure.keeps_account:
        _close(user)
    return erasure


def _close(user: Any) -> None:
    """Nobody signs in and uploads while everything goes."""
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return
    get_user_model()._base_manager.filter(pk=user.pk).update(is_active=False)


# -- removing ----------------------------------------------------------------------------------


def _remove_all(erasure: Erasure, told: Progress) -> None:
    pk, users = erasure.pk, get_user_model()
    user = users._base_manager.filter(pk=users._meta.pk.to_python(erasure.subject)).first()
    if user is not None:
        _remove_belongings(pk, user, told)
        _detach_names(user, told)
        _clean_trail(erasure, user, told)
        if not erasure.keeps_account:
            told(_remove_account(pk, user))
    while gone := bury_tombstones(erasure=pk):
        told(gone)


def _remove_belongings(pk: UUID, user: Any, told: Progress) -> None:
    """Uploads before files, since they hold them; files before collections, as everywhere."""
    first = (Upload, MediaFile)
    all_rows = [rows for rows in rows_of(user) if rows.model is not Collection]
    all_rows.sort(key=lambda rows: first.index(rows.model) if rows.model in first else len(first))
    for rows in all_rows[: len(first)]:
        _until_none(lambda rows=rows: _remove_some(pk, rows), told)  # type: ignore[misc]
    _until_none(lambda: _remove_collections(pk, user), told)
    for rows in all_rows[len(first) :]:
        _until_none(lambda rows=rows: _remove_some(pk, rows), told)  # type: ignore[misc]


def _until_none(step: Callable[[], int], told: Progress) -> None:
    while count := step():
        told(count)


@transaction.atomic(durable=True)
def _remove_some(pk: UUID, rows: QuerySet[Any]) -> int:
    erasure = Erasure.objects.select_for_update().get(pk=pk)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    locked = rows.model._base_manager.select_for_update().filter(pk__in=ids).order_by("pk")
    ids = list(locked.values_list("pk", flat=True))
    _drop(erasure, rows.model, ids)
    return len(ids)


@transaction.atomic(durable=True)
def _remove_collections(pk: UUID, user: Any) -> int:
    """Those farthest down first: whatever is left at any moment lies where its parent says."""
    erasure = Erasure.objects.select_for_update().get(pk=pk)
    own = Collection.objects.filter(owner=user.pk)
    lowest = own.annotate(depth=Max("above__depth")).order_by("-depth", "pk")[:BATCH]
    try:
        ids = [collection.pk for collection in lock_trees(*lowest)]
    except NotVisibleError:  # somebody removed one meanwhile
        return 1
    _drop(erasure, Collection, ids)
    return len(ids)


def _drop(erasure: Erasure, model: type[Any], ids: list[Any]) -> None:
    """Remove these rows with all that hangs on them, and count."""
    if not ids:
        return
    sizes = _sizes(model, ids)
    if options().erased_trail == "remove" and model in (MediaFile, Collection):
        column = "media_id" if model is MediaFile else "collection_id"
        AuditEvent.objects.filter(**{f"{column}__in": ids}).delete()
    if model is MediaFile:
        lock_uploads_of(ids)
    with burial_for(erasure.pk) as burial:
        _, removed = model._base_manager.filter(pk__in=ids).delete()
    _count(erasure, removed, sizes, burial.objects)


def _sizes(model: type[Any], ids: list[Any]) -> dict[str, int]:
    if model is MediaFile:
        return bytes_of_files(pk__in=ids)
    return bytes_of_uploads(pk__in=ids) if model is Upload else {}


def _count(
    erasure: Erasure,
    removed: Mapping[str, int],
    sizes: Mapping[str, int],
    objects: Mapping[str, int],
) -> None:
    """Keep what went in the row, in the transaction in which it goes."""
    kinds = {label.lower(): count for label, count in removed.items() if count}
    erasure.removed = dict(Counter(erasure.removed) + Counter(kinds))
    erasure.bytes_by_storage = dict(Counter(erasure.bytes_by_storage) + Counter(sizes))
    erasure.objects_by_storage = dict(Counter(erasure.objects_by_storage) + Counter(objects))
    erasure.save(update_fields=["removed", "bytes_by_storage", "objects_by_storage", "updated_at"])


def _detach_names(user: Any, told: Progress) -> None:
    """What others keep no longer says that this user did it."""
    for rows, field in rows_naming(user):
        if rows.model in (AuditEvent, Erasure):
            continue
        _until_none(lambda rows=rows, field=field: _forget_some(rows, field), told)  # type: ignore[misc]


def _forget_some(rows: QuerySet[Any], field: str) -> int:
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows.model._base_manager.filter(pk__in=ids).update(**{field: None})
    return len(ids)


def _clean_trail(erasure: Erasure, user: Any, told: Progress) -> None:
    _until_none(lambda: _clean_some(erasure.pk, user), told)


@transaction.atomic(durable=True)
def _clean_some(pk: UUID, user: Any) -> int:
    erasure = Erasure.objects.select_for_update().get(pk=pk)
    ids = AuditEvent.objects.filter(actor=user.pk).order_by("pk").values_list("pk", flat=True)
    some = AuditEvent.objects.filter(pk__in=list(ids[:BATCH]))
    if options().erased_trail == "remove":
        count, removed = some.delete()
        _count(erasure, removed, {}, {})
        return count
    count = some.update(actor=None, actor_name=erasure.pseudonym)
    _count(erasure, {"pseudonymised": count}, {}, {})
    return count


@transaction.atomic(durable=True)
def _remove_account(pk: UUID, user: Any) -> int:
    """The account, and by Django's cascade whatever other apps hang on it."""
    erasure = Erasure.objects.select_for_update().get(pk=pk)
    with burial_for(pk) as burial:
        count, removed = user.delete()
    _count(erasure, removed, {}, burial.objects)
    return int(count)


@transaction.atomic(durable=True)
def _finish(done: Erasure) -> Erasure:
    """The row as it is then: open still where more was asked for than was `done`."""
    erasure = Erasure.objects.select_for_update().get(pk=done.pk)
    if erasure.finished_at is not None or erasure.keeps_account != done.keeps_account:
        return erasure
    by = erasure.requested_by
    if by is not None and str(by.pk) == erasure.subject:
        by = erasure.requested_by = None
    erasure.finished_at = timezone.now()
    erasure.subject = erasure.subject_name = ""
    erasure.save()
    note(AuditEvent.Act.ERASED, user=by, **receipt_of(erasure))
    return erasure
