"""Files of one directory: how they are made, synced and their errors told. Knows no keys."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from apps.core.errors import ObjectMissingError, StorageFullError, StorageUnavailableError
from apps.core.metrics import measured
from apps.core.storage.base import ClosingWriter

_SYNC_BYTES = 32 * 1024 * 1024
_DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR})


@contextlib.contextmanager
def local_errors(key: str) -> Iterator[None]:
    """Turn what the file system says about `key` into our errors. FileExistsError passes."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(key) from error
        if error.errno in _MISSING:
            raise ObjectMissingError(key) from error
        raise StorageUnavailableError(key, error.errno) from error


class DiskSync:
    """Has the disk begin on what has arrived while more is coming, so that the last sync is short.

    Sizes are those of a file that only grows, from `size` bytes that are durable.
    """

    def __init__(self, size: int = 0) -> None:
        self._synced = size
        self._running: Future[None] | None = None
        self._pool: ThreadPoolExecutor | None = None

    def maybe_begin(self, descriptor: int, size: int) -> None:
        """Sync aside once much has come, one sync at a time."""
        if size - self._synced < _SYNC_BYTES or (self._running and not self._running.done()):
            return
        self.wait()
        self._pool = self._pool or ThreadPoolExecutor(max_workers=1)
        self._running = self._pool.submit(os.fdatasync, descriptor)
        self._synced = size

    def finish(self, descriptor: int, size: int) -> None:
        """Make all of `size` bytes durable."""
        self.wait()
        if size > self._synced:
            os.fdatasync(descriptor)
        self._synced = size

    def wait(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.result()  # an error of the disk is ours

    def release(self) -> None:
        """The descriptor is about to be closed."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


@measured("local")
class LocalWriter(ClosingWriter):
    """A new file, created exclusively; it counts as stored once file and directory are synced."""

    def __init__(self, key: str, path: Path) -> None:
        self._key = key
        self._path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with local_errors(key):
            make_directories(path.parent)
            self._descriptor: int | None = os.open(path, flags, FILE_MODE)
        self._size = 0
        self._sync = DiskSync()

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if self._descriptor is None:
            raise ValueError("The writer is closed.")
        rest = memoryview(data).cast("B")
        size = len(rest)
        with local_errors(self._key):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            self._size += size
            self._sync.maybe_begin(self._descriptor, self._size)
        return size

    def close(self) -> None:
        if self._descriptor is None:
            return
        with local_errors(self._key):
            self._sync.wait()
            os.fsync(self._descriptor)
            self._release()
            sync_directory(self._path.parent)

    def abort(self) -> None:
        if self._descriptor is None:
            return
        with local_errors(self._key):
            self._release()
            self._path.unlink(missing_ok=True)

    def _release(self) -> None:
        self._sync.release()
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def make_directories(folder: Path) -> None:
    """Create `folder` and its parents, private and durable (`makedirs` sets only the last mode)."""
    if folder.is_dir():
        return
    make_directories(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(_DIRECTORY_MODE)
    sync_directory(folder.parent)


def sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
