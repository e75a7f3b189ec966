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
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django
import report
from databases import own_database

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/benchmarks/scale.md"
HEADING = "Growth: from ten thousand files to ten million"
NAME = "media_bench_scale"
SIZES = [10_000, 100_000, 1_000_000, 10_000_000]


def main() -> int:
    arguments = _arguments()
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        sys.stderr.write("bench/run scale needs PostgreSQL: set DATABASE_URL\n")
        return 2
    place = Path(tempfile.mkdtemp(prefix="media-bench-"))
    os.environ |= {"DATA_DIR": str(place), "MEDIA_STORAGE_URL": f"file://{place / 'media'}"}
    sys.path.insert(0, str(ROOT / "src"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    try:
        with own_database(address, NAME):
            django.setup()
            growth = importlib.import_module("growth")  # imports models, which want all that first
            tables, verdicts = growth.measure(sorted(arguments.rows), arguments.rounds)
    finally:
        shutil.rmtree(place)
    report.show(tables, verdicts)
    if arguments.write:
        report.write(PAGE, heading=HEADING, tables=tables, verdicts=verdicts)
    return 1 if arguments.strict and not all(each.reached for each in verdicts) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="keep the page in docs/benchmarks")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
