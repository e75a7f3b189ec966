"""A file that grows over many requests."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from apps.core.errors import ObjectMissingError
from apps.core.metrics import measured
from apps.core.storage.base import COPY_BYTES
from apps.core.storage.growing import State
from apps.core.storage.local_files import (
    FILE_MODE,
    DiskSync,
    local_errors,
    make_directories,
    sync_directory,
)

_COPY_BYTES = 64 * 1024 * 1024
_NO_KERNEL_COPY = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


@measured("local")
class LocalAppender:
    """Appends in place. What lies beyond the size it is opened with was never acknowledged.

    Cuts that off when it is opened and never later: whoever lost the lock meanwhile holds on to
    the same file as its successor, wherever that has been moved.
    """

    state: State = {}  # the file itself says everything

    def __init__(
        self, key: str, path: Path, *, size: int, open_object: Callable[[str], BinaryIO]
    ) -> None:
        self._key = key
        self._path = path
        self._open_object = open_object
        self.size = size
        self._sync = DiskSync(size)
        with local_errors(key):
            self._descriptor = self._open()

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if self._descriptor < 0:
            raise ValueError("The appender is closed.")
        rest = memoryview(data).cast("B")
        length = len(rest)
        with local_errors(self._key):
            while rest:
                written = os.pwrite(self._descriptor, rest, self.size)
                self.size += written
                rest = rest[written:]
            self._sync.maybe_begin(self._descriptor, self.size)
        return length

    def take_file(self, path: Path) -> int:
        with local_errors(self._key):
            facts = path.lstat()
            if self.size == 0 and self._may_become_ours(facts):
                self._replace_with(path)
            else:
                with path.open("rb") as source:
                    self._copy(source, facts.st_size)
                path.unlink()
        return facts.st_size

    def append_object(self, key: str) -> int:
        with self._open_object(key) as source, local_errors(self._key):
            length = os.fstat(source.fileno()).st_size
            self._copy(source, length)
        return length

    def checkpoint(self) -> int:
        size = self.size
        with local_errors(self._key):
            self._sync.finish(self._descriptor, size)
        return size

    def close(self) -> int:
        if self._descriptor < 0:
            return self.size
        size = self.checkpoint()
        self._release()
        return size

    def abort(self) -> None:
        self._release()

    def withdraw(self) -> None:
        """There is one file, and no more of it counts than was acknowledged."""

    def _open(self) -> int:
        make_directories(self._path.parent)
        is_new = self.size == 0 and not self._path.exists()
        descriptor = os.open(self._path, _FLAGS | (os.O_CREAT if is_new else 0), FILE_MODE)
        if os.fstat(descriptor).st_size < self.size:
            os.close(descriptor)
            raise ObjectMissingError(self._key, "shorter than was acknowledged")
        os.ftruncate(descriptor, self.size)
        if is_new:
            sync_directory(self._path.parent)
        return descriptor

    def _may_become_ours(self, facts: os.stat_result) -> bool:
        """Whoever owns a file may change it: another's is copied."""
        here = self._path.parent.stat().st_dev
        return facts.st_dev == here and facts.st_uid == os.geteuid() and facts.st_nlink == 1

    def _replace_with(self, path: Path) -> None:
        path.chmod(FILE_MODE)
        path.replace(self._path)
        sync_directory(self._path.parent)
        os.close(self._descriptor)
        self._descriptor = os.open(self._path, _FLAGS, FILE_MODE)
        self.size = os.fstat(self._descriptor).st_size

    def _copy(self, source: BinaryIO, length: int) -> None:
        start, end = self.size, self.size + length
        while self.size < end:
            copied = self._copy_some(source, self.size - start, end - self.size)
            if not copied:
                raise ObjectMissingError(self._key, "the source ends early")
            self.size += copied
            self._sync.maybe_begin(self._descriptor, self.size)

    def _copy_some(self, source: BinaryIO, position: int, most: int) -> int:
        """Inside the kernel, which shares the blocks where the file system can."""
        number, count = source.fileno(), min(most, _COPY_BYTES)
        try:
            return os.copy_file_range(number, self._descriptor, count, position, self.size)
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
        data = os.pread(number, min(count, COPY_BYTES), position)
        return os.pwrite(self._descriptor, data, self.size)

    def _release(self) -> None:
        self._sync.release()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
