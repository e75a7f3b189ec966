"""Rows as CSV for people's spreadsheets: streamed, and never taken for formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

# What makes a cell a formula, or lets one begin in it (OWASP, "CSV Injection").
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), one for each row, as they are asked for."""
    writer = csv.writer(_Passing())
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: object) -> str:
    """`cell` as a text that no spreadsheet computes: an apostrophe goes before what would be."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_STARTS) else text


class _Passing:
    """A file of which each written line is the result of writing it."""

    def write(self, line: str) -> str:
        return line
