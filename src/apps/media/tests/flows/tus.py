"""tus over bare connections and over a client library, for what happens on real lines."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

import httpx

from apps.media.tests.flows.clients import Person

BASE = "/api/v1/uploads/tus/"
BYTES = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}


class Tus:
    """One person's uploads; `address` may be that of a proxy on the way."""

    def __init__(self, person: Person, address: str = "") -> None:
        self.person = person
        self.address = address or person.address
        self.headers = {**person.headers, **VERSION}

    def client(self, timeout: float = 60) -> httpx.Client:
        return httpx.Client(
            base_url=self.address, headers=self.headers, timeout=timeout, trust_env=False
        )

    def person_client(self) -> httpx.Client:
        """A client over the same line that does not speak tus."""
        headers = self.person.headers
        return httpx.Client(base_url=self.address, headers=headers, timeout=60, trust_env=False)

    def create(self, length: int, name: str = "words.txt", **headers: str) -> str:
        encoded = base64.b64encode(name.encode()).decode()
        said = {"Upload-Length": str(length), "Upload-Metadata": f"filename {encoded}", **headers}
        with self.client() as client:
            answer = client.post(BASE, headers=said)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def patch(self, url: str, data: Any, offset: int, **headers: str) -> httpx.Response:
        said = {"Upload-Offset": str(offset), "Content-Type": BYTES, **headers}
        with self.client() as client:
            return client.patch(url, content=data, headers=said)

    def head(self, url: str) -> httpx.Response:
        with self.client() as client:
            return client.head(url)

    def delete(self, url: str) -> httpx.Response:
        with self.client() as client:
            return client.delete(url)

    def offset(self, url: str) -> int:
        answer = self.head(url)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    def resume(self, url: str, data: bytes) -> httpx.Response:
        """Go on from wherever the server stands, to the end."""
        offset = self.offset(url)
        return self.patch(url, data[offset:], offset)

    def stored_digest(self, answer: httpx.Response) -> str:
        """SHA-256 of the media file that the answer to the last bytes names."""
        with self.client() as client:
            media = client.get(answer.headers["Content-Location"]).json()
            data = client.get(media["urls"]["original"]).content
        return hashlib.sha256(data).hexdigest()


class Line:
    """A PATCH over a bare connection, whose body is sent by hand."""

    def __init__(
        self, tus: Tus, url: str, *, offset: int = 0, length: int | None = None, **headers: str
    ) -> None:
        """Without `length` the body comes in chunks."""
        place = urlsplit(tus.address)
        assert place.hostname is not None
        framing = (
            {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        )
        said = {**tus.headers, "Upload-Offset": str(offset), "Content-Type": BYTES, **headers}
        lines = [f"PATCH {url} HTTP/1.1", f"Host: {place.netloc}"]
        lines += [f"{name}: {value}" for name, value in {**said, **framing}.items()]
        self._socket = socket.create_connection((place.hostname, place.port or 80), timeout=60)
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_chunk(self, data: bytes) -> None:
        self._socket.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def status(self) -> int:
        """The status of the answer; 0 where the connection ends without one."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            words = self._socket.recv(65_536).split()
            return int(words[1]) if len(words) > 1 else 0
        return 0

    def hang_up(self, *, reset: bool = False) -> None:
        """In an orderly way, or as a lost network would."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
