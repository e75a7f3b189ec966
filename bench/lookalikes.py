"""Benchmark of comparing a picture with all others of its owner: `bench/run lookalikes`.

What a worker does for each picture that arrives: among a tenth of the pictures, then among all; the
ratio of the two is the figure. Every picture that differs in few bits has to be found. It makes and
drops a database of its own, on PostgreSQL if DATABASE_URL names one, else on SQLite.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import benchmark
import project

HEADING = "One picture compared with a hundred thousand others"


def main() -> int:
    chosen = _options()
    line = benchmark.circumstances("django")
    with _project():
        looking = importlib.import_module("looking")  # which wants all that first
        found = looking.measure(chosen.rows, chosen.rounds)
    print(found.appendix)
    return benchmark.conclude("lookalikes", f"{HEADING}\n\n{line}", found, chosen)


@contextmanager
def _project() -> Iterator[None]:
    address = os.environ.get("DATABASE_URL", "")
    if address.startswith("postgres"):
        with project.own_project("lookalikes", address):
            yield
        return
    with tempfile.TemporaryDirectory() as folder:
        project.set_up(DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3", DATA_DIR=folder)
        yield


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
