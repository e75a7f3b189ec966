"""Exports open in spreadsheets as what they are: text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from apps.core.spreadsheets import csv_lines, harmless


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_nothing_is_a_formula(start: str) -> None:
    assert harmless(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize(
    ("cell", "text"), [("plain", "plain"), (None, ""), (5, "5"), ("a=b", "a=b")]
)
def test_what_is_harmless_stays(cell: object, text: str) -> None:
    assert harmless(cell) == text


def test_readers_get_back_what_was_written() -> None:
    rows = [["a", 'say "hi"', "two\nlines"], ["ü", "a,b", ""]]
    text = "".join(csv_lines(rows))
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


def test_rows_are_taken_one_by_one() -> None:
    taken = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            taken.append(number)
            yield [number]

    lines = csv_lines(rows())
    assert next(lines) == "0\r\n"
    assert taken == [0]
