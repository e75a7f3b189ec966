"""Pages of a list by keyset: page 1000 costs what page 1 costs (no OFFSET).

A cursor names the last row seen by its sort value and id. It is opaque to clients and carries no
rights: whoever forges one sees another page of what they may see anyway.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # in no text of a database


class CursorError(ValueError):
    """The cursor was not made by us or belongs to another ordering."""


@dataclass(frozen=True)
class Ordering:
    """A sort by `field`, ties broken by id in the same direction. `field` must not be null."""

    field: str
    descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Ordering:
        return cls(field=text.removeprefix("-"), descending=text.startswith("-"))

    def position(self, row: Model) -> tuple[Any, Any]:
        return None if self.field == "pk" else getattr(row, self.field), row.pk

    def columns(self, *, reverse: bool) -> list[str]:
        sign = "-" if self.descending != reverse else ""
        return list(dict.fromkeys([f"{sign}{self.field}", f"{sign}pk"]))

    def after(self, position: tuple[Any, Any], *, reverse: bool, itself: bool = False) -> Q:
        """Rows beyond `position` (sort value, id) in this direction, or also the one at it."""
        value, pk = position
        side = "lt" if self.descending != reverse else "gt"
        own_side = f"{side}e" if itself else side
        if self.field == "pk":
            return Q(**{f"pk__{own_side}": pk})
        tie = Q(**{self.field: value, f"pk__{own_side}": pk})
        # The redundant first bound lets the database start in the index.
        return Q(**{f"{self.field}__{side}e": value}) & (
            Q(**{f"{self.field}__{side}": value}) | tie
        )


@dataclass(frozen=True)
class Page(Generic[M]):
    """One page; `next` and `previous` are cursors or None at the ends."""

    items: list[M]
    next: str | None
    previous: str | None


def read_page(
    rows: QuerySet[M],
    *,
    ordering: Ordering,
    size: int,
    cursor: str | None = None,
    either: Sequence[Q] | None = None,
) -> Page[M]:
    """Return the page of `rows` at `cursor`; raises `CursorError`.

    `either`: conditions of which a row must fulfil one, so that an empty list lists nothing. They
    are looked for one by one, since a database finds the first rows of each along an index, but for
    all of them together reads on until it has met enough. It costs a query more for each, and as
    little however many rows there are.
    """
    backward, position = _decode(cursor, ordering) if cursor else (False, None)
    if position is not None:
        rows = _filter(rows, ordering.after(position, reverse=backward))
    found = _first_at(rows.order_by(*ordering.columns(reverse=backward)), size + 1, either)
    more, items = len(found) > size, found[:size]
    if backward:
        items.reverse()
    has_next, has_previous = (True, more) if backward else (more, position is not None)
    return Page(
        items=items,
        next=_encode(items[-1], ordering, backward=False) if has_next and items else None,
        previous=_encode(items[0], ordering, backward=True) if has_previous and items else None,
    )


def read_neighbours(
    rows: QuerySet[M], *, ordering: Ordering, row: Model
) -> tuple[M | None, M | None]:
    """What stands right before and right after `row` in this ordering: two rows along an index.

    `row` itself need not be among `rows` any more.
    """
    position = ordering.position(row)
    before, after = (
        rows.filter(ordering.after(position, reverse=reverse))
        .order_by(*ordering.columns(reverse=reverse))
        .first()
        for reverse in (True, False)
    )
    return before, after


def rows_between(rows: QuerySet[M], *, ordering: Ordering, ends: Collection[Any]) -> QuerySet[M]:
    """Those of `rows` from one of two of them, whose ids are `ends` in any order, to the other.

    None where one of the two is not among them (any more).
    """
    found = list(rows.filter(pk__in=ends).order_by(*ordering.columns(reverse=False)))
    if not found or len(found) != len(set(ends)):
        return rows.none()
    first, last = (ordering.position(row) for row in (found[0], found[-1]))
    return rows.filter(
        ordering.after(first, reverse=False, itself=True),
        ordering.after(last, reverse=True, itself=True),
    )


def _first_at(rows: QuerySet[M], count: int, either: Sequence[Q] | None) -> list[M]:
    """The first of `rows`, behind a cursor whose time may be one that is none in UTC."""
    try:
        return _first(rows, count, either)
    except OverflowError as error:
        raise CursorError from error


def _first(rows: QuerySet[M], count: int, either: Sequence[Q] | None) -> list[M]:
    if either is None:
        return list(rows[:count])
    if len(either) == 1:
        return list(rows.filter(*either)[:count])
    first_of_each = (rows.filter(way).values_list("pk", flat=True)[:count] for way in either)
    return list(rows.filter(pk__in={pk for ids in first_of_each for pk in ids})[:count])


def _filter(rows: QuerySet[M], condition: Q) -> QuerySet[M]:
    try:
        return rows.filter(condition)
    except (ValidationError, ValueError, TypeError) as error:
        raise CursorError from error


def cursor_after(ordering: Ordering, *, value: Any, pk: Any) -> str:
    """The cursor of the page that follows a row, whose sort `value` and id these are."""
    return _cursor(ordering, value, pk, backward=False)


def _encode(row: Model, ordering: Ordering, *, backward: bool) -> str:
    value, pk = ordering.position(row)
    return _cursor(ordering, value, pk, backward=backward)


def _cursor(ordering: Ordering, value: Any, pk: Any, *, backward: bool) -> str:
    if isinstance(value, datetime):
        value = value.isoformat()
    plain = json.dumps([ordering.field, ordering.descending, backward, value, str(pk)])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _decode(cursor: str, ordering: Ordering) -> tuple[bool, tuple[Any, str]]:
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        field, descending, backward, value, pk = json.loads(plain)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise CursorError from error
    if (field, descending) != (ordering.field, ordering.descending):
        raise CursorError
    if not isinstance(backward, bool) or not isinstance(pk, str):
        raise CursorError
    if value is not None and not isinstance(value, str | int):
        raise CursorError
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise CursorError
    return backward, (value, pk)
