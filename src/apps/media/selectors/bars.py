"""Amounts over time as bars, put together of kinds: what came by media type, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

Row = tuple[date, str, int, int]  # the time that it belongs to, the kind, a count, an amount


@dataclass(frozen=True)
class Band:
    """One kind of a bar; `start` and `height` are percent of the highest bar, from the ground."""

    kind: str
    start: float
    height: float


@dataclass(frozen=True)
class Bar:
    """The time that begins with `first`: so many things, together of so much, in percent of the
    highest bar, and that by kinds."""

    first: date
    count: int
    amount: int
    height: float
    bands: list[Band]


@dataclass(frozen=True)
class Plot:
    """Bars beside each other; `most` is the amount of the highest."""

    bars: list[Bar]
    most: int


def stack_bars(times: Sequence[date], rows: Iterable[Row], *, kinds: Sequence[str]) -> Plot:
    """A bar for each of `times`, those without a row too; its bands in the order of `kinds`."""
    found: dict[date, dict[str, tuple[int, int]]] = {time: {} for time in times}
    for time, kind, count, amount in rows:
        if time in found:
            found[time][kind] = (count, amount)
    most = max((_amount(parts) for parts in found.values()), default=0)
    bars = [_bar(time, parts, most=most, kinds=kinds) for time, parts in found.items()]
    return Plot(bars, most)


def _amount(parts: dict[str, tuple[int, int]]) -> int:
    return sum(amount for _, amount in parts.values())


def _bar(time: date, parts: dict[str, tuple[int, int]], *, most: int, kinds: Sequence[str]) -> Bar:
    there = [kind for kind in kinds if kind in parts]
    heights = [100 * parts[kind][1] / most if most else 0 for kind in there]
    starts = [0, *accumulate(heights)]
    return Bar(
        first=time,
        count=sum(count for count, _ in parts.values()),
        amount=_amount(parts),
        height=starts[-1],
        bands=[Band(*band) for band in zip(there, starts, heights, strict=False)],
    )
