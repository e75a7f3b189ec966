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

from apps.core.storage import Capability, ObjectStore
from apps.media.conf import options
from apps.media.models import MediaVersion
from apps.media.processing import sandbox
from apps.media.services.jobs import Claim
from apps.media.storage import store_of

PREFIX = "job-"
FETCHED_PREFIX = "fetched-"
COPIED_PIECE = 1024 * 1024  # bytes
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
        lend(claim, version.storage, version.key, source, keep=True)
        yield source, out_dir


def lend(claim: Claim, storage: str, key: str, path: Path, *, keep: bool = False) -> None:
    """Give the new file `path` the bytes of an object, for a child that only reads them.

    On a local storage it is the object itself under a second name; `keep` has what came over the
    network serve the next jobs as well. Where a child cannot be kept from writing to its source,
    it is a copy for this job alone.
    """
    store = store_of(storage)
    if not sandbox.protects_sources():
        claim.wait_for(lambda: _copy(store, key, path))
    elif keep and Capability.LOCAL not in store.capabilities:
        claim.wait_for(lambda: _fetch_once(store, key, path, kept=_kept(storage, key)))
    else:
        claim.wait_for(lambda: store.fetch(key, path))


def _copy(store: ObjectStore, key: str, path: Path) -> None:
    with store.open_object(key) as source, path.open("xb") as target:
        shutil.copyfileobj(source, target, COPIED_PIECE)


def _fetch_once(store: ObjectStore, key: str, path: Path, *, kept: Path) -> None:
    try:
        os.link(kept, path)
        os.utime(kept)
    except FileNotFoundError:
        store.fetch(key, path)
        with suppress(FileExistsError):  # another job was as quick
            os.link(path, kept)


def _kept(storage: str, key: str) -> Path:
    digest = hashlib.sha256(f"{storage}:{key}".encode()).hexdigest()
    return options().work_dir / f"{FETCHED_PREFIX}{digest[:32]}"


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
