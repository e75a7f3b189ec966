"""Where one running copy of the project keeps its files: everything below `DATA_DIR`.

One copy at a time: the lock is held by an open file, so that it ends with the last process that
holds it, whatever way that process ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from launch.errors import TakenError

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Place:
    """The directories of one running copy."""

    data: Path

    @property
    def run(self) -> Path:
        """Lock, process ids and sockets; worthless after a stop."""
        return self.data / "run"

    @property
    def counts(self) -> Path:
        """What the processes count for `/metrics`: a file for each that ever was."""
        return self.run / "metrics"

    @property
    def log(self) -> Path:
        """What the processes print."""
        return self.data / "log"

    @property
    def broker(self) -> Path:
        """The embedded broker's append-only file."""
        return self.data / "broker"

    @property
    def samples(self) -> Path:
        """Generated sample files."""
        return self.data / "samples"

    def make(self) -> None:
        """Create the directories for their owner only."""
        for directory in (self.data, self.run, self.log, self.broker):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def show(self, path: Path) -> str:
        """Return `path` as a person would type it from the repository root."""
        return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def read_secret(place: Place) -> str:
    """Return this copy's signing secret, made at the first call and readable by its owner only."""
    path = place.data / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64))
    return path.read_text(encoding="ascii")


def take(place: Place) -> TextIO:
    """Return the open lock file of `place`; raise `TakenError` while another copy holds it."""
    file = (place.run / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with file:
            file.seek(0)
            process, _, address = file.read().strip().partition(" ")
        raise TakenError(address, process) from None
    publish(file, os.getpid())
    return file


def publish(lock: TextIO, process: int, address: str = "") -> None:
    """Write whom to stop, and its URL once it answers, for whoever finds the place taken."""
    lock.truncate(0)
    lock.write(f"{process} {address}")
    lock.flush()
