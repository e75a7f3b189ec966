"""The client against the real daemon, with signatures of our own, and against odd listeners."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from apps.media.clamd import CHUNK, ClamdScanner, NotScannedError
from apps.media.exceptions import ScannerAwayError
from apps.media.processing.findings import Finding
from apps.media.processing.types import MIB
from apps.media.tests import samples

# In two parts, so that no scanner takes this file for what it is about.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Test.Eicar.UNOFFICIAL"
LARGEST = 2 * MIB  # bytes that the daemon takes
PROGRAM = shutil.which("clamd", path=f"/usr/sbin:/usr/local/sbin:{os.defpath}")

needs_clamd = pytest.mark.skipif(PROGRAM is None, reason="no clamd: install clamav-daemon")

CONFIGURATION = """
DatabaseDirectory {home}/signatures
TemporaryDirectory {home}
LocalSocket {home}/socket
TCPSocket {port}
TCPAddr 127.0.0.1
LogFile {home}/log
Foreground yes
StreamMaxLength {largest}
MaxFileSize 1M
AlertExceedsMax yes
"""


def nothing() -> None:
    """What happens with each chunk when nobody needs to know."""


def scan(scanner: ClamdScanner, data: bytes) -> Finding:
    return scanner.scan_stream(io.BytesIO(data), on_chunk=nothing)


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.bin", data)
    return buffer.getvalue()


class Daemon:
    """A clamd of its own: on a Unix socket and a TCP port, with one signature."""

    def __init__(self, home: Path) -> None:
        assert PROGRAM
        self.unix = f"unix://{home}/socket"
        port = free_port()
        self.tcp = f"tcp://127.0.0.1:{port}"
        (home / "signatures").mkdir()
        (home / "signatures" / "own.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        configuration = home / "clamd.conf"
        configuration.write_text(CONFIGURATION.format(home=home, port=port, largest=LARGEST))
        self.process = subprocess.Popen(
            [PROGRAM, "--config-file", configuration],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: is_there(ClamdScanner(self.unix)) and is_there(ClamdScanner(self.tcp)))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_there(scanner: ClamdScanner) -> bool:
    try:
        scanner.ping()
    except ScannerAwayError:
        return False
    return True


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    running = Daemon(tmp_path_factory.mktemp("clamd"))
    yield running
    running.stop()


@pytest.fixture
def own_daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One that a test may hurt."""
    running = Daemon(tmp_path)
    yield running
    running.stop()


@pytest.fixture(params=["unix", "tcp"])
def scanner(request: pytest.FixtureRequest, daemon: Daemon) -> ClamdScanner:
    return ClamdScanner(getattr(daemon, request.param))


PLACES = {
    "plain": EICAR,
    "zip": zipped(EICAR),
    "zip in a zip": zipped(zipped(EICAR)),
    "behind a picture": samples.photo_jpeg(64, 48) + EICAR,
    "behind the first chunk": bytes(CHUNK - 30) + EICAR,
}


@needs_clamd
class TestDaemon:
    @pytest.mark.parametrize("data", PLACES.values(), ids=PLACES)
    def test_malware_is_found(self, scanner: ClamdScanner, data: bytes) -> None:
        assert scan(scanner, data) == Finding("clamd", SIGNATURE)

    @pytest.mark.parametrize("data", [b"", samples.photo_jpeg(64, 48)], ids=["empty", "picture"])
    def test_what_is_clean_is_clean(self, scanner: ClamdScanner, data: bytes) -> None:
        assert scan(scanner, data) == Finding("clamd")

    @pytest.mark.parametrize("size", [LARGEST + 1, 40 * MIB])
    def test_more_than_it_takes_is_not_scanned(self, scanner: ClamdScanner, size: int) -> None:
        """It hangs up in the middle; what it said must be read all the same."""
        with pytest.raises(NotScannedError, match="size limit"):
            scan(scanner, bytes(size))

    def test_more_than_it_looks_at_is_no_malware(self, scanner: ClamdScanner) -> None:
        with pytest.raises(NotScannedError, match="Heuristics"):
            scan(scanner, bytes(LARGEST - 10))

    def test_every_chunk_is_told(self, scanner: ClamdScanner) -> None:
        told: list[None] = []
        file = io.BytesIO(bytes(2 * CHUNK + 1))
        scanner.scan_stream(file, on_chunk=lambda: told.append(None))
        assert len(told) >= 3

    def test_ping_and_version(self, scanner: ClamdScanner) -> None:
        scanner.ping()
        assert scanner.version().startswith("ClamAV ")

    def test_an_unreadable_file_is_not_the_daemons_fault(self, scanner: ClamdScanner) -> None:
        with pytest.raises(OSError, match="storage"):
            scanner.scan_stream(Unreadable(), on_chunk=nothing)

    def test_whoever_has_lost_the_job_stops(self, scanner: ClamdScanner) -> None:
        def lost() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            scanner.scan_stream(io.BytesIO(EICAR), on_chunk=lost)


