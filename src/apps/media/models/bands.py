"""Likenesses in four parts, so that an index finds those that differ in few bits.

Of two likenesses that differ in at most ten of their 64 bits, at least one of four quarters differs
in at most two: whoever looks for each of the 137 values that are so near to each of the quarters
misses none (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations

from django.db.models import CharField, Func, Index

BANDS = 4
_DIGITS = 4  # hex digits of a quarter
_BITS = 16


def band(number: int) -> Func:
    """A quarter of the likeness, from 0; the numbers stand in the SQL, as an index needs them."""
    start = number * _DIGITS + 1
    template = f"SUBSTR(%(expressions)s, {start}, {_DIGITS})"
    return Func("likeness", template=template, output_field=CharField())


def band_indexes() -> Iterator[Index]:
    """Of all files: from a partial index PostgreSQL takes no statistics, and would not use it."""
    for number in range(BANDS):
        yield Index("owner", band(number), name=f"media_like_{number}")


def near_bands(likeness: str, *, distance: int) -> list[list[str]]:
    """Of each quarter all values of which one is in every likeness within `distance` bits."""
    starts = range(0, BANDS * _DIGITS, _DIGITS)
    quarters = (int(likeness[start : start + _DIGITS], 16) for start in starts)
    flips = _flips(distance // BANDS)
    return [[f"{quarter ^ flip:04x}" for flip in flips] for quarter in quarters]


def _flips(most: int) -> list[int]:
    """Numbers of which at most so many bits are set."""
    places = [1 << place for place in range(_BITS)]
    chosen = chain.from_iterable(combinations(places, count) for count in range(most + 1))
    return [sum(bits) for bits in chosen]
