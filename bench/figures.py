"""What benchmarks leave in a file to be compared later, and the comparison: `bench/run compare`.

A figure is one number of a benchmark as each of its rounds gave it; where there is somebody to
compare with, it is the ratio to them in the same round, which a busy machine changes least. One
file holds the figures of any number of benchmarks by their names.

    bench/run compare OLD NEW

shows what has changed by more than the rounds differ among themselves, and ends with 1 when
something of it is worse.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

LEAST_CHANGE = 0.1  # of the old figure, beyond the spread: what one round alone may differ by

Better = Literal["less", "more"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit in its `name`, as each round gave it, and which way is `better`."""

    name: str
    samples: tuple[float, ...]
    better: Better = "less"

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the most of the rounds."""
        return min(self.samples), max(self.samples)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that is another now; `worse` says whether in the wrong direction."""

    benchmark: str
    old: Figure
    new: Figure
    worse: bool

    def __str__(self) -> str:
        ratio = f"× {self.new.median / self.old.median:.2f}" if self.old.median else "was nothing"
        mark, what = "WORSE" if self.worse else "better", f"{self.benchmark}: {self.new.name}"
        return f"{mark:<7}{what}: {_told(self.old)} → {_told(self.new)}, {ratio}"


def keep(path: Path, benchmark: str, figures: list[Figure]) -> None:
    """Put the figures of one benchmark into the file, beside those of others."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept[benchmark] = [asdict(figure) for figure in figures]
    path.write_text(json.dumps(kept, indent=1) + "\n")


def load(path: Path) -> dict[str, dict[str, Figure]]:
    """The figures of each benchmark by their names."""
    return {
        benchmark: {
            row["name"]: Figure(row["name"], tuple(row["samples"]), row["better"]) for row in rows
        }
        for benchmark, rows in json.loads(path.read_text()).items()
    }


def changes(
    old: dict[str, dict[str, Figure]], new: dict[str, dict[str, Figure]]
) -> Iterator[Change]:
    """What both have and differs by more than its rounds do."""
    for benchmark, figures in new.items():
        for name, figure in figures.items():
            before = old.get(benchmark, {}).get(name)
            if before and _differ(before, figure):
                grown = figure.median > before.median
                yield Change(benchmark, before, figure, worse=grown == (before.better == "less"))


def missing(old: dict[str, dict[str, Figure]], new: dict[str, dict[str, Figure]]) -> Iterator[str]:
    """Figures that are gone from a benchmark which was run again: nobody watches over them now."""
    for benchmark in old.keys() & new.keys():
        yield from (
            f"{benchmark}: {name}" for name in old[benchmark].keys() - new[benchmark].keys()
        )


def _differ(old: Figure, new: Figure) -> bool:
    """Whether the rounds of both are apart, and by more than `LEAST_CHANGE`."""
    lower, higher = sorted((old.spread, new.spread))
    return higher[0] - lower[1] > LEAST_CHANGE * abs(old.median)


def _told(figure: Figure) -> str:
    low, high = figure.spread
    return f"{figure.median:.3g} ({low:.3g} to {high:.3g})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    chosen = parser.parse_args()
    old, new = load(chosen.old), load(chosen.new)
    found, gone = list(changes(old, new)), sorted(missing(old, new))
    for line in [*map(str, found), *(f"GONE   {name}" for name in gone)]:
        print(line)
    compared = sum(len(old[name].keys() & new[name].keys()) for name in old.keys() & new.keys())
    print(f"{compared} figures compared, {len(found)} changed by more than their rounds differ.")
    return int(bool(gone) or any(change.worse for change in found))


if __name__ == "__main__":
    sys.exit(main())