class Unreadable(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError("storage is away")


@needs_clamd
class TestDaemonThatFails:
    def test_killed_in_the_middle(self, own_daemon: Daemon) -> None:
        scanner = ClamdScanner(own_daemon.unix)
        with pytest.raises(ScannerAwayError):
            scanner.scan_stream(io.BytesIO(bytes(MIB)), on_chunk=own_daemon.stop)
        assert not is_there(scanner)

    def test_frozen_in_the_middle(self, own_daemon: Daemon) -> None:
        def freeze() -> None:
            own_daemon.process.send_signal(signal.SIGSTOP)

        scanner = ClamdScanner(own_daemon.tcp, silence_seconds=0.2)
        with pytest.raises(ScannerAwayError, match="silent"):
            scanner.scan_stream(io.BytesIO(bytes(MIB)), on_chunk=freeze)


class Listener:
    """Takes one connection, says what it is told to say, and reads or does not read the rest."""

    def __init__(self, says: bytes, *, hangs_up: bool = True) -> None:
        self._says, self._hangs_up = says, hangs_up
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> str:
        self._thread.start()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            if self._hangs_up:
                connection.recv(CHUNK)
            connection.sendall(self._says)
            if not self._hangs_up:
                self._over.wait(60)


NONSENSE = {
    "nothing": b"",
    "half": b"stream: O",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n\0",
    "an error": b"COMMAND READ TIMED OUT ERROR\0",
    "no name": b"stream:  FOUND\0",
    "a name with a line in it": b"stream: a\nb FOUND\0",
    "bytes": b"\xff\xfe\0",
    "no end": b"stream: " + b"A" * 10_000,
}


class TestOddListeners:
    @pytest.mark.parametrize("says", NONSENSE.values(), ids=NONSENSE)
    def test_nonsense_is_away(self, says: bytes) -> None:
        with Listener(says) as url, pytest.raises(ScannerAwayError):
            scan(ClamdScanner(url), b"data")

    def test_silence_is_away_and_is_told_meanwhile(self) -> None:
        told: list[None] = []
        with Listener(b"", hangs_up=False) as url, pytest.raises(ScannerAwayError, match="silent"):
            ClamdScanner(url, silence_seconds=1.5).scan_stream(
                io.BytesIO(b""), on_chunk=lambda: told.append(None)
            )
        assert told

    def test_one_that_takes_nothing_is_away(self) -> None:
        with Listener(b"", hangs_up=False) as url, pytest.raises(ScannerAwayError, match="silent"):
            scan(ClamdScanner(url, silence_seconds=0.2), bytes(40 * MIB))

    def test_clean_before_the_end_is_not_believed(self) -> None:
        with Listener(b"stream: OK\0", hangs_up=False) as url, pytest.raises(ScannerAwayError):
            scan(ClamdScanner(url), bytes(40 * MIB))

    def test_malware_before_the_end_is(self) -> None:
        with Listener(b"stream: Bad.Thing FOUND\0", hangs_up=False) as url:
            assert scan(ClamdScanner(url), bytes(40 * MIB)) == Finding("clamd", "Bad.Thing")

    def test_a_ping_wants_its_answer(self) -> None:
        with Listener(b"UNKNOWN COMMAND\0") as url, pytest.raises(ScannerAwayError):
            ClamdScanner(url).ping()

    @pytest.mark.parametrize(
        "ask", [ClamdScanner.ping, ClamdScanner.version, lambda it: scan(it, b"")]
    )
    def test_nobody_is_away(self, tmp_path: Path, ask: Callable[[ClamdScanner], object]) -> None:
        for url in (f"tcp://127.0.0.1:{free_port()}", f"unix://{tmp_path}/absent"):
            with pytest.raises(ScannerAwayError):
                ask(ClamdScanner(url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clamd",
        "/run/clamd",
        "tcp://host",
        "tcp://:3310",
        "tcp://host:x",
        "unix://run/clamd",
        "unix://",
        "http://host:3310",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        ClamdScanner(url)
