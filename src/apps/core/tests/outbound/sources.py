"""Small servers for tests of fetching: they count who comes, and answer as a test scripts it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from apps.core.outbound import Reach

HERE = ipaddress.ip_network("127.0.0.0/8")
Script = Callable[[socket.socket, bytes], None]


@dataclass
class Source:
    """A listener at `port`. `requests` are the headers that came; `connects` counts everybody."""

    port: int
    connects: int = 0
    requests: list[bytes] = field(default_factory=list)

    def url(
        self, path: str = "/photo.jpg", *, host: str = "127.0.0.1", scheme: str = "http"
    ) -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def header(self, name: str, *, request: int = -1) -> str:
        """The value of a header of a request, "" if it had none."""
        for line in self.requests[request].decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""


@contextlib.contextmanager
def serving(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[Source]:
    """Serve connections one after another on the loopback address until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        source = Source(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, source, script, tls), daemon=True)
        thread.start()
        yield source
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    assert not thread.is_alive()


def _serve(
    listener: socket.socket, source: Source, script: Script, tls: ssl.SSLContext | None
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        source.connects += 1
        # Clients under test break off: what that does to the server is of no interest.
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            secured = tls.wrap_socket(connection, server_side=True) if tls else connection
            with secured:
                request = read_request(secured)
                source.requests.append(request)
                script(secured, request)


def read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request and (data := connection.recv(4096)):
        request += data
    return request


def answer(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> Script:
    """A whole answer. `headers` are lines; Content-Length is added unless they have one."""
    lines = [f"HTTP/1.1 {status}", *headers.split("\n")]
    if "content-length" not in headers.lower() and "transfer-encoding" not in headers.lower():
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(line for line in lines if line) + "\r\n\r\n"

    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head.encode() + body)

    return script


def redirect(location: str, *, status: str = "302 Found") -> Script:
    return answer(status=status, headers=f"Location: {location}")


def reach_of(source: Source, **fields: object) -> Reach:
    """Lets a test's own server in, under any name."""
    fields.setdefault("networks", (HERE,))
    fields.setdefault("resolve", lambda host, port: ["127.0.0.1"])
    return Reach(ports=frozenset({80, 443, source.port}), **fields)  # type: ignore[arg-type]
