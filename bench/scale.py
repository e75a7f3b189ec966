"""Benchmark of growth: `bench/run scale`.

The same questions and the same work with 10 000, 100 000, 1 000 000 and 10 000 000 files: what one
person asks must cost about the same however much others have. Everybody has a thousand files; one
in a hundred is public, one in a hundred in the trash. Costs are milliseconds and, as machines are
busy, the blocks of 8 KiB that PostgreSQL touches, which do not depend on that. It needs PostgreSQL
(DATABASE_URL), where it makes and drops a database of its own: about 40 GB for ten million.
"""

from __future__ import annotations

import argparse
import importlib
import sys

import benchmark
import project

HEADING = "Growth: from ten thousand files to ten million"
SIZES = [10_000, 100_000, 1_000_000, 10_000_000]


def main() -> int:
    chosen = _options()
    address = project.postgresql()
    line = benchmark.circumstances("django", others=[project.postgresql_version(address)])
    with project.own_project("scale", address):
        growth = importlib.import_module("growth")  # imports models, which want all that first
        found = growth.measure(sorted(chosen.rows), chosen.rounds)
    return benchmark.conclude("scale", f"{HEADING}\n\n{line}", found, chosen)


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
