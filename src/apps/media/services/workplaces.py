"""Private directories for work on one file, and the removal of those whose worker was killed.

A directory belongs to whoever holds the lock on it, and a lock ends with its process, whatever way
that ends. So what can be locked is abandoned: no times are guessed, other workers of the same
machine are safe.

What had to come over the network is kept beside them for a while under a name of its own, since the
jobs of one file come one after another.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apps.core.storage import Capability
from apps.media.conf import options
from apps.media.models import MediaVersion
from apps.media.services.jobs import Claim
from apps.media.storage import store_of

PREFIX = "job-"
FETCHED_PREFIX = "fetched-"
KEPT_SECONDS = 600  # since the last job that wanted the same bytes began


@contextmanager
def workplace(parent: Path) -> Iterator[Path]:
    """A fresh, empty directory below `parent`, for this process alone; it vanishes afterwards."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(parent):  # nobody may clear the new directory before it is locked
        _clear_abandoned(parent)
        _clear_fetched(parent)
        directory = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
        lock = _lock(directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _clear_abandoned(parent: Path) -> None:
    for directory in parent.glob(f"{PREFIX}*"):
        # In use, or just removed by its owner.
        with suppress(BlockingIOError, FileNotFoundError, NotADirectoryError):
            lock = _lock(directory, wait=False)
            shutil.rmtree(directory, ignore_errors=True)
            os.close(lock)


@contextmanager
def private_copy(version: MediaVersion, claim: Claim) -> Iterator[tuple[Path, Path]]:
    """The version's bytes as a local file, and an empty directory; both vanish afterwards."""
    with workplace(options().work_dir) as directory:
        source, out_dir = directory / "source", directory / "out"
        out_dir.mkdir(mode=0o700)
        claim.wait_for(lambda: _fetch(version, source))
        yield source, out_dir


def _fetch(version: MediaVersion, source: Path) -> None:
    store = store_of(version.storage)
    if Capability.LOCAL in store.capabilities:
        store.fetch(version.key, source)
        return
    digest = hashlib.sha256(f"{version.storage}:{version.key}".encode()).hexdigest()
    kept = options().work_dir / f"{FETCHED_PREFIX}{digest[:32]}"
    try:
        os.link(kept, source)
        os.utime(kept)
    except FileNotFoundError:
        store.fetch(version.key, source)
        with suppress(FileExistsError):  # another job was as quick
            os.link(source, kept)


def _clear_fetched(parent: Path) -> None:
    """A file that is in use has a second name; removing the first one harms nobody."""
    old = time.time() - KEPT_SECONDS
    for path in parent.glob(f"{FETCHED_PREFIX}*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            if status.st_mtime < old and status.st_nlink == 1:
                path.unlink()


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    lock = _lock(directory)
    try:
        yield
    finally:
        os.close(lock)


def _lock(directory: Path, *, wait: bool = True) -> int:
    """The descriptor of the locked directory; closing it unlocks. Raises `BlockingIOError`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
