"""Benchmark of the list endpoint: `bench/run lists`.

One person who sees ten thousand files among a million, by every way there is: their own, granted to
them, granted to groups, in collections that were granted, used by objects they may see, public.
Page 1 and page 1000 of `GET media/` are asked for in turn, through the whole application in this
process; then the plans of PostgreSQL are printed. It needs PostgreSQL (DATABASE_URL) and makes and
drops a database of its own there.
"""

from __future__ import annotations

import argparse
import importlib
import sys

import benchmark
import project

HEADING = "The list of a person who sees ten thousand files among a million"


def main() -> int:
    chosen = _options()
    address = project.postgresql()
    line = benchmark.circumstances("django", others=[project.postgresql_version(address)])
    with project.own_project("lists", address):
        listing = importlib.import_module("listing")  # has models, which want all that first
        found = listing.measure(chosen.rows, chosen.rounds)
    print(found.appendix)
    return benchmark.conclude("lists", f"{HEADING}\n\n{line}", found, chosen)


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
