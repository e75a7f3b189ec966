"""A bad line: a proxy between a client and a server that breaks connections as a test says.

Every request gets a connection of its own (`Connection: close` is put in), so that a fault can be
aimed at one kind of request. Standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import urlsplit

_PIECE = 16 * 1024
_LONGEST_HEAD = 256 * 1024
_HOP = re.compile(rb"\r\n(?:connection|keep-alive):[^\r\n]*", re.IGNORECASE)
_INTERIM = b"HTTP/1.1 100"  # comes before the body, and is no answer
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)

Kind = Literal[
    "cut",  # end the connection after `at` bytes of the body, in an orderly way
    "reset",  # the same as a lost network would
    "delay",  # hold request and answer back for `seconds` each
    "throttle",  # let `rate` bytes pass in a second
    "lost_reply",  # the server does its work, the client never hears of it
    "cut_reply",  # the client hears the first `at` bytes of the answer
    "black_hole",  # take everything, answer nothing
    "corrupt",  # turn one bit of byte `at` of the body
    "status",  # answer `status` oneself
]


@dataclass
class Fault:
    """What happens to requests whose "METHOD path" and headers match; `times` 0 means to all."""

    kind: Kind
    match: str = ""
    times: int = 0
    at: int = 0
    seconds: float = 0.0
    rate: int = 0
    status: int = 503


@dataclass
class _Request:
    head: bytes
    fault: Fault | None
    length: int = 0
    sent: int = field(default=0)


class BadLine:
    """Listens on `address` for what is meant for `target` (a URL), on a thread of its own."""

    def __init__(self, target: str, *, is_http: bool = True) -> None:
        place = urlsplit(target)
        self._target = (place.hostname or "127.0.0.1", place.port or 80)
        self._is_http = is_http
        self._faults: list[Fault] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.hits: list[str] = []
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def suffer(self, *faults: Fault) -> None:
        """From now on, for new connections; the first that matches counts."""
        self.hits.clear()
        self._faults = list(faults)

    def heal(self) -> None:
        self._faults = []

    def hang_up(self) -> None:
        """Break every connection that is open now."""
        self._loop.call_soon_threadsafe(lambda: [_reset(writer) for writer in list(self._open)])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            request = await self._receive_head(reader)
            if request is not None:
                await self._pass_on(request, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            _reset(writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _receive_head(self, reader: asyncio.StreamReader) -> _Request | None:
        if not self._is_http:
            return _Request(b"", self._choose("connection"))
        head = await reader.readuntil(b"\r\n\r\n")
        said = _LENGTH.search(head)
        head = _HOP.sub(b"", head)
        request_line, _, rest = head.partition(b"\r\n")
        head = request_line + b"\r\nConnection: close\r\n" + rest
        length = int(said.group(1)) if said else 0
        return _Request(head, self._choose(head.decode("latin-1")), length)

    def _choose(self, described: str) -> Fault | None:
        for fault in self._faults:
            if re.search(fault.match, described, re.IGNORECASE):
                self.hits.append(described.partition("\r\n")[0])
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None

    async def _pass_on(
        self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        fault = request.fault or Fault("delay")
        if fault.kind == "status":
            await _answer(fault.status, request.length, reader, writer)
            return
        if fault.kind == "black_hole":
            while await reader.read(_PIECE):
                pass
            return
        await asyncio.sleep(fault.seconds)
        there, back = await asyncio.open_connection(*self._target)
        self._open.add(back)
        try:
            back.write(request.head)
            up = asyncio.create_task(_send_up(request, reader, back))
            down = asyncio.create_task(_send_down(fault, there, writer))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if not down.done() and (up.exception() or not up.result()):
                await down
            if down.done():
                down.result()
            else:  # the fault has come
                _reset(writer)
            if fault.kind == "reset":
                _reset(back)
        finally:
            up.cancel()
            down.cancel()
            self._open.discard(back)
            back.close()


async def _send_up(
    request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """The body, until it ends or the fault ends it; returns whether the fault has."""
    fault = request.fault or Fault("delay")
    while data := await reader.read(_PIECE):
        if fault.kind in {"cut", "reset"} and request.sent + len(data) >= fault.at:
            writer.write(data[: fault.at - request.sent])
            await writer.drain()
            return True
        if fault.kind == "corrupt":
            data = _turned(data, fault.at - request.sent)
        if fault.kind == "throttle":
            await asyncio.sleep(len(data) / fault.rate)
        request.sent += len(data)
        writer.write(data)
        await writer.drain()
    writer.write_eof()
    return False


async def _send_down(
    fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """The answer, unless the fault is about it."""
    passed = 0
    while data := await reader.read(_PIECE):
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        is_lost = fault.kind in {"lost_reply", "cut_reply"} and not data.startswith(_INTERIM)
        if is_lost:
            data = data[: fault.at - passed]
        passed += len(data)
        writer.write(data)
        await writer.drain()
        if is_lost and passed >= fault.at:
            _reset(writer)
            return


async def _answer(
    status: int, length: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A refusal in place of the server's answer, after the whole body."""
    while length > 0 and (data := await reader.read(min(length, _PIECE))):
        length -= len(data)
    said = f"HTTP/1.1 {status} Injected\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    writer.write(said.encode())
    await writer.drain()


def _turned(data: bytes, at: int) -> bytes:
    if not 0 <= at < len(data):
        return data
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
