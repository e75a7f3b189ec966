"""Downloads at a pace and so many at a time, counted over real processes and broken lines."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

MIB = 1024 * 1024
PLACES = 3
SIZE = 48 * MIB  # more than the buffers of a line take
RATE = 40 * MIB  # bytes per second


@pytest.fixture(scope="module")
def limited_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    options = {"DOWNLOADS": {"user": PLACES}, "BANDWIDTH": {"user": RATE}}
    folder = tmp_path_factory.mktemp("site")
    with running_site(folder, programs=("broker", "web"), **options) as site:
        yield site


@pytest.fixture
def person(limited_site: Site) -> Person:
    return limited_site.person()


@pytest.fixture
def url(person: Person) -> str:
    data = os.urandom(SIZE // 2).hex().encode()
    answer = person.upload(data, "words.txt")
    assert answer.status_code == 201, answer.text
    return f"/media/{answer.json()['id']}/original"


class Held:
    """A download of which only the beginning is read."""

    def __init__(self, person: Person, url: str) -> None:
        place = urlsplit(person.address)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=60)
        lines = [f"GET {url} HTTP/1.1", f"Host: {place.netloc}"]
        lines += [f"{name}: {value}" for name, value in person.headers.items()]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.status = int(self._socket.recv(4096).split()[1])

    def hang_up(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


def test_places_are_counted_over_processes_and_free_when_clients_go(
    person: Person, url: str
) -> None:
    held = [Held(person, url) for _ in range(PLACES)]
    assert [one.status for one in held] == [200] * PLACES
    refused = person.get(url)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_downloads")
    assert int(refused.headers["Retry-After"]) > 0
    held[1].hang_up()
    another = eventually(lambda: _taken(person, url))
    assert person.get(url).status_code == 429
    for one in (held[0], held[2], another):
        one.hang_up()
    eventually(lambda: person.get(url).status_code == 200)


def _taken(person: Person, url: str) -> Held | None:
    one = Held(person, url)
    if one.status == 200:
        return one
    one.hang_up()
    return None


def test_no_faster_than_allowed(person: Person, url: str) -> None:
    begun = time.monotonic()
    answer = person.get(url)
    took = time.monotonic() - begun
    assert (answer.status_code, len(answer.content)) == (200, SIZE)
    assert took >= (SIZE - RATE / 2) / RATE
