"""Commands that take hours: stopped cleanly, showing how far they are, gone on with later."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from apps.media.management.bulk import progress_bar

SAVE_SECONDS = 2.0  # between two savings of a bookmark
TELL_SECONDS = 30.0  # between two lines where no terminal shows a bar


class Stopped(BaseException):  # not an error: whoever runs the command ended it
    """SIGINT or SIGTERM came."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, SIGINT and SIGTERM raise `Stopped`; a transaction that is open is rolled back."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Bookmark:
    """How far a walk along the keys of storages came, in a file if one is given.

    It is written every few seconds, at once in place of the one before: a killed run costs those.
    Raises OSError, ValueError or TypeError for a file that cannot be one.
    """

    def __init__(self, path: Path | None, *, after: str = "") -> None:
        kept: dict[str, Any] = {}
        if path is not None and path.exists():
            kept = dict(json.loads(path.read_text()))
        self._path, self._saved = path, time.monotonic()
        self.storage: str = kept.get("storage", "")
        self.after: str = kept.get("after", after)
        self.found: int = kept.get("found", 0)
        self.fixed: int = kept.get("fixed", 0)
        self.save()  # what cannot be written is known at once, and not hours later

    def begin(self, storage: str) -> None:
        """Everything in the storages before this one is done; in itself, what was done before."""
        if self.storage not in {"", storage}:
            self.after = ""
        self.storage = storage

    def turn_to(self, storage: str, key: str) -> None:
        """Everything up to `key` is done."""
        self.storage, self.after = storage, key
        if self._path and time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        if self._path is None:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        names = ("storage", "after", "found", "fixed")
        new.write_text(json.dumps({name: getattr(self, name) for name in names}))
        new.replace(self._path)
        self._saved = time.monotonic()

    def drop(self) -> None:
        """The walk has come to its end."""
        if self._path:
            self._path.unlink(missing_ok=True)

    @property
    def advice(self) -> str:
        """How to go on."""
        if self._path:
            return f"The same command goes on (--state {self._path})."
        if not self.storage:
            return "Nothing was done."
        return f"Go on with --storage {self.storage}" + (
            f" --after {self.after}" * bool(self.after)
        )


class Counted:
    """A bar on a terminal; elsewhere a line on the error output now and then."""

    def __init__(self, output: Any, what: str, total: int) -> None:
        self._output, self._what, self._total = output, what, total
        self._bar = progress_bar()
        self._done, self._told = 0, time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        self._task = self._bar.add_task(self._what, total=self._total)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, count: int = 1) -> None:
        self._done += count
        if not self._bar.disable:
            self._bar.advance(self._task, count)
        elif self._is_time():
            self._output.write(f"{self._what}: {self._done} of about {self._total}")

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self._told < TELL_SECONDS:
            return False
        self._told = now
        return True
