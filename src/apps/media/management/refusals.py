"""What a command could not take: all counted, the first ones kept for a table."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

SHOWN = 200  # rows of the table; the counts are of all


class Refusals:
    """`harmless` are codes that are told, but nobody's failure."""

    def __init__(self, *, harmless: frozenset[str] = frozenset()) -> None:
        self._harmless = harmless
        self._counts: Counter[str] = Counter()
        self._shown: list[tuple[str, str, str]] = []

    @property
    def failed(self) -> int:
        return sum(n for code, n in self._counts.items() if code not in self._harmless)

    @property
    def left_out(self) -> int:
        return self._counts.total() - self.failed

    def add(self, name: str, code: str, reason: str) -> None:
        self._counts[code] += 1
        if len(self._shown) < SHOWN:
            self._shown.append((name, code, reason))

    def show(self, console: Console, *, what: str = "file") -> None:
        if not self._shown:
            return
        table = Table(*(Column(name, overflow="fold") for name in (what, "code", "reason")))
        for name, code, reason in self._shown:
            table.add_row(Text(_printable(name)), code, reason)
        console.print(table)
        if (more := self._counts.total() - len(self._shown)) > 0:
            counts = ", ".join(f"{code}: {count}" for code, count in self._counts.most_common())
            console.print(f"and {more} more; in all {counts}")


def _printable(name: str) -> str:
    """Names of files may hold anything, also what a terminal would obey."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
