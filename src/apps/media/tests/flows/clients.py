"""How these tests speak HTTP: as a person with a token, and as one whose connection breaks."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

API = "/api/v1/media/"
BOUNDARY = "a-boundary-of-these-tests"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
# Generous: a busy machine is not what these tests look for.
TIMEOUT = httpx.Timeout(30, read=300, write=300)


@dataclass(frozen=True)
class Person:
    """An account of the site at `address`, with a token."""

    id: int
    name: str
    token: str
    address: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}

    def client(self) -> httpx.Client:
        return anybody(self.address, headers=self.headers)

    def upload(self, data: bytes, name: str) -> httpx.Response:
        with self.client() as client:
            return send(client, name, [data], size=len(data))

    def get(self, url: str) -> httpx.Response:
        with self.client() as client:
            return client.get(url)


def anybody(address: str, headers: dict[str, str] | None = None) -> httpx.Client:
    """A client of the site; without headers, a stranger."""
    return httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT, trust_env=False)


def send(
    client: httpx.Client,
    name: str,
    pieces: Iterable[bytes],
    *,
    size: int,
    fields: dict[str, str] | None = None,
) -> httpx.Response:
    """Upload `size` bytes under exactly this name, as they come."""
    head, tail = form_head(name, fields or {}), form_tail()
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(head) + size + len(tail)),
    }

    def body() -> Iterator[bytes]:
        yield head
        yield from pieces
        yield tail

    return client.post(API, content=body(), headers=headers)


def form_head(name: str, fields: dict[str, str]) -> bytes:
    """The multipart body up to the file's first byte; `name` stands there as it is."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    disposition = f'Content-Disposition: form-data; name="file"; filename="{quoted}"'
    parts.append(f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n")
    return "".join(parts).encode("utf-8", "surrogatepass")


def form_tail() -> bytes:
    return f"\r\n--{BOUNDARY}--\r\n".encode()


class HalfUpload:
    """An upload over a bare connection that never sends its last bytes."""

    def __init__(self, person: Person, name: str, *, size: int) -> None:
        place = urlsplit(person.address)
        assert place.hostname is not None
        self._socket = socket.create_connection((place.hostname, place.port or 80), timeout=30)
        head = form_head(name, {})
        length = len(head) + size + len(form_tail())
        lines = [
            f"POST {API} HTTP/1.1",
            f"Host: {place.netloc}",
            *(f"{name}: {value}" for name, value in person.headers.items()),
            f"Content-Type: {CONTENT_TYPE}",
            f"Content-Length: {length}",
        ]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + head)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self) -> bytes:
        """What the server says before the connection ends; empty where it says nothing."""
        try:
            return self._socket.recv(65_536)
        except ConnectionError:
            return b""
        finally:
            self._socket.close()

    def hang_up(self, *, reset: bool) -> None:
        """End the connection in mid-body: in an orderly way, or as a lost network would."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def download_digest(client: httpx.Client, url: str) -> tuple[int, str]:
    """The size in bytes and the SHA-256 of what is at `url`, never held whole."""
    digest, size = hashlib.sha256(), 0
    with client.stream("GET", url) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw(1024 * 1024):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def problem_code(answer: httpx.Response) -> str:
    """The code of a refusal; empty where it has none."""
    body: Any = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
    code: str = body.get("code", "")
    return code
