"""Imports with real workers: what dies, cuts, lies or never ends costs no file and leaves none."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from apps.core.tests.outbound.sources import Script, serving
from apps.media.tests.flows.clients import Person, download_digest
from apps.media.tests.flows.servers import TRANSFER, Site
from apps.media.tests.flows.test_faults import settle, wait_all_ready
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

IMPORTS = "/api/v1/uploads/imports/"
PIECE = 16 * 1024
PACE = 0.05  # seconds between pieces of a slow source


def begin(person: Person, url: str) -> str:
    """Begin an import; return its address."""
    with person.client() as client:
        answer = client.post(IMPORTS, json={"url": url})
    assert answer.status_code == 202, answer.text
    return str(answer.headers["Location"])


def shown(person: Person, address: str) -> dict[str, Any]:
    body: dict[str, Any] = person.get(address).json()
    return body


def ended(person: Person, address: str) -> dict[str, Any]:
    """What is told of the import once it is over."""

    def over() -> dict[str, Any] | None:
        body = shown(person, address)
        return body if body["state"] != "receiving" else None

    found = eventually(over, within=120)
    assert found is not None
    return found


def file_of(data: bytes, *, send: Callable[[socket.socket, bytes], None]) -> Script:
    """A source with a validator that knows ranges, and sends what is asked for by `send`."""

    def script(connection: socket.socket, request: bytes) -> None:
        asked = [line for line in request.decode().split("\r\n") if line.startswith("Range:")]
        start = int(asked[0].partition("=")[2].rstrip("-")) if asked else 0
        head = f'HTTP/1.1 {206 if start else 200} OK\r\nETag: "one"\r\n'
        head += f"Content-Length: {len(data) - start}\r\n"
        if start:
            head += f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}\r\n"
        connection.sendall(head.encode() + b"\r\n")
        send(connection, data[start:])

    return script


def slowly(stop: threading.Event) -> Callable[[socket.socket, bytes], None]:
    """Piece by piece until `stop`, then all the rest."""

    def send(connection: socket.socket, data: bytes) -> None:
        for at in range(0, len(data), PIECE):
            if stop.wait(PACE):
                connection.sendall(data[at:])
                return
            connection.sendall(data[at : at + PIECE])

    return send


def assert_whole(site: Site, person: Person, body: dict[str, Any], data: bytes) -> None:
    assert body["state"] == "completed", body
    wait_all_ready(site, person, 1)
    with person.client() as client:
        found = download_digest(client, body["media"]["urls"]["original"])
    assert found == (len(data), hashlib.sha256(data).hexdigest())
    settle(site)


class TestWorker:
    def test_killed_in_the_middle_goes_on_there(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        if not site.shows_partial_objects:
            pytest.skip("a bucket tells of whole parts, and this file is hardly more than one")
        stop = threading.Event()
        with serving(file_of(large_photo, send=slowly(stop))) as source:
            address = begin(person, source.url())
            eventually(lambda: shown(person, address)["received"] > 0, within=60)
            site.kill_family(TRANSFER)
            kept = shown(person, address)["received"]
            assert 0 < kept < len(large_photo)
            stop.set()
            site.start(TRANSFER)
            body = ended(person, address)
            assert source.header("Range") == f"bytes={kept}-"
        assert_whole(site, person, body, large_photo)

    def test_asked_to_stop_lets_go_in_time(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        stop = threading.Event()
        with serving(file_of(large_photo, send=slowly(stop))) as source:
            address = begin(person, source.url())
            eventually(lambda: source.connects == 1)
            assert site.terminate(TRANSFER) < 8  # what the supervisor waits
            kept = shown(person, address)["received"]
            stop.set()
            site.start(TRANSFER)
            body = ended(person, address)
            assert source.header("Range") == (f"bytes={kept}-" if kept else "")
        assert_whole(site, person, body, large_photo)

    def test_is_cancelled_while_it_fetches(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        with serving(file_of(large_photo, send=slowly(threading.Event()))) as source:
            address = begin(person, source.url())
            eventually(lambda: source.connects == 1)
            with person.client() as client:
                assert client.delete(address).status_code == 204
                assert client.get(address).status_code == 404
        assert settle(site).of(person.id) == []


class TestSource:
    def test_that_cuts_is_asked_for_the_rest(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        cuts = itertools.count(1)
        third = len(large_photo) // 3

        def send(connection: socket.socket, data: bytes) -> None:
            connection.sendall(data if next(cuts) > 2 else data[:third])

        with serving(file_of(large_photo, send=send)) as source:
            body = ended(person, begin(person, source.url()))
            assert source.header("Range", request=1) == f"bytes={third}-"
            assert source.connects == 3
        assert_whole(site, person, body, large_photo)

    def test_that_lies_about_its_length_fails(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            if b"Range:" in request:
                connection.sendall(b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n")
                return
            head = (
                f'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: {2 * len(large_photo)}\r\n\r\n'
            )
            connection.sendall(head.encode() + large_photo)

        self._fails(site, person, script, codes={"source_changed", "source_unavailable"})

    def test_that_never_ends_fails_at_the_limit(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        def script(connection: socket.socket, request: bytes) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + large_photo)
            while True:
                connection.sendall(bytes(PIECE))

        self._fails(site, person, script, codes={"file_too_large"})

    def test_inside_is_never_asked(self, site: Site, person: Person) -> None:
        body = ended(person, begin(person, "http://169.254.169.254/latest/meta-data/"))
        assert body["failure"]["code"] == "url_not_allowed"

    def _fails(self, site: Site, person: Person, script: Script, *, codes: set[str]) -> None:
        with serving(script) as source:
            body = ended(person, begin(person, source.url()))
        assert (body["state"], body["media"]) == ("failed", None)
        assert body["failure"]["code"] in codes
        assert settle(site).of(person.id) == []
