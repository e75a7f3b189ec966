"""Bodies straight from gunicorn's socket: all of this request's, nothing of the next one's."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from apps.core.requestbody import RequestBody, saying_when_it_closes

MIB = 1024 * 1024
NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"


class Peer:
    """Both ends of a connection, and what gunicorn parses of it."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self._parser = RequestParser(Config(), self.ours, ("127.0.0.1", 1))

    def request(self) -> Any:
        return next(self._parser)

    def body(self) -> RequestBody:
        request = self.request()
        return RequestBody(
            {
                "wsgi.input": request.body,
                "gunicorn.socket": self.ours,
                "CONTENT_LENGTH": dict(request.headers).get("CONTENT-LENGTH", ""),
            }
        )

    def send(self, *pieces: bytes) -> threading.Thread:
        def work() -> None:
            for piece in pieces:
                self.theirs.sendall(piece)

        sender = threading.Thread(target=work)
        sender.start()
        return sender

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def peer() -> Any:
    made = Peer()
    yield made
    made.close()


def head(length: int) -> bytes:
    return f"PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def test_all_of_it_and_then_the_next_request(peer: Peer) -> None:
    data = os.urandom(5 * MIB + 3)
    sender = peer.send(head(len(data)), data, NEXT)
    body = peer.body()
    assert b"".join(bytes(piece) for piece in body) == data
    assert body.is_whole
    assert peer.request().path == "/next"
    sender.join()


def test_in_one_packet_with_its_head_and_the_next_request(peer: Peer) -> None:
    peer.send(head(5) + b"Hello" + NEXT).join()
    body = peer.body()
    assert [bytes(piece) for piece in body] == [b"Hello"]
    assert body.is_whole
    assert peer.request().path == "/next"


def test_what_arrived_is_passed_on_at_once(peer: Peer) -> None:
    peer.send(head(11) + b"Hello").join()
    pieces = iter(peer.body())
    assert bytes(next(pieces)) == b"Hello"
    peer.send(b" world").join()
    assert bytes(next(pieces)) == b" world"


def test_a_line_that_ends_early(peer: Peer) -> None:
    peer.send(head(11), b"Hello").join()
    peer.theirs.shutdown(socket.SHUT_WR)
    body = peer.body()
    assert b"".join(bytes(piece) for piece in body) == b"Hello"
    assert not body.is_whole


def test_an_interrupted_wait(peer: Peer) -> None:
    peer.send(head(11) + b"Hello").join()
    body = peer.body()
    timer = threading.Timer(0.1, body.interrupt)
    timer.start()
    assert b"".join(bytes(piece) for piece in body) == b"Hello"
    assert not body.is_whole
    timer.join()


def test_no_bytes(peer: Peer) -> None:
    peer.send(head(0) + NEXT).join()
    body = peer.body()
    assert list(body) == []
    assert body.is_whole
    assert peer.request().path == "/next"


class Response:
    """What gunicorn answers with, as far as an application gets to see it."""

    def __init__(self) -> None:
        self.closes = False

    def start_response(self, status: str, headers: list[tuple[str, str]]) -> None:
        """Send the head."""

    def force_close(self) -> None:
        self.closes = True


@pytest.mark.parametrize(
    ("size", "read", "closes"),
    [(0, 0, False), (999, 0, False), (99_999, 0, True), (99_999, 9, True), (99_999, 99_999, False)],
)
def test_an_answer_before_the_body_was_read_says_that_the_line_ends(
    peer: Peer, size: int, read: int, closes: bool
) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(read)
        start_response("401 Unauthorized", [])
        return [b""]

    peer.theirs.sendall(head(size) + bytes(size))
    request, response = peer.request(), Response()
    saying_when_it_closes(application)({"wsgi.input": request.body}, response.start_response)
    assert response.closes == closes
