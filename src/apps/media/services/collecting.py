"""Putting files into collections, in an order, and taking them out again.

Positions are far apart, so that a file gets between two others by one row; where a gap is used up,
all are renumbered. Everything runs under the lock of the collection's row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, ForbiddenError, NotVisibleError
from apps.media.models import Collection, CollectionItem, MediaFile
from apps.media.policies import (
    Action,
    Visitor,
    can_access_collection,
    is_active,
    items_shown_to,
    visible_to,
)

GAP = 2**32  # leaves room for 2**31 files, and for 32 halvings between two of them
MOST_AT_ONCE = 500
ROWS_AT_ONCE = 1_000


@transaction.atomic
def add_items(
    *,
    user: Visitor,
    collection: Collection,
    media_ids: Sequence[UUID],
    before: UUID | None = None,
) -> int:
    """Put files that `user` may view into `collection`, before the file `before` or at the end;
    return how many are new. What is there already stays where it is.

    A file opens to those who see the collection only if its owner put it in. Raises
    `ForbiddenError`, `NotVisibleError`, `BadRequestError`.
    """
    ids = _distinct(media_ids)
    owners = lock_visible(user, ids)
    collection = _lock(user, collection)
    there = dict(_items(collection, ids).values_list("media", "added_by"))
    _add_again(user, collection, [pk for pk in there if owners[pk] == user.pk])
    new = [pk for pk in ids if pk not in there]
    positions = _make_room(user, collection, len(new), before=before)
    CollectionItem.objects.bulk_create(
        CollectionItem(collection=collection, media_id=pk, position=position, added_by_id=user.pk)
        for pk, position in zip(new, positions, strict=True)
    )
    _touch(collection)
    return len(new)


@transaction.atomic
def lay_into(*, collection: Collection, media: MediaFile) -> None:
    """Put `media` at the end of `collection`, on behalf of the operator.

    It opens to those who see the collection only where both are of one owner.
    """
    locked = _lock_row(collection)
    [position] = _make_room(collection.owner, locked, 1, before=None)
    CollectionItem.objects.create(
        collection=locked,
        media=media,
        position=position,
        added_by_id=media.owner_id if media.owner_id == locked.owner_id else None,
    )
    _touch(locked)


@transaction.atomic
def remove_items(*, user: Visitor, collection: Collection, media_ids: Iterable[UUID]) -> int:
    """Take files out of `collection`; return how many.

    Whoever may not edit it takes out what is theirs: what they opened there they close again.
    Raises `ForbiddenError`.
    """
    ids = _distinct(media_ids)
    collection = _lock_row(collection)
    if not _owns_all(user, ids):
        _ensure_may_edit(user, collection)
    removed: int = _items(collection, ids).delete()[0]
    _touch(collection)
    return removed


@transaction.atomic
def move_items(
    *,
    user: Visitor,
    collection: Collection,
    media_ids: Sequence[UUID],
    before: UUID | None = None,
) -> None:
    """Put files of `collection` in this order before the file `before`, or at the end.

    Raises `ForbiddenError`, and `NotVisibleError` for a file that is not in it for `user`.
    """
    ids = _distinct(media_ids)
    if before in ids:
        raise BadRequestError(detail=_("A file cannot be put before itself."))
    collection = _lock(user, collection)
    seen = MediaFile.objects.filter(visible_to(user), pk__in=ids)
    items = {item.media_id: item for item in _items(collection, ids).filter(media__in=seen)}
    for pk in ids:
        if pk not in items:
            raise NotVisibleError(pk)
    positions = _make_room(user, collection, len(ids), before=before, moved=ids)
    for pk, position in zip(ids, positions, strict=True):
        items[pk].position = position
    CollectionItem.objects.bulk_update(items.values(), ["position"])
    _touch(collection)


@transaction.atomic
def step_item(*, user: Visitor, collection: Collection, media_id: UUID, later: bool) -> None:
    """Put a file one place earlier or later among those that `user` is shown; at the end, nothing.

    Raises `ForbiddenError`, `NotVisibleError`.
    """
    collection = _lock(user, collection)
    shown = CollectionItem.objects.filter(items_shown_to(user), collection=collection.pk)
    item = shown.filter(media=media_id).first()
    if item is None:
        raise NotVisibleError(media_id)
    if later:
        beyond = shown.filter(_after(item)).order_by("position", "pk")
        following = list(beyond.values_list("media", flat=True)[:2])
        if not following:
            return
        before = following[1] if len(following) > 1 else None
    else:
        ahead = shown.exclude(_after(item)).exclude(pk=item.pk).order_by("-position", "-pk")
        before = ahead.values_list("media", flat=True).first()
        if before is None:
            return
    move_items(user=user, collection=collection, media_ids=[media_id], before=before)


def _after(item: CollectionItem) -> Q:
    return Q(position__gt=item.position) | Q(position=item.position, pk__gt=item.pk)


def _distinct(media_ids: Iterable[UUID]) -> list[UUID]:
    ids = list(dict.fromkeys(media_ids))
    if len(ids) > MOST_AT_ONCE:
        raise BadRequestError(
            detail=_("At most %(most)s files at once."), values={"most": MOST_AT_ONCE}
        )
    return ids


def lock_visible(user: Visitor, ids: list[UUID]) -> dict[UUID, Any]:
    """The owners of these files, none of which can be removed until the transaction ends."""
    visible = MediaFile.objects.filter(visible_to(user), pk__in=ids, deleted_at=None)
    locked = visible.select_for_update(of=("self",), no_key=True).order_by("pk")
    owners = dict(locked.values_list("pk", "owner"))
    for pk in ids:
        if pk not in owners:
            raise NotVisibleError(pk)
    return owners


def _owns_all(user: Visitor, ids: list[UUID]) -> bool:
    own = MediaFile.objects.filter(pk__in=ids, owner=user.pk)
    return is_active(user) and own.count() == len(ids) > 0


def _lock(user: Visitor, collection: Collection) -> Collection:
    locked = _lock_row(collection)
    _ensure_may_edit(user, locked)
    return locked


def _lock_row(collection: Collection) -> Collection:
    rows = Collection.objects.select_for_update(of=("self",)).filter(pk=collection.pk)
    locked = rows.first()
    if locked is None:
        raise NotVisibleError(collection.pk)
    return locked


def _ensure_may_edit(user: Visitor, collection: Collection) -> None:
    if not can_access_collection(user, collection, Action.EDIT):
        raise ForbiddenError(collection.pk)


def _items(collection: Collection, ids: Iterable[UUID]) -> Any:
    return CollectionItem.objects.filter(collection=collection.pk, media__in=list(ids))


def _add_again(user: Visitor, collection: Collection, own: list[UUID]) -> None:
    """An owner who adds what somebody else had added opens it from now on."""
    _items(collection, own).exclude(added_by=user.pk).update(added_by=user.pk)


def _touch(collection: Collection) -> None:
    collection.save(update_fields=["updated_at"])


# -- positions ---------------------------------------------------------------------------------


def _make_room(
    user: Visitor,
    collection: Collection,
    count: int,
    *,
    before: UUID | None,
    moved: Sequence[UUID] = (),
) -> list[int]:
    """`count` free positions, ascending, before the file `before` or at the end.

    `moved` are files whose places do not count.
    """
    if count == 0:
        return []
    if before is None:
        last = _others(collection, moved).aggregate(last=Max("position"))["last"]
        start = GAP if last is None else last + GAP
        return [start + GAP * index for index in range(count)]
    found = _between(user, collection, count, before=before, moved=moved)
    if not found:
        _renumber(collection)
        found = _between(user, collection, count, before=before, moved=moved)
    return found


def _between(
    user: Visitor, collection: Collection, count: int, *, before: UUID, moved: Sequence[UUID]
) -> list[int]:
    """Positions spread over the gap before a file; none where it is too small."""
    seen = MediaFile.objects.filter(visible_to(user), pk=before)
    end = _items(collection, [before]).filter(media__in=seen).values_list("position", flat=True)
    if (stop := end.first()) is None:
        raise NotVisibleError(before)
    earlier = _others(collection, moved).filter(position__lt=stop)
    start = earlier.aggregate(last=Max("position"))["last"]
    if start is None:
        start = stop - GAP * (count + 1)
    step = (stop - start) // (count + 1)
    return [start + step * (index + 1) for index in range(count)] if step else []


def _others(collection: Collection, moved: Sequence[UUID]) -> Any:
    return CollectionItem.objects.filter(collection=collection.pk).exclude(media__in=list(moved))


def _renumber(collection: Collection) -> None:
    """Give all files of the collection positions far apart, in the order they have."""
    items = CollectionItem.objects.filter(collection=collection.pk).order_by("position", "pk")
    found = list(items.only("pk", "position"))
    for index, item in enumerate(found, start=1):
        item.position = index * GAP
    CollectionItem.objects.bulk_update(found, ["position"], batch_size=ROWS_AT_ONCE)
