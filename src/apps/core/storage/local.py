"""Objects as files of one directory, durable when a writer's `close` returns.

`LocalStore.path` is the one place of the project that turns a key into a path of the file system.
Do not build such a path anywhere else, and do not call it outside this module.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.core.files.storage import FileSystemStorage

from apps.core.errors import ObjectMissingError
from apps.core.metrics import measured
from apps.core.storage.base import (
    CHUNK_BYTES,
    BoundedReader,
    Capability,
    StoredObject,
    copy_into,
    write_pieces,
)
from apps.core.storage.growing import State
from apps.core.storage.keys import check_key, check_prefix, is_key
from apps.core.storage.local_appender import LocalAppender
from apps.core.storage.local_files import (
    LocalWriter,
    local_errors,
    make_directories,
    sync_directory,
)
from apps.core.storage.names import NamedByKeys

_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS})


@measured("local")
class LocalStore(NamedByKeys, FileSystemStorage):
    """An `ObjectStore` on one file system; also a Django storage for model fields."""

    capabilities = frozenset({Capability.LOCAL, Capability.APPEND})

    def path(self, name: str) -> str:
        """The file of a key. The only such function: every access passes `check_key` here."""
        return super().path(check_key(name))

    def writer(self, key: str) -> LocalWriter:
        return LocalWriter(key, self._file(key))

    def appender(self, key: str, *, size: int, state: State) -> LocalAppender:
        return LocalAppender(key, self._file(key), size=size, open_object=self.open_object)

    def seal(self, key: str, *, size: int, state: State) -> None:
        """An appended file is whole as it lies, but for bytes that nobody was told are safe."""
        self.appender(key, size=size, state=state).close()

    def discard(self, key: str, *, state: State) -> None:
        self.remove(key)

    def open_object(self, key: str) -> BinaryIO:
        with local_errors(key):
            return self._file(key).open("rb")

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> BoundedReader:
        with local_errors(key):
            source = self._file(key).open("rb", buffering=0)
            source.seek(start)
        return BoundedReader(
            source, length=length, chunk_size=chunk_size, guard=lambda: local_errors(key)
        )

    def size_of(self, key: str) -> int:
        with local_errors(key):
            return self._file(key).stat().st_size

    def exists(self, name: str) -> bool:
        return self._file(name).is_file()

    def promote(self, source: str, target: str) -> None:
        origin, goal = self._file(source), self._file(target)
        try:
            self._move(origin, goal, key=source)
        except ObjectMissingError:
            if not goal.is_file():
                raise

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as source, self.writer(key) as writer:
            copy_into(writer, source)

    def fetch(self, key: str, path: Path) -> None:
        with local_errors(key):
            try:
                os.link(self._file(key), path, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                write_pieces(path, self.read_range(key, 0, self.size_of(key)))

    def remove(self, key: str) -> None:
        with local_errors(key), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._file(key).unlink()

    def walk(self, prefix: str = "", *, after: str = "") -> Iterator[StoredObject]:
        """Memory is bounded by the largest single directory, not by the number of objects."""
        folder = check_prefix(prefix).rpartition("/")[0]
        root = Path(self.location)
        with local_errors(prefix):
            yield from _walk(root / folder, f"{folder}/" if folder else "", prefix, after)

    def _file(self, key: str) -> Path:
        return Path(self.path(key))

    def _move(self, origin: Path, goal: Path, *, key: str) -> None:
        with local_errors(key):
            make_directories(goal.parent)
            move_without_overwriting(origin, goal)
            sync_directory(goal.parent)
            sync_directory(origin.parent)


def move_without_overwriting(origin: Path, goal: Path) -> None:
    """Give a file another name. FileExistsError if that is taken by another file."""
    # rename() replaces an existing target silently, link() refuses; so link, then drop the source.
    try:
        os.link(origin, goal, follow_symlinks=False)
    except FileExistsError:
        # Either we were interrupted between the two steps, or the key belongs to somebody else.
        if not origin.samefile(goal):
            raise
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _rename_where_free(origin, goal)
        return
    origin.unlink(missing_ok=True)


def _rename_where_free(origin: Path, goal: Path) -> None:
    """For file systems without hard links; the check is not atomic, random keys make up for it."""
    if goal.exists() and origin.exists():  # without its source, the move has already happened
        raise FileExistsError(errno.EEXIST, "The key is taken", goal.name)
    origin.rename(goal)


def _walk(folder: Path, key_prefix: str, wanted: str, after: str) -> Iterator[StoredObject]:
    for order, entry in _entries(folder):
        key = key_prefix + order
        if (key <= after and not after.startswith(key)) or not is_key(key.removesuffix("/")):
            continue
        if order.endswith("/"):
            if key.startswith(wanted) or wanted.startswith(key):
                yield from _walk(folder / entry.name, key, wanted, after)
        elif (
            key.startswith(wanted) and key > after and (found := _describe(key, entry)) is not None
        ):
            yield found


def _entries(folder: Path) -> list[tuple[str, os.DirEntry[str]]]:
    # A directory sorts as "name/", which is how its objects sort among their neighbours on S3.
    try:
        with os.scandir(folder) as found:
            return sorted(
                (
                    (entry.name + ("/" if entry.is_dir(follow_symlinks=False) else ""), entry)
                    for entry in found
                ),
                key=lambda pair: pair[0],
            )
    except (FileNotFoundError, NotADirectoryError):
        return []


def _describe(key: str, entry: os.DirEntry[str]) -> StoredObject | None:
    """None for what is no regular file, or was removed since the directory was read."""
    try:
        if not entry.is_file(follow_symlinks=False):
            return None
        facts = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return StoredObject(key, facts.st_size, datetime.fromtimestamp(facts.st_mtime, tz=UTC))
