"""A seekable view of an object that lies on a server."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

from apps.core.storage.base import ByteIterator

_WINDOW_BYTES = 8 * 1024 * 1024  # one request of a sequential reader
_REQUEST_BYTES = 4 * 1024 * 1024  # in memory, where a server's library streams nothing
_READ_AHEAD_BYTES = 256 * 1024


def seekable(fetch: Callable[[int, int], ByteIterator], *, size: int) -> BinaryIO:
    """A buffered reader of an object of `size` bytes; `fetch(start, length)` streams a part."""
    return io.BufferedReader(RawReader(fetch, size), _READ_AHEAD_BYTES)


class Windows:
    """A range of an object, fetched by one request after another, the first of them at once."""

    def __init__(self, fetch: Callable[[int, int], bytes], *, start: int, length: int) -> None:
        """`fetch(start, length)` gives fewer bytes only where the object ends."""
        self._fetch = fetch
        self._next = start
        self._left = max(length, 0)
        self._rest = memoryview(b"")
        self._more()

    def read(self, size: int, /) -> bytes:
        if not self._rest:
            self._more()
        data = bytes(self._rest[:size])
        self._rest = self._rest[size:]
        return data

    def close(self) -> None:
        self._left, self._rest = 0, memoryview(b"")

    def _more(self) -> None:
        if self._left == 0:
            return
        wanted = min(self._left, _REQUEST_BYTES)
        data = self._fetch(self._next, wanted)
        self._rest = memoryview(data)
        self._next += len(data)
        self._left = self._left - wanted if len(data) == wanted else 0


class RawReader(io.RawIOBase):
    """A seekable view of one object that fetches windows of it as they are read."""

    def __init__(self, fetch: Callable[[int, int], ByteIterator], size: int) -> None:
        """`fetch(start, length)` streams a part; `size` is the object's, in bytes."""
        self._fetch = fetch
        self._size = size
        self._position = 0
        self._window: ByteIterator | None = None
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("Negative position")
        if base + offset != self._position:
            self._drop_window()
            self._position = base + offset
        return self._position

    def readinto(self, target: Any, /) -> int:
        goal = memoryview(target).cast("B")
        if not self._rest and not self._next_piece():
            return 0
        count = min(len(goal), len(self._rest))
        goal[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._position += count
        return count

    def close(self) -> None:
        self._drop_window()
        super().close()

    def _next_piece(self) -> bool:
        """Have unread bytes at the position; False at the end of the object."""
        while self._position < self._size:
            if self._window is None:
                self._window = self._fetch(self._position, _WINDOW_BYTES)
            piece = next(iter(self._window), b"")
            if piece:
                self._rest = memoryview(piece)
                return True
            self._window = None
        return False

    def _drop_window(self) -> None:
        window, self._window, self._rest = self._window, None, memoryview(b"")
        if window is not None:
            window.close()
