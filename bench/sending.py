"""The client of the upload benchmark, in a process of its own: sockets and `sendfile`, no library.

`send` starts it; run as a program it reads an order in JSON from standard input and prints the
seconds from the first connection to the last answer.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

BOUNDARY = "boundary-of-the-benchmark"
TIMEOUT = 900  # seconds


@dataclass(frozen=True)
class Order:
    """What to send where. `how` is `tus`, `put` or `form`; `piece` (bytes) is of one PATCH.

    `times` forms are shared out to `lines` connections, each of which is kept open.
    """

    how: str
    port: int
    path: str
    file: str
    piece: int = 0
    times: int = 1
    lines: int = 1
    headers: dict[str, str] = field(default_factory=dict)


def send(order: Order) -> float:
    """Seconds; raises `CalledProcessError` when the server did not take it all."""
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(asdict(order)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT,
    )
    return float(done.stdout)


class Line:
    """One connection that is kept open."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"Host": f"127.0.0.1:{port}", **headers}
        self._came = b""

    def ask(self, method: str, path: str, length: int, headers: dict[str, str]) -> None:
        """The head of a request whose body of `length` bytes comes next."""
        said = {**self._headers, **headers, "Content-Length": str(length)}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {said[name]}" for name in said)]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_file(self, number: int, start: int, end: int) -> None:
        while start < end:
            start += os.sendfile(self._socket.fileno(), number, start, end - start)

    def answer(self) -> dict[str, str]:
        """The headers of the answer, names in lower case; its body is read and dropped."""
        while b"\r\n\r\n" not in self._came:
            self._receive()
        head, _, self._came = self._came.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in rest)
        }
        while len(self._came) < int(headers.get("content-length", 0)):
            self._receive()
        if int(first.split()[1]) not in {200, 201, 204}:
            raise RuntimeError(f"{first}\n{self._came.decode(errors='replace')}")
        self._came = b""
        return headers

    def _receive(self) -> None:
        data = self._socket.recv(65_536)
        if not data:
            raise RuntimeError("The server has hung up")
        self._came += data


def put(order: Order, line: Line, number: int) -> None:
    size = os.fstat(number).st_size
    line.ask("PUT", order.path, size, {})
    line.send_file(number, 0, size)
    line.answer()


def tus(order: Order, line: Line, number: int) -> None:
    size = os.fstat(number).st_size
    line.ask(
        "POST", order.path, 0, {"Upload-Length": str(size), "Upload-Metadata": "filename YQ=="}
    )
    place = urlsplit(line.answer()["location"]).path
    kind = {"Content-Type": "application/offset+octet-stream"}
    step = order.piece or size
    for start in range(0, size, step):
        end = min(start + step, size)
        line.ask("PATCH", place, end - start, {**kind, "Upload-Offset": str(start)})
        line.send_file(number, start, end)
        if int(line.answer()["upload-offset"]) != end:
            raise RuntimeError("The server stands elsewhere")


def form(order: Order, line: Line, number: int) -> None:
    size = os.fstat(number).st_size
    said = f'Content-Disposition: form-data; name="file"; filename="{Path(order.file).name}"'
    head = f"--{BOUNDARY}\r\n{said}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    line.ask("POST", order.path, len(head) + size + len(tail), kind)
    line.send(head)
    line.send_file(number, 0, size)
    line.send(tail)
    line.answer()


WAYS = {"put": put, "tus": tus, "form": form}


def carry_out(order: Order) -> float:
    failures: list[Exception] = []

    def work(times: int) -> None:
        try:
            line = Line(order.port, order.headers)
            with Path(order.file).open("rb") as file:
                for _ in range(times):
                    WAYS[order.how](order, line, file.fileno())
        except (OSError, RuntimeError) as error:
            failures.append(error)

    shares = [len(range(number, order.times, order.lines)) for number in range(order.lines)]
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - started


if __name__ == "__main__":
    print(carry_out(Order(**json.load(sys.stdin))))
