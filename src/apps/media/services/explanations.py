"""What the database says of stored objects: every key that a row explains, in byte order.

A key may be explained by several rows, such as a version and the tombstone of its deletion.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Model, Q, QuerySet

from apps.core.byteorder import ByBytes, BytesBehind, BytesFrom
from apps.media.models import Caption, MediaVersion, Rendition, Tombstone, Upload
from apps.media.storage import known_aliases, names_of

PAGE_ROWS = 500  # of more, PostgreSQL may think that reading and sorting all is cheaper


@dataclass(frozen=True)
class Explanation:
    """One row and what it says of the object at `key`. `size` in bytes is None where there may be
    no object, or any."""

    key: str
    model: type[Model]
    pk: Any
    size: int | None = None

    @property
    def is_owed(self) -> bool:
        """Whether the object has to be there."""
        return self.size is not None


@dataclass(frozen=True)
class Source:
    """The rows of one model that name a key in one field."""

    rows: QuerySet[Any]
    field: str
    owed: bool = False

    def of(self, alias: str) -> QuerySet[Any]:
        return self.rows.filter(storage__in=names_of(alias)).exclude(**{self.field: ""})

    def stream(self, alias: str, after: str) -> Iterator[Explanation]:
        """Page by page along an index: a walk of hours holds no snapshot, and begins anywhere."""
        columns = ["pk", self.field, *(["size"] if self.owed else [])]
        page = list(self.page(alias, after).values_list(*columns)[:PAGE_ROWS])
        while page:
            for pk, key, *size in page:
                yield Explanation(key, self.rows.model, pk, *size)
            rest = self.page(alias, key, pk)
            page = list(rest.values_list(*columns)[:PAGE_ROWS])

    def page(self, alias: str, after: str, pk: Any = None) -> QuerySet[Any]:
        """The rows behind a key by its bytes; with `pk`, behind that one of the rows of the key."""
        rows = self.of(alias).order_by(ByBytes(F(self.field)), "pk")
        behind = BytesBehind(F(self.field), after)
        if pk is not None:
            # The first bound lets the database start in the index.
            return rows.filter(BytesFrom(F(self.field), after), Q(behind) | Q(pk__gt=pk))
        return rows.filter(behind) if after else rows


def sources() -> list[Source]:
    """Everything that names keys."""
    unfinished = Upload.objects.exclude(state=Upload.State.COMPLETED)
    return [
        Source(MediaVersion.objects.all(), "key", owed=True),
        Source(Rendition.objects.all(), "key", owed=True),
        Source(Caption.objects.all(), "key", owed=True),
        Source(Rendition.objects.all(), "next_key"),
        Source(unfinished, "key"),
        Source(unfinished, "final_key"),
        Source(Tombstone.objects.all(), "key"),
    ]


def explanations(alias: str, *, after: str = "") -> Iterator[Explanation]:
    """Everything that rows say of objects of the storage `alias` behind the key `after`, along the
    keys; a few rows of each table are in memory at a time."""
    streams = [source.stream(alias, after) for source in sources()]
    return heapq.merge(*streams, key=lambda found: found.key)


def is_explained(alias: str, *keys: str) -> bool:
    """Whether a row says something of one of these objects at this moment."""
    named = [(source.of(alias), f"{source.field}__in") for source in sources()]
    return any(rows.filter(**{field: keys}).exists() for rows, field in named)


def owed_keys(alias: str, keys: Collection[str]) -> set[str]:
    """Those of `keys` whose object has to be there, as a row says at this moment."""
    return {
        key
        for source in sources()
        if source.owed
        for key in source.of(alias)
        .filter(**{f"{source.field}__in": keys})
        .values_list(source.field, flat=True)
    }


def rows_of_key(alias: str, key: str) -> Iterator[Explanation]:
    """The rows that say something of that object at this moment."""
    for source in sources():
        for pk in source.of(alias).filter(**{source.field: key}).values_list("pk", flat=True):
            yield Explanation(key, source.rows.model, pk)


def is_still_owed(alias: str, found: Explanation) -> bool:
    """Whether the row still says that the object is there."""
    return any(
        source.of(alias).filter(pk=found.pk, **{source.field: found.key}).exists()
        for source in sources()
        if source.owed and source.rows.model is found.model
    )


def count_explanations(alias: str, *, after: str = "") -> int:
    """About how many objects there are behind the key `after`."""
    return sum(source.page(alias, after).count() for source in sources() if source.owed)


def aliases_in_use() -> set[str]:
    """The storages that any row names."""
    return {
        alias
        for source in sources()
        for alias in source.rows.order_by().values_list("storage", flat=True).distinct()
    }


def aliases_left() -> list[str]:
    """Those of them that the settings do not know: nothing there can be read or removed."""
    return sorted(aliases_in_use() - set(known_aliases()))


def count_owed(alias: str) -> int:
    """How many rows say that an object is there."""
    return sum(source.of(alias).count() for source in sources() if source.owed)


def is_owed(alias: str, *, objects: int) -> bool:
    """Whether rows say that at least so many objects are there."""
    found = (source.of(alias)[:objects].count() for source in sources() if source.owed)
    return sum(found) >= objects
