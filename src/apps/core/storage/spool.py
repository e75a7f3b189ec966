"""Parts of a growing object on their way to a server: kept on disk, sent while more arrive.

Slow clients are many, so a part that fills up costs a temporary file and no memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, Protocol, Self, TypeVar

from apps.core.storage.base import COPY_BYTES, ByteIterator, Readable
from apps.core.storage.local_files import local_errors, make_directories

_IN_FLIGHT = 3  # parts of one object
_PART_BYTES = 8 * 1024 * 1024  # above the 5 MiB minimum of S3
_PARTS_PER_STEP = 1000  # of the 10 000 of S3: growing parts take one object to 440 GB

Receipt = TypeVar("Receipt")


def part_size(number: int) -> int:
    """How many bytes part `number`, counted from 1, shall have."""
    return _PART_BYTES * (1 + (number - 1) // _PARTS_PER_STEP)


class Spool:
    """The bytes of one part in a file without a name, gone with the process at the latest."""

    def __init__(self, folder: str | None) -> None:
        """`folder` holds the file and is made if need be; None leaves the choice to `tempfile`."""
        if folder is not None:
            make_directories(Path(folder))
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._digest = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    @property
    def md5(self) -> bytes:
        """The digest that servers compare with what they received."""
        return self._digest.digest()

    def reader(self) -> BinaryIO:
        """The file at its beginning; it stays the spool's."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class PartSender(Generic[Receipt]):
    """Sends parts on threads of its own, a few at once, and tells their receipts in order."""

    def __init__(self, send: Callable[[int, Spool], Receipt]) -> None:
        """`send` takes the part's number and bytes; it runs on another thread."""
        self._send = send
        self._parts: deque[Future[Receipt]] = deque()
        self._arrived: list[Receipt] = []
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, number: int, part: Spool) -> None:
        """Start sending `part`, which is the sender's from now on; wait for a free place first."""
        self._collect()  # a part that failed ends the whole
        running = [found for found in self._parts if not found.done()]
        if len(running) >= _IN_FLIGHT:
            wait(running, return_when=FIRST_COMPLETED)
        self._pool = self._pool or ThreadPoolExecutor(max_workers=_IN_FLIGHT)
        self._parts.append(self._pool.submit(self._send_and_close, number, part))

    def arrived(self) -> list[Receipt]:
        """Receipts not told yet, up to the first part still on its way. Raises what sending did."""
        self._collect()
        arrived, self._arrived = self._arrived, []
        return arrived

    def wait(self) -> list[Receipt]:
        """All receipts not told yet, once every part has arrived."""
        wait(self._parts)
        return self.arrived()

    def close(self) -> None:
        """Start nothing more and let what is being sent end; errors are told to nobody."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)
        self._parts.clear()

    def _collect(self) -> None:
        while self._parts and self._parts[0].done():
            self._arrived.append(self._parts[0].result())
            self._parts.popleft()

    def _send_and_close(self, number: int, part: Spool) -> Receipt:
        with part:
            return self._send(number, part)


class AppendSource(Protocol):
    """What an appender needs of its store to read other objects."""

    def read_range(self, key: str, start: int, length: int, *, chunk_size: int) -> ByteIterator: ...
    def size_of(self, key: str) -> int: ...


class SpooledAppender(Generic[Receipt]):
    """The half of an `Appender` that cuts a stream into parts; how they are kept is the other's.

    `_number` is that of the part being filled.
    """

    def __init__(self, key: str, *, size: int, number: int, folder: str | None) -> None:
        self._key = key
        self._folder = folder
        self._start = self.size = size
        self._number = number
        self._spool: Spool | None = None
        self._sender: PartSender[Receipt] = PartSender(self._send)
        self._open = True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if not self._open:
            raise ValueError("The appender is closed.")
        rest = memoryview(data).cast("B")
        length = len(rest)
        while rest:
            rest = rest[self._fill(rest) :]
        return length

    def take_file(self, path: Path) -> int:
        length = 0
        with local_errors(self._key), path.open("rb") as source:
            length = self._pump(source)
        path.unlink()
        return length

    def checkpoint(self) -> int:
        """Only parts that have arrived anyway become durable; nothing is waited for."""
        raise NotImplementedError

    def close(self) -> int:
        if self._open:
            self._keep()
            self._release()
        return self.size

    def abort(self) -> None:
        self._release()

    def withdraw(self) -> None:
        """For stores where a state names nothing of its own."""

    def _send(self, number: int, part: Spool) -> Receipt:
        """Send a part, on another thread."""
        raise NotImplementedError

    def _keep(self) -> None:
        """Make everything durable and change `state`."""
        raise NotImplementedError

    def _fill(self, data: memoryview) -> int:
        """Put the beginning of `data` into the open part; returns how many bytes that was."""
        with local_errors(self._key):
            spool = self._spool = self._spool or Spool(self._folder)
            count = min(len(data), part_size(self._number) - spool.size)
            spool.write(data[:count])
        self.size += count
        if spool.size >= part_size(self._number):
            self._submit()
        return count

    def _submit(self) -> None:
        spool, self._spool = self._spool, None
        if spool is not None:
            self._sender.submit(self._number, spool)
            self._number += 1

    def _pump(self, source: Readable) -> int:
        length = 0
        while data := source.read(COPY_BYTES):
            length += self.write(data)
        return length

    def _stream(self, source: AppendSource, key: str, start: int, length: int) -> int:
        """Append a range of another object through this process; returns its length."""
        copied = 0
        with contextlib.closing(
            source.read_range(key, start, length, chunk_size=COPY_BYTES)
        ) as pieces:
            for piece in pieces:
                copied += self.write(piece)
        return copied

    def _release(self) -> None:
        self._open = False
        self._sender.close()
        spool, self._spool = self._spool, None
        if spool is not None:
            spool.close()
