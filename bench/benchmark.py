"""How every benchmark begins and ends: its options, under what it ran, what it leaves.

Each leaves its tables on the terminal and, where they are asked for, as a page (`--markdown`) and
as figures to be compared (`--json`, see `figures`).
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import figures
import report
from figures import Figure
from report import Table, Verdict

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Found:
    """What a benchmark has found; `appendix` ends its page, as Markdown."""

    tables: Sequence[Table]
    verdicts: Sequence[Verdict]
    figures: Sequence[Figure] = field(default=())
    appendix: str = ""


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser of what every benchmark understands, for its own to be added."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--markdown", type=Path, help="write the page there; a folder names it")
    parser.add_argument("--json", type=Path, help="put the figures there, for `bench/run compare`")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target is missed")
    return parser


def conclude(name: str, heading: str, found: Found, chosen: argparse.Namespace) -> int:
    """Show and keep what was found; the exit status. The first line of `heading` is the title."""
    tables = [*found.tables, *_spreads(found.figures)]
    print(heading, flush=True)
    report.show(tables, found.verdicts)
    if chosen.markdown:
        path = chosen.markdown / f"{name}.md" if chosen.markdown.is_dir() else chosen.markdown
        report.write(path, heading=heading, tables=tables, verdicts=list(found.verdicts))
        with path.open("a") as page:
            page.write(found.appendix)
    if chosen.json:
        figures.keep(chosen.json, name, list(found.figures))
    return int(chosen.strict and not all(each.reached for each in found.verdicts))


def _spreads(found: Sequence[Figure]) -> Iterator[Table]:
    """What rounds differed in, where there were several."""
    rows = tuple(
        (each.name, f"{each.median:.3g}", *(f"{end:.3g}" for end in each.spread))
        for each in found
        if len(each.samples) > 1
    )
    if rows:
        headings = ("figure", "median", "least", "most")
        yield Table("Spread", headings, rows, "Of the rounds; what `--json` keeps of them.")


def circumstances(*packages: str, others: Sequence[str] = ()) -> str:
    """One line: the day, the machine and what else it does, and versions: of Python, of installed
    `packages`, and `others` as they are told."""
    today = datetime.datetime.now(datetime.UTC).date()
    busy = f"{os.cpu_count()} cores with {os.getloadavg()[1]:.1f} processes at work on them before"
    versions = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    python = f"Python {platform.python_version()}"
    return f"{today}, {busy}; {', '.join([python, *versions, *others])}."
