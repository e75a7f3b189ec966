"""A client of ClamAV's daemon, in its own words (`man clamd`, section COMMANDS).

One connection for each question. It answers with what the daemon found, or says that the daemon is
away, or that it would not look at the whole file. It never calls a file clean on its own account.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from apps.core.daemons import daemon_address
from apps.media.exceptions import ScannerAwayError
from apps.media.processing.findings import Finding

SCANNER = "clamd"
CHUNK = 256 * 1024  # bytes
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 180.0  # the daemon ends a scan after MaxScanTime, 120 s unless set otherwise
_TURN_SECONDS = 1.0  # `on_chunk` is called at least this often
_LONGEST_ANSWER = 4096  # bytes
_CLEAN = "stream: OK"
_FOUND = re.compile(r"stream: ([!-~]{1,200}) FOUND")
_TOO_LARGE = "INSTREAM size limit exceeded. ERROR"
_LIMIT = "Heuristics.Limits.Exceeded"  # with AlertExceedsMax: seen in part, not malware


class NotScannedError(Exception):
    """The file is beyond the daemon's limits: neither clean nor malware, however often asked."""


class ClamdScanner:
    """The daemon at `tcp://host:port` or `unix:///path`. Raises `ValueError` for other addresses.

    Every method raises `ScannerAwayError` when the daemon cannot be reached, does nothing for
    `silence_seconds`, or says what it should not.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._address = daemon_address(url)
        self._connect_seconds = connect_seconds
        self._silence_seconds = silence_seconds

    def scan_stream(self, file: BinaryIO, *, on_chunk: Callable[[], None]) -> Finding:
        """What the daemon finds in the rest of `file`.

        `on_chunk` is called with every chunk, and every second while the daemon thinks; what it
        raises, and what `file` raises, ends the scan and goes through. Raises `NotScannedError`
        when the daemon would not look at all of the file.
        """
        with self._talk(b"INSTREAM", on_chunk) as talk:
            is_whole = _send_file(talk, file, on_chunk)
            return _finding(talk.answer(), is_whole=is_whole)

    def ping(self) -> None:
        """Returns when the daemon is there."""
        if (answer := self._ask(b"PING")) != "PONG":
            raise ScannerAwayError(answer)

    def version(self) -> str:
        """Of the daemon and its signatures, such as `ClamAV 1.4.6/27800/Sun Nov 22 …`."""
        answer = self._ask(b"VERSION")
        if not answer.startswith("ClamAV "):
            raise ScannerAwayError(answer)
        return answer

    def _ask(self, command: bytes) -> str:
        with self._talk(command, lambda: None) as talk:
            return talk.answer()

    @contextlib.contextmanager
    def _talk(self, command: bytes, on_wait: Callable[[], None]) -> Iterator[_Talk]:
        with _away():
            connection = _connected(self._address, self._connect_seconds)
        with connection:
            talk = _Talk(connection, on_wait, self._silence_seconds)
            talk.send(b"z" + command + b"\0")
            yield talk


class _Talk:
    """One connection. Waits in short turns, so that whoever waits for us hears that we live."""

    def __init__(
        self, connection: socket.socket, on_wait: Callable[[], None], silence_seconds: float
    ) -> None:
        self._connection = connection
        self._on_wait = on_wait
        self._silence_seconds = silence_seconds

    def send(self, data: bytes) -> bool:
        """False when the daemon has said or ended something, and so takes no more."""
        left = memoryview(data)
        while left:
            if self._wait(select.POLLIN | select.POLLOUT) != select.POLLOUT:
                return False
            try:
                left = left[self._connection.send(left) :]
            except (BrokenPipeError, ConnectionResetError):
                return False  # what it said before it hung up can still be read
            except OSError as error:
                raise ScannerAwayError(error) from error
        return True

    def answer(self) -> str:
        """Up to the NUL that ends it; nothing was asked that a second one could answer."""
        received = b""
        while b"\0" not in received:
            self._wait(select.POLLIN)
            with _away():
                part = self._connection.recv(_LONGEST_ANSWER)
            received += part
            if not part or len(received) > _LONGEST_ANSWER:
                raise ScannerAwayError(f"no answer but {received[:100]!r}")
        return received.partition(b"\0")[0].decode("ascii", "replace").strip()

    def _wait(self, events: int) -> int:
        """Which of the events has come, or that the connection has ended."""
        poll = select.poll()
        poll.register(self._connection, events)
        deadline = time.monotonic() + self._silence_seconds
        while (left := deadline - time.monotonic()) > 0:
            if come := poll.poll(min(left, _TURN_SECONDS) * 1000):
                return come[0][1]
            self._on_wait()
        raise ScannerAwayError(f"silent for {self._silence_seconds} s")


@contextlib.contextmanager
def _away() -> Iterator[None]:
    """Around what concerns the daemon alone: errors of the file are the storage's."""
    try:
        yield
    except OSError as error:
        raise ScannerAwayError(error) from error


def _connected(address: str | tuple[str, int], seconds: float) -> socket.socket:
    if not isinstance(address, str):
        return socket.create_connection(address, seconds)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _send_file(talk: _Talk, file: BinaryIO, on_chunk: Callable[[], None]) -> bool:
    """False when the daemon stopped listening before the end."""
    while chunk := file.read(CHUNK):
        on_chunk()
        if not talk.send(len(chunk).to_bytes(4, "big") + chunk):
            return False
    return talk.send(bytes(4))


def _finding(answer: str, *, is_whole: bool) -> Finding:
    """A part of a file may be malware; clean can only be the whole."""
    if answer == _CLEAN and is_whole:
        return Finding(SCANNER)
    found = _FOUND.fullmatch(answer)
    if answer == _TOO_LARGE or (found and found[1].startswith(_LIMIT)):
        raise NotScannedError(answer)
    if found is None:
        raise ScannerAwayError(answer[:200])
    return Finding(SCANNER, found[1])
