"""Tables and verdicts as data, and the two ways they are shown: on the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable


@dataclass(frozen=True, slots=True)
class Table:
    """The first column is words, the others are numbers; `note` says how to read them."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that was to be reached, and whether it was."""

    words: str
    reached: bool

    @property
    def mark(self) -> str:
        return "met" if self.reached else "MISSED"


def show(tables: Iterable[Table], verdicts: Iterable[Verdict]) -> None:
    console = Console(width=118)
    for table in tables:
        shown = RichTable(title=table.title, caption=table.note or None)
        for number, heading in enumerate(table.headings):
            shown.add_column(heading, justify="right" if number else "left")
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown, highlight=False)
    for verdict in verdicts:
        console.print(f"{verdict.mark:<7} {verdict.words}", highlight=False)


def write(path: Path, *, heading: str, tables: Iterable[Table], verdicts: list[Verdict]) -> None:
    """The same as Markdown, under `heading` (its first line is the title)."""
    targets = Table(
        "Targets", ("target", "result"), tuple((each.words, each.mark) for each in verdicts)
    )
    parts = [f"# {heading}", *(_markdown(table) for table in (*tables, targets))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n")


def _markdown(table: Table) -> str:
    lines = [f"## {table.title}", ""]
    lines += [_line(table.headings), _line(("---", *["---:"] * (len(table.headings) - 1)))]
    lines += [_line(row) for row in table.rows]
    return "\n".join([*lines, "", table.note] if table.note else lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
