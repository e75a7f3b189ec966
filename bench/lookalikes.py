"""Benchmark of comparing a picture with all others of its owner: `bench/run lookalikes`.

What a worker does for each picture that arrives: among a tenth of the pictures, then among all; the
ratio of the two is the figure. Every picture that differs in few bits has to be found. It makes and
drops a database of its own, on PostgreSQL if DATABASE_URL names one, else on SQLite.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import report
from databases import own_database

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/benchmarks/lookalikes.md"
HEADING = "One picture compared with a hundred thousand others"
NAME = "media_bench_lookalikes"


def main() -> int:
    arguments = _arguments()
    with _database():
        sys.path.insert(0, str(ROOT / "src"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        django.setup()
        looking = importlib.import_module("looking")  # which wants all that first
        table, verdicts, plan = looking.measure(arguments.rows, arguments.rounds)
    plan = re.sub(r"\{[^}]*\}", "{…}", plan)  # 137 values
    report.show([table], verdicts)
    sys.stdout.write(f"{plan}\n")
    if arguments.write:
        report.write(PAGE, heading=HEADING, tables=[table], verdicts=verdicts)
        with PAGE.open("a") as page:
            page.write(f"\n## Plan\n\n```\n{plan}\n```\n")
    return 1 if arguments.strict and not all(each.reached for each in verdicts) else 0


@contextmanager
def _database() -> Iterator[None]:
    address = os.environ.get("DATABASE_URL", "")
    if address.startswith("postgres"):
        with own_database(address, NAME):
            yield
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        yield


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="keep the page in docs/benchmarks")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
