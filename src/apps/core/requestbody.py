"""The raw body of a request, piece by piece as it comes over the line, never as a whole.

Django's own reading waits for as many bytes as were asked for and knows no bodies in chunks. From
gunicorn's socket this one takes what has arrived, and no more copies of it than one are made
(measured: 1.4 times as fast). Where there is no such socket it adapts to the line: large reads on a
fast one, so that few calls are made; small ones on a slow one, so that bytes are passed on soon.
"""

from __future__ import annotations

import contextlib
import io
import socket
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

_SMALLEST, _FIRST, _LARGEST = 4 * 1024, 64 * 1024, 1024 * 1024
Application: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]
_DISCARDED = 32 * 1024  # bytes: some more are what gunicorn discards for the next request's sake
_QUICK, _SLOW = 0.05, 0.5  # seconds for one read


class UnknownLengthError(ValueError):
    """The body has no length and the server cannot tell where it ends (RFC 9112 §6.3)."""


class RequestBody:
    """Iterates over the pieces of a body; afterwards `is_whole` says if its end was reached.

    A piece is good until the next is asked for.
    """

    def __init__(self, environ: Mapping[str, Any]) -> None:
        """`environ` is that of WSGI (`request.META`). Raises `UnknownLengthError`."""
        self._stream = environ["wsgi.input"]
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._line = None if self._socket is None else _Line.of(self._socket, self._stream)
        self.length = _declared_length(environ)
        self.received = 0
        self.is_whole = self.length == 0
        self._broken = False

    def __iter__(self) -> Iterator[bytes | memoryview]:
        pieces = self._read_all() if self._line is None else self._line.pieces()
        for piece in pieces:
            self.received += len(piece)
            self.is_whole = self.received == self.length
            yield piece
            if self.is_whole:
                return
        self.is_whole = self.is_whole or (self.length is None and not self._broken)

    def interrupt(self) -> None:
        """End a read that waits for bytes, from another thread; the answer can still be sent."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RD)

    def _read_all(self) -> Iterator[bytes]:
        size, started = _FIRST, time.monotonic()
        while piece := self._read(size):
            size = _adapted(size, time.monotonic() - started)
            yield piece
            started = time.monotonic()

    def _read(self, size: int) -> bytes:
        if self.length is not None:
            size = min(size, self.length - self.received)
        try:
            data: bytes = self._stream.read(size)
        except OSError:
            self._broken = True
            data = self._rest(size)
        return data

    def _rest(self, size: int) -> bytes:
        """What had arrived before the line broke: the server may still hold it."""
        try:
            data: bytes = self._stream.read(size)
        except (OSError, ValueError):
            return b""
        return data


class _Line:
    """A body of known length on gunicorn's socket, past gunicorn's buffers.

    They are emptied first, and gunicorn's count of what is left of the body is kept right: by it,
    it knows whether the connection can take another request.
    """

    def __init__(self, line: socket.socket, reader: Any) -> None:
        self._socket = line
        self._reader = reader

    @classmethod
    def of(cls, line: socket.socket, stream: Any) -> _Line | None:
        """None where `stream` is not as the version of gunicorn is that this was written for."""
        reader, buffered = getattr(stream, "reader", None), getattr(stream, "buf", None)
        is_untouched = isinstance(buffered, io.BytesIO) and not buffered.tell()
        is_known = type(reader).__name__ == "LengthReader" and is_untouched
        fits = is_known and hasattr(getattr(reader, "unreader", None), "take_buffered")
        return cls(line, reader) if fits else None

    def pieces(self) -> Iterator[bytes | memoryview]:
        """What arrives, as it does, until the end of the body or of the line."""
        if ahead := self._take_ahead():
            yield ahead
        buffer = bytearray(_FIRST)
        while count := self._receive(buffer):
            yield memoryview(buffer)[:count]
            if count == len(buffer) < _LARGEST:
                buffer = bytearray(2 * len(buffer))

    def _take_ahead(self) -> bytes:
        """What gunicorn has read together with the headers, except what is the next request's."""
        unreader, left = self._reader.unreader, self._reader.length
        data: bytes = unreader.take_buffered()
        unreader.unread(data[left:])
        self._reader.length -= len(data[:left])
        return data[:left]

    def _receive(self, buffer: bytearray) -> int:
        """Zero at the end of the body or of the line, and where it broke."""
        most = min(len(buffer), self._reader.length)
        try:
            count = self._socket.recv_into(buffer, most) if most else 0
        except OSError:
            return 0
        self._reader.length -= count
        return count


def saying_when_it_closes(application: Application) -> Application:
    """`application`, whose early answers say that the connection ends with them.

    Of a body that nobody has read gunicorn discards a little; where more is left it closes the
    connection. Unless it has said so, the client's next request is lost with it.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(*arguments: Any) -> Any:
            response = getattr(start_response, "__self__", None)
            if response is not None and _left_unread(environ) > _DISCARDED:
                response.force_close()
            return start_response(*arguments)

        return application(environ, start)

    return answer


def _left_unread(environ: Mapping[str, Any]) -> int:
    """Bytes of the body that are still on gunicorn's line."""
    reader = getattr(environ["wsgi.input"], "reader", None)
    return int(getattr(reader, "length", 0))


class SpooledBody:
    """A body that the proxy in front has received into a file of its own, whole.

    Only what lies in `folder` is one: the proxy says where, and sets the header itself.
    """

    is_whole = True

    def __init__(self, path: str, *, folder: Path) -> None:
        """Raises `FileNotFoundError` for anything but a regular file in `folder`."""
        self.path = Path(path)
        if self.path.parent != folder or not stat.S_ISREG(self.path.lstat().st_mode):
            raise FileNotFoundError(path)
        self.length = self.path.lstat().st_size

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while data := file.read(_LARGEST):
                yield data

    def head(self, size: int) -> bytes:
        """The first `size` bytes."""
        with self.path.open("rb") as file:
            return file.read(size)

    def interrupt(self) -> None:
        """Nothing waits: all bytes are here."""


Body: TypeAlias = RequestBody | SpooledBody


def _declared_length(environ: Mapping[str, Any]) -> int | None:
    """Bytes, or None for a body in chunks; the transfer coding comes first (RFC 9112 §6.3)."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        if environ.get("wsgi.input_terminated"):
            return None
        raise UnknownLengthError
    declared = environ.get("CONTENT_LENGTH") or "0"
    if not (declared.isascii() and declared.isdigit()):
        raise UnknownLengthError
    return int(declared)


def _adapted(size: int, seconds: float) -> int:
    if seconds < _QUICK:
        return min(size * 2, _LARGEST)
    return max(size // 2, _SMALLEST) if seconds > _SLOW else size
