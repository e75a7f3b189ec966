"""The tree of collections: who lies below whom, and how open each is for that.

`CollectionPlace` and `Collection.open_to` follow from `parent` and `visibility`. Whoever changes
those holds the lock of the whole tree (its root's row) and calls these functions in the same
transaction. Constraints refuse cycles and depths once more.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, Max, OuterRef, QuerySet, Value, When
from django.utils import timezone

from apps.media.exceptions import NotVisibleError, TooDeepError
from apps.media.models import Collection, CollectionPlace, Visibility
from apps.media.models.collection import MAX_LEVELS

ROWS_AT_ONCE = 1_000
# Collections that are just being removed and have nothing of others in them any more.
_lifted: ContextVar[frozenset[UUID]] = ContextVar("lifted", default=frozenset())


class _MovedError(Exception):
    """The tree became part of another one while its lock was waited for."""


def lock_trees(*collections: Collection) -> list[Collection]:
    """`collections` as they are now, with all the trees they are in locked until the transaction
    ends.

    Raises `NotVisibleError` when one was removed meanwhile.
    """
    ids = [collection.pk for collection in collections]
    while True:
        try:
            with transaction.atomic():  # leaving it by an error lets go of the wrong roots
                _lock_roots(ids)
                return _read_again(ids)
        except _MovedError:
            continue


def _lock_roots(ids: list[Any]) -> None:
    roots = _roots_of(ids)
    # Not their keys: rows of others that name them are checked when those commit, who may have
    # locked what this waits for.
    rows = Collection.objects.select_for_update(no_key=True)
    for root in sorted(roots):
        list(rows.filter(pk=root).values_list("pk", flat=True))
        # Whoever holds what is no root any more must not wait for the next: it may lie in that.
        if _roots_of(ids) != roots:
            raise _MovedError


def _roots_of(ids: list[Any]) -> set[Any]:
    above = CollectionPlace.objects.filter(descendant__in=ids, ancestor__parent=None)
    return set(above.values_list("ancestor", flat=True))


def _read_again(ids: list[Any]) -> list[Collection]:
    found = Collection.objects.in_bulk(ids)
    for pk in ids:
        if pk not in found:
            raise NotVisibleError(pk)
    return [found[pk] for pk in ids]


def below(collection: Collection) -> QuerySet[CollectionPlace, Any]:
    """Ids of `collection` and all that lies in it, however deep."""
    return CollectionPlace.objects.filter(ancestor=collection.pk).values("descendant")


def place_new(collection: Collection) -> None:
    """Give a collection that was just made its places. Raises `TooDeepError`."""
    CollectionPlace.objects.create(ancestor=collection, descendant=collection, depth=0)
    _hang(collection)


def replace_below(collection: Collection) -> None:
    """After `collection` got another parent: it and all below it lie there now.

    Raises `TooDeepError`.
    """
    inside = below(collection)
    outside = CollectionPlace.objects.filter(descendant__in=inside).exclude(ancestor__in=inside)
    outside.delete()
    _hang(collection)


def remove_tree(collection: Collection) -> int:
    """Remove `collection` and what its owner has in it, however much in as many statements; return
    how many went. What others have put into it lies in nothing then, private."""
    foreign = Collection.objects.filter(pk__in=below(collection)).exclude(owner=collection.owner_id)
    within = CollectionPlace.objects.filter(ancestor__in=foreign.values("pk"), depth__gt=0)
    _lift(foreign.exclude(pk__in=within.values("descendant")))
    gone = list(below(collection).values_list("descendant", flat=True))
    before = _lifted.set(frozenset(gone))
    try:
        Collection.objects.filter(pk__in=gone).delete()
    finally:
        _lifted.reset(before)
    return len(gone)


def lift_out_of(collection: Collection) -> None:
    """What others have put right into `collection`, which goes, lies in nothing then, private."""
    if collection.pk not in _lifted.get():
        foreign = Collection.objects.filter(parent=collection.pk)
        _lift(foreign.exclude(owner=collection.owner_id))


def _lift(rows: QuerySet[Collection]) -> None:
    """None of `rows` lies in another of them."""
    if not (ids := list(rows.values_list("pk", flat=True))):
        return
    Collection.objects.filter(pk__in=ids).update(
        parent=None, visibility=Visibility.PRIVATE, updated_at=timezone.now()
    )
    inside = CollectionPlace.objects.filter(ancestor__in=ids).values("descendant")
    outside = CollectionPlace.objects.filter(descendant__in=inside).exclude(ancestor__in=inside)
    outside.delete()
    Collection.objects.filter(pk__in=inside).update(open_to=narrowest())


def _hang(collection: Collection) -> None:
    """Put all of `collection` below everything above its parent."""
    if collection.parent_id is not None:
        above = list(
            CollectionPlace.objects.filter(descendant=collection.parent_id).values_list(
                "ancestor", "depth"
            )
        )
        _ensure_room(collection, above)
        places = CollectionPlace.objects.filter(ancestor=collection.pk)
        rows = (
            CollectionPlace(ancestor_id=ancestor, descendant_id=pk, depth=up + 1 + down)
            for pk, down in places.values_list("descendant", "depth")
            for ancestor, up in above
        )
        CollectionPlace.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    refresh_openness(collection)


def _ensure_room(collection: Collection, above: list[tuple[Any, int]]) -> None:
    places = CollectionPlace.objects.filter(ancestor=collection.pk)
    down = places.aggregate(deepest=Max("depth"))["deepest"] or 0
    if max(up for _, up in above) + 1 + down >= MAX_LEVELS:
        raise TooDeepError(collection.pk)


def refresh_openness(collection: Collection) -> None:
    """Make `open_to` of `collection` and all below it what follows from the path of each."""
    Collection.objects.filter(pk__in=below(collection)).update(open_to=narrowest())
    collection.open_to = Collection.objects.values_list("open_to", flat=True).get(pk=collection.pk)


def narrowest() -> Case:
    """What `open_to` has to be: the least open visibility along the path."""
    path = CollectionPlace.objects.filter(descendant=OuterRef("pk"))
    return Case(
        *(
            When(Exists(path.filter(ancestor__visibility=level)), then=Value(level.value))
            for level in (Visibility.PRIVATE, Visibility.UNLISTED)
        ),
        default=Value(Visibility.PUBLIC.value),
    )
