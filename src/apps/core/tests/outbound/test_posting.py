"""Posting to real sockets: what arrives, what is refused, and when it ends. SECURITY §3."""

from __future__ import annotations

import socket
import ssl
import time

import pytest

from apps.core.errors import (
    AppError,
    SourceRefusedError,
    SourceTooSlowError,
    SourceUnavailableError,
    UrlNotAllowedError,
)
from apps.core.outbound import PUBLIC, Limits, Reach, post_to_url
from apps.core.tests.outbound.sources import Script, Source, answer, reach_of, redirect, serving
from apps.core.tests.outbound.test_targets import S1, S3, S6

QUICK = Limits(
    max_bytes=4096, connect_seconds=2, head_seconds=1, silence_seconds=1, total_seconds=3
)
TEXT = b'{"type":"media.ready"}' * 1000


def posted(source: Source, **fields: object) -> int:
    fields.setdefault("limits", QUICK)
    fields.setdefault("reach", reach_of(source))
    fields.setdefault("headers", {"Content-Type": "application/json", "webhook-id": "msg_1"})
    url = source.url("/hook?a=1", host="hooks.example")
    return post_to_url(url, content=TEXT, **fields)  # type: ignore[arg-type]


def taking(status: str = "204 No Content", body: bytes = b"") -> tuple[Script, list[bytes]]:
    """A script that reads the whole request before it answers, and the bodies that came."""
    bodies: list[bytes] = []

    def script(connection: socket.socket, request: bytes) -> None:
        head, _, come = request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(come) < length and (data := connection.recv(65536)):
            come += data
        bodies.append(come)
        answer(body, status=status)(connection, request)

    return script, bodies


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "410 Gone", "500 Oh No"])
def test_the_text_arrives_and_the_status_comes_back(status: str) -> None:
    script, bodies = taking(status)
    with serving(script) as source:
        assert posted(source) == int(status[:3])
    assert bodies == [TEXT]
    assert source.requests[0].startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert source.header("Host") == f"hooks.example:{source.port}"
    assert source.header("webhook-id") == "msg_1"
    assert source.header("Content-Length") == str(len(TEXT))
    assert source.header("Cookie") == source.header("Authorization") == ""


def test_s5_a_redirect_is_an_answer_and_never_followed(lonely: Source) -> None:
    script = redirect(f"http://127.0.0.1:{lonely.port}/")
    with serving(script) as source:
        assert posted(source) == 302
        assert source.connects == 1


@pytest.mark.parametrize("url", [*S1, *S3, *S6])
def test_s1_s3_s6_what_is_no_plain_address(url: str, lonely: Source) -> None:
    url = url.replace("PORT", str(lonely.port))
    with pytest.raises(UrlNotAllowedError):
        post_to_url(url, content=TEXT, headers={}, limits=QUICK, reach=PUBLIC)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1"])
def test_s2_nothing_inside_is_connected_to(host: str, lonely: Source) -> None:
    reach = Reach(ports=frozenset({80, 443, lonely.port}))
    with pytest.raises(UrlNotAllowedError):
        post_to_url(
            f"http://{host}:{lonely.port}/", content=TEXT, headers={}, limits=QUICK, reach=reach
        )


def test_s4_a_name_of_this_machine(lonely: Source) -> None:
    reach = Reach(
        ports=frozenset({lonely.port}), resolve=lambda host, port: ["8.8.8.8", "127.0.0.1"]
    )
    with pytest.raises(UrlNotAllowedError):
        posted(lonely, reach=reach)


def test_s7_an_endless_answer_is_left_alone() -> None:
    def endless(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(endless) as source:
        assert posted(source) == 200


def _silent(connection: socket.socket, request: bytes) -> None:
    while connection.recv(65536):
        pass


def _dripping(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"a: b\r\n")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (_silent, SourceTooSlowError),
        (_dripping, SourceTooSlowError),
        (lambda connection, request: connection.close(), SourceUnavailableError),
        (lambda connection, request: connection.sendall(b"220 mail\r\n"), SourceUnavailableError),
    ],
)
def test_s7_s10_whoever_does_not_answer(script: Script, error: type[AppError]) -> None:
    began = time.monotonic()
    with serving(script) as source, pytest.raises(error) as caught:
        posted(source)
    assert time.monotonic() - began < 5
    assert "mail" not in f"{caught.value} {caught.value.detail}"


def test_over_tls_only_with_a_certificate_that_is_known(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    script, bodies = taking()
    with serving(script, tls=server_tls) as source:
        url = source.url(host="files.example", scheme="https")
        trusting = reach_of(source, ssl_context=client_tls)
        said = {"content": TEXT, "headers": {}, "limits": QUICK}
        assert post_to_url(url, reach=trusting, **said) == 204  # type: ignore[arg-type]
        with pytest.raises(SourceRefusedError):
            post_to_url(url, reach=reach_of(source), **said)  # type: ignore[arg-type]
    assert bodies == [TEXT]
