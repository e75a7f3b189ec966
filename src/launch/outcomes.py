"""Shows how files fare: a progress bar for each while it is under way, then one table of all.

On a terminal the bars move; elsewhere each file gets a plain line when it is done, and one at every
quarter of work that lasts.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

# A bar's scale: the first half is the upload, the second half the processing.
UPLOADED, DONE = 50, 100
PLAIN_WIDTH = 120
PLAIN_STEP = 25  # percent of processing between two plain lines
STYLES = {"ready": "green", "refused": "red", "failed": "red", "quarantined": "red"}


@dataclass(frozen=True)
class Outcome:
    """What became of one file. `size` in bytes, `seconds` from the first byte to the end."""

    status: str
    code: str = ""
    name: str = ""
    mime_type: str = ""
    size: int = 0
    renditions: int = 0
    seconds: float = 0

    @property
    def is_ready(self) -> bool:
        """Whether the file was accepted and processed to the end."""
        return self.status == "ready"

    def of(self, file: Path, *, seconds: float) -> Outcome:
        """Return this outcome with the name of `file`, its size and its time."""
        size = self.size or (file.stat().st_size if file.exists() else 0)
        return replace(self, name=file.name, size=size, seconds=seconds)

    @property
    def verdict(self) -> str:
        """The status, with the code that explains it where there is one."""
        return f"{self.status}: {self.code}" if self.code else self.status


class Meter:
    """The progress of several files, told from several threads."""

    def __init__(self, console: Console, files: list[Path]) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks = {
            file: self._progress.add_task(file.name[:40], total=DONE, state="waits", start=False)
            for file in files
        }
        self._told = dict.fromkeys(files, 0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def open(self, file: Path) -> Measured:
        """Return `file` opened for reading; what is read moves its bar."""
        self._progress.start_task(self._tasks[file])
        return Measured(file, self)

    def uploading(self, file: Path, fraction: float) -> None:
        """Show that `fraction` (0 to 1) of the file is sent."""
        self._progress.update(self._tasks[file], completed=UPLOADED * fraction, state="uploads")

    def processing(self, file: Path, percent: int) -> None:
        """Show that the server has done `percent` (0 to 100) of its work."""
        completed = UPLOADED + (DONE - UPLOADED) * percent / 100
        state = f"is processed, {percent} %" if percent else "is processed"
        self._progress.update(self._tasks[file], completed=completed, state=state)
        if percent - self._told[file] >= PLAIN_STEP and percent < DONE:
            self._told[file] = percent - percent % PLAIN_STEP
            self._say(f"{file.name}: {percent} % processed")

    def finish(self, file: Path, outcome: Outcome) -> None:
        """Show what became of the file."""
        self._progress.update(self._tasks[file], completed=DONE, state=outcome.verdict)
        self._say(f"{outcome.name}: {outcome.verdict} after {outcome.seconds:.1f} s")

    def _say(self, line: str) -> None:
        """Print a plain line where no bars are shown."""
        if self._progress.disable:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Measured(io.BufferedReader):
    """A file that tells a meter how much of it was read."""

    def __init__(self, file: Path, meter: Meter) -> None:
        super().__init__(io.FileIO(file))
        self._size = max(1, file.stat().st_size)
        self._path, self._meter = file, meter

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes."""
        piece = super().read(size)
        self._meter.uploading(self._path, self.tell() / self._size)
        return piece


def show_outcomes(outcomes: list[Outcome], console: Console) -> None:
    """Print one row for each file, and how many became ready."""
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH, file=console.file)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("name", "type"):
        table.add_column(heading, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("status", overflow="fold")
    table.add_column("renditions", justify="right")
    table.add_column("seconds", justify="right")
    for outcome in outcomes:
        table.add_row(*cells(outcome), style=STYLES.get(outcome.status))
    console.print(table)
    ready = sum(outcome.is_ready for outcome in outcomes)
    console.print(f"{ready} of {len(outcomes)} ready", highlight=False)


def cells(outcome: Outcome) -> tuple[str, ...]:
    """Return the row of one file; its name may come from anywhere and is shown as it is."""
    return (
        outcome.name.replace("[", r"\["),
        outcome.mime_type or "-",
        decimal(outcome.size),
        outcome.verdict,
        str(outcome.renditions),
        f"{outcome.seconds:.1f}",
    )
