"""The interface every store implements, and the parts its implementations share.

No Django, no vendor library. A store never holds a whole object in memory, never overwrites an
existing key, and raises only the storage errors of `apps.core.errors`, `FileExistsError` for a key
that is taken, and `ValueError` for a key that is none.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, runtime_checkable

from apps.core.errors import AppError

CHUNK_BYTES = 256 * 1024  # one piece on its way to a client
COPY_BYTES = 1024 * 1024  # one piece between a file and a store

logger = logging.getLogger(__name__)


class Capability(enum.StrEnum):
    """What a store can do beyond the interface. A store announces only what it implements."""

    LOCAL = "local"  # objects are files of this machine: `fetch` is a hard link
    PRESIGNED_GET = "presigned_get"  # a `PresigningStore`
    SERVER_COPY = "server_copy"  # `promote` copies on the server
    APPEND = "append"  # an `AppendingStore`: objects grow over many requests
    PRESIGNED_PARTS = "presigned_parts"  # a `DirectStore`: clients send parts without us
    UNFINISHED = "unfinished"  # an `UnfinishedStore`: lists what was begun and never finished


@dataclass(frozen=True)
class StoredObject:
    """One object found by `walk`. `size` in bytes, `modified` aware."""

    key: str
    size: int
    modified: datetime


class Writer(Protocol):
    """A new object on its way in. As a context manager it closes, or aborts on an exception."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take all of `data`; returns its length in bytes."""

    def close(self) -> None:
        """Make the object durable and visible. FileExistsError if the key was taken meanwhile."""

    def abort(self) -> None:
        """Leave nothing behind. Harmless after `close` or a second time."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ByteIterator(Protocol):
    """Pieces of bytes that somebody must close, read to the end or not."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __next__(self) -> bytes: ...
    def close(self) -> None: ...


@runtime_checkable
class ObjectStore(Protocol):
    """Immutable objects under random keys."""

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def writer(self, key: str) -> Writer:
        """Start a new object. FileExistsError at once or on `close` if the key is taken."""

    def open_object(self, key: str) -> BinaryIO:
        """A seekable, buffered reader. ObjectMissingError if there is no such object."""

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> ByteIterator:
        """At most `length` bytes from `start`, in pieces; fewer only where the object ends.

        The object is opened before this returns, so ObjectMissingError comes now, not later.
        """

    def size_of(self, key: str) -> int:
        """Size in bytes. ObjectMissingError if there is no such object."""

    def exists(self, name: str) -> bool: ...

    def promote(self, source: str, target: str) -> None:
        """Move an object to a new key without passing its bytes through this process.

        Repeating it is harmless: when `source` is gone and `target` is there, it is done.
        FileExistsError if `target` is another object.
        """

    def put_file(self, key: str, path: Path) -> None:
        """Store a copy of a local file as a new object."""

    def fetch(self, key: str, path: Path) -> None:
        """Give a local file `path`, which must not exist, the bytes of an object.

        Only for reading: on a local store it is the object itself under a second name.
        """

    def remove(self, key: str) -> None:
        """Delete an object; a missing one is fine."""

    def walk(self, prefix: str = "", *, after: str = "") -> Iterator[StoredObject]:
        """All objects whose key starts with `prefix` and comes behind `after`, in byte order of
        their keys, as a stream. What lies there under a name that is no key is not ours, and left
        out."""


@runtime_checkable
class PresigningStore(ObjectStore, Protocol):
    """A store with `Capability.PRESIGNED_GET`."""

    def presigned_get(
        self, key: str, *, expires_in: int, content_type: str, content_disposition: str
    ) -> str:
        """A URL that gives the object to whoever holds it, for `expires_in` seconds."""


class Readable(Protocol):
    """The two methods that a stream of bytes needs."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class BoundedReader:
    """Iterates over at most `length` bytes of an open source and owns that source.

    A class and not a generator: a generator that was never started does not run its `finally`,
    and a client that leaves before the first byte would leak the source.
    """

    def __init__(
        self,
        source: Readable,
        *,
        length: int,
        chunk_size: int,
        guard: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`guard` gives a context that turns the source's errors into ours."""
        self._source = source
        self._left = length
        self._chunk_size = chunk_size
        self._guard = guard

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data = self._read() if self._left > 0 else b""
        if not data:
            self.close()
            raise StopIteration
        self._left -= len(data)
        return data

    def _read(self) -> bytes:
        with self._guard():
            return self._source.read(min(self._chunk_size, self._left))

    def close(self) -> None:
        """Give the source back; reading afterwards gives nothing."""
        self._left = 0
        self._source.close()


class ClosingWriter:
    """The context manager half of a `Writer`: close on success, abort on any failure."""

    def close(self) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._close_or_abort()
        else:
            self._abort_quietly()

    def _close_or_abort(self) -> None:
        try:
            self.close()
        except BaseException:
            self._abort_quietly()
            raise

    def _abort_quietly(self) -> None:
        # The first error tells the story; a store that is away must not replace it.
        try:
            self.abort()
        except AppError:
            logger.warning("storage.abort_failed", exc_info=True)


def copy_into(writer: Writer, source: Readable) -> None:
    """Pump `source` to its end into `writer`, which stays open."""
    while data := source.read(COPY_BYTES):
        writer.write(data)


def write_pieces(path: Path, pieces: ByteIterator) -> int:
    """Write `pieces` into the new file `path`; returns the bytes written.

    A failure leaves no file. OSError is the caller's to translate.
    """
    written = 0
    with path.open("xb") as target:
        try:
            for piece in pieces:
                written += target.write(piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            pieces.close()
    return written
