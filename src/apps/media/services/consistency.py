"""Whether rows agree with each other: work that goes on, accounts that add up, single sets.

Each finding was looked at twice, the second time under the lock of what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from apps.media.exceptions import NotVisibleError
from apps.media.models import (
    Collection,
    CollectionPlace,
    Job,
    MediaFile,
    MediaVersion,
    Quota,
    Rendition,
    Upload,
)
from apps.media.models.collection import MAX_LEVELS
from apps.media.models.media_file import UNFINISHED
from apps.media.services.probing import enqueue_inspection
from apps.media.services.publication import ACTIVE
from apps.media.services.trees import lock_trees, narrowest

CHUNK_ROWS = 2_000


@dataclass(frozen=True)
class Violation:
    """Something that must not be. `rule` is the promise that it breaks, `what` the thing.

    `repair` puts it right and says whether it did; None where only a person can decide.
    """

    rule: str
    what: str
    detail: str
    repair: Callable[[], bool] | None = None

    def __str__(self) -> str:
        return f"{self.rule} {self.what}: {self.detail}"


def find_inconsistencies(*, before: datetime) -> Iterator[Violation]:
    """Everything wrong among the rows alone; what has changed since `before` may be under way."""
    yield from _stuck_files(before)
    yield from _stuck_uploads(before)
    yield from _wrong_accounts()
    yield from _stray_renditions()
    yield from _wrong_places()


# -- I4: nothing is stuck ----------------------------------------------------------------------


def _stuck(before: datetime) -> QuerySet[MediaFile]:
    work = Job.objects.filter(media=OuterRef("pk"), version=OuterRef("version"), state__in=ACTIVE)
    waiting = MediaFile.objects.filter(status__in=UNFINISHED, updated_at__lt=before)
    return waiting.exclude(Exists(work))


def _stuck_files(before: datetime) -> Iterator[Violation]:
    for pk, status in _stuck(before).values_list("pk", "status").iterator(chunk_size=CHUNK_ROWS):
        detail = f"is {status} and no work on it is left to be done"
        yield Violation("I4", f"media {pk}", detail, partial(_inspect_again, pk, before))


@transaction.atomic
def _inspect_again(pk: Any, before: datetime) -> bool:
    media = _stuck(before).select_for_update(of=("self",)).filter(pk=pk).first()
    if media is None:
        return False
    enqueue_inspection(media)
    return True


def _stuck_uploads(before: datetime) -> Iterator[Violation]:
    late = Upload.objects.filter(expires_at__lt=before, state=Upload.State.RECEIVING)
    for pk, until in late.values_list("pk", "expires_at").iterator(chunk_size=CHUNK_ROWS):
        yield Violation("I4", f"upload {pk}", f"has expired at {until:%Y-%m-%d %H:%M} and stays")


# -- I5: accounts add up -----------------------------------------------------------------------


def _recount(owner_id: Any) -> tuple[int, int, int]:
    """Bytes used, bytes reserved, files of one owner."""
    versions = MediaVersion.objects.filter(media__owner=owner_id).aggregate(sum=Sum("size"))
    uploads = Upload.objects.filter(owner=owner_id).exclude(state=Upload.State.COMPLETED)
    reserved = uploads.aggregate(sum=Sum("reserved"))
    files = MediaFile.objects.filter(owner=owner_id).count()
    return versions["sum"] or 0, reserved["sum"] or 0, files


def _kept(quota: Quota) -> tuple[int, int, int]:
    return quota.bytes_used, quota.bytes_reserved, quota.files_used


def _wrong_accounts() -> Iterator[Violation]:
    accounts, files = Quota.objects.filter(owner=OuterRef("pk")), MediaFile.objects.all()
    owners = get_user_model()._default_manager.filter(
        Q(Exists(accounts)) | Q(Exists(files.filter(owner=OuterRef("pk"))))
    )
    for owner_id in owners.values_list("pk", flat=True).iterator(chunk_size=CHUNK_ROWS):
        kept, real = _compare(owner_id)
        if kept != real:
            detail = f"says {kept}, the rows say {real} (bytes used, bytes reserved, files)"
            yield Violation("I5", f"account {owner_id}", detail, partial(_set_right, owner_id))


def _compare(owner_id: Any) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    quota = Quota.objects.filter(owner=owner_id).first() or Quota()
    if _kept(quota) == (real := _recount(owner_id)):
        return real, real
    with transaction.atomic():  # whoever changes the rows holds or waits for the account
        locked = Quota.objects.select_for_update().filter(owner=owner_id).first() or Quota()
        return _kept(locked), _recount(owner_id)


@transaction.atomic
def _set_right(owner_id: Any) -> bool:
    Quota.objects.get_or_create(owner_id=owner_id)
    Quota.objects.select_for_update().get(owner=owner_id)
    used, reserved, files = _recount(owner_id)
    account = Quota.objects.filter(owner=owner_id)
    account.update(bytes_used=used, bytes_reserved=reserved, files_used=files)
    return True


# -- I6: one set of renditions -----------------------------------------------------------------


def _stray_renditions() -> Iterator[Violation]:
    version = MediaVersion.objects.filter(media=OuterRef("media"), number=OuterRef("version"))
    strays = Rendition.objects.exclude(Exists(version)).values_list("pk", "media", "name")
    for pk, media_id, name in strays.iterator(chunk_size=CHUNK_ROWS):
        detail = f"{name} is of a version that is not there"
        yield Violation("I6", f"media {media_id}", detail, partial(_drop_rendition, pk))


@transaction.atomic
def _drop_rendition(pk: Any) -> bool:
    return bool(Rendition.objects.filter(pk=pk).delete()[0])


# -- I7: collections are where their parents say, and as open ----------------------------------


def _wrong_places() -> Iterator[Violation]:
    for collection in Collection.objects.order_by("pk").iterator(chunk_size=CHUNK_ROWS):
        if not _is_placed(collection) and not _is_placed_now(collection):
            detail = "does not lie where its parent says, or is not as open as its path"
            yield Violation(
                "I7", f"collection {collection.pk}", detail, partial(_place, collection)
            )


def _path_of(collection: Collection) -> set[tuple[Any, int]]:
    """What it lies in by `parent` alone, each with how many levels above."""
    path: set[tuple[Any, int]] = set()
    at: Any = collection.pk
    for depth in range(MAX_LEVELS):
        path.add((at, depth))
        at = Collection.objects.values_list("parent", flat=True).get(pk=at)
        if at is None:
            break
    return path


def _is_placed(collection: Collection) -> bool:
    places = CollectionPlace.objects.filter(descendant=collection.pk)
    right = Collection.objects.filter(pk=collection.pk, open_to=narrowest())
    try:
        path = _path_of(collection)
    except Collection.DoesNotExist:  # removed meanwhile
        return True
    return set(places.values_list("ancestor", "depth")) == path and right.exists()


@transaction.atomic
def _is_placed_now(collection: Collection) -> bool:
    try:
        lock_trees(collection)
    except NotVisibleError:
        return True
    return _is_placed(collection)


@transaction.atomic
def _place(collection: Collection) -> bool:
    lock_trees(collection)
    CollectionPlace.objects.filter(descendant=collection.pk).delete()
    CollectionPlace.objects.bulk_create(
        CollectionPlace(ancestor_id=pk, descendant=collection, depth=depth)
        for pk, depth in _path_of(collection)
    )
    Collection.objects.filter(pk=collection.pk).update(open_to=narrowest())
    return True
