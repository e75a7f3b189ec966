"""The stored bytes of many files, as somebody may have them, for those who read one after another.

The answers are those of `get_readable_media` and `get_original`, in a few queries for hundreds.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from apps.media.models import Collection, MediaFile, MediaVersion, Rendition
from apps.media.policies import Action, Visitor, may_read_visible, rights_among
from apps.media.processing.recipes import CLEAN
from apps.media.selectors.collections import list_children, list_collection_items
from apps.media.selectors.media import list_media_by_ids

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Original:
    """One file's bytes. `is_copy`: they are those of a version without the place. `crc32` is known
    once they were read."""

    media_id: uuid.UUID
    name: str
    storage: str
    key: str
    size: int
    created_at: datetime
    is_copy: bool = False
    crc32: int | None = None


def find_originals(*, user: Visitor, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Original]:
    """What `user` may have of the files `ids`, as it is now; the rest is not in it."""
    user = _read_again(user)
    found = list_media_by_ids(user=user, ids=ids)
    readable = [
        media
        for media in found.values()
        if media.deleted_at is None and may_read_visible(user, media)
    ]
    return {one.media_id: one for one in _originals(user, readable)}


def batches_of_collected(*, user: Visitor, collection: Collection) -> Iterator[list[uuid.UUID]]:
    """The ids of the files of a collection as `user` is shown them, in order, some at a time."""
    items = list_collection_items(user=user, collection=collection)
    rows = items.values_list("position", "pk", "media")
    batch = list(rows[:ROWS_AT_ONCE])
    while batch:
        yield [media_id for _, _, media_id in batch]
        position, pk, _ = batch[-1]
        beyond = Q(position__gt=position) | Q(position=position, pk__gt=pk)
        batch = list(rows.filter(beyond, position__gte=position)[:ROWS_AT_ONCE])


def batches_below(
    *, user: Visitor, collection: Collection, folders: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], list[uuid.UUID]]]:
    """Those of a collection, then of those in it that lists show to `user`, by title: each batch
    with the titles of the collections that lead to it."""
    for ids in batches_of_collected(user=user, collection=collection):
        yield folders, ids
    inside = list_children(user=user, parent_id=collection.pk).order_by("title", "pk")
    for child in inside:
        yield from batches_below(user=user, collection=child, folders=(*folders, child.title))


def _read_again(user: Visitor) -> Visitor:
    """The account as it is now: it may have been switched off, or have lost a role."""
    if not user.is_authenticated:
        return user
    again: Visitor | None = get_user_model()._default_manager.filter(pk=user.pk).first()
    if again is None:
        return AnonymousUser()
    return again


def _originals(user: Visitor, rows: Sequence[MediaFile]) -> Iterator[Original]:
    rights = rights_among(user, rows)
    numbers = {media.pk: media.version for media in rows}
    versions = {
        version.media_id: version
        for version in MediaVersion.objects.filter(media__in=numbers).defer("text")
        if version.number == numbers[version.media_id]
    }
    copies = {
        copy.media_id: copy
        for copy in Rendition.objects.filter(media__in=numbers, name=CLEAN.name).exclude(key="")
        if copy.version == numbers[copy.media_id]
    }
    for media in rows:
        version = versions.get(media.pk)
        if version is None:
            continue
        is_whole = media.share_location or not version.metadata.get("has_position")
        if is_whole or Action.EDIT in rights[media.pk]:
            yield _of(media, version, crc32=version.crc32)
        elif copy := copies.get(media.pk):
            yield _of(media, copy, is_copy=True, crc32=copy.details.get(copy.key))


def _of(
    media: MediaFile,
    stored: MediaVersion | Rendition,
    *,
    crc32: int | None,
    is_copy: bool = False,
) -> Original:
    return Original(
        media_id=media.pk,
        name=media.original_name,
        storage=stored.storage,
        key=stored.key,
        size=stored.size,
        created_at=stored.created_at,
        is_copy=is_copy,
        crc32=crc32,
    )
