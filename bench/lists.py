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
import os
import sys
from pathlib import Path

import django
import report
from databases import own_database

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/benchmarks/lists.md"
HEADING = "The list of a person who sees ten thousand files among a million"
NAME = "media_bench_lists"


def main() -> int:
    arguments = _arguments()
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        sys.stderr.write("bench/run lists needs PostgreSQL: set DATABASE_URL\n")
        return 2
    with own_database(address, NAME):
        sys.path.insert(0, str(ROOT / "src"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        django.setup()
        listing = importlib.import_module("listing")  # has models, which want all that first
        tables, verdicts, plans = listing.measure(arguments.rows, arguments.rounds)
    report.show(tables, verdicts)
    sys.stdout.write(f"{plans}\n")
    if arguments.write:
        report.write(PAGE, heading=HEADING, tables=tables, verdicts=verdicts)
        with PAGE.open("a") as page:
            page.write(f"\n## Plans of page 1, by way of seeing\n\n```\n{plans}\n```\n")
    return 1 if arguments.strict and not all(each.reached for each in verdicts) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--write", action="store_true", help="keep the page in docs/benchmarks")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
