"""Resumable uploads over real connections to real processes: cut, stalled, raced, killed.

The cases of the protocol that need a line, named by their ids, and the faults F1, F3, F5, F16.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.state import assert_explained
from apps.media.tests.flows.tus import Line, Tus
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

MIB = 1024 * 1024
TEXT = b"Hello world"


def words(size: int) -> bytes:
    """Text that is never twice the same."""
    return (os.urandom(size // 2 + 1).hex().encode())[:size]


@pytest.fixture
def tus(person: Person) -> Tus:
    return Tus(person)


def wait_until_taken_up(tus: Tus, site: Site) -> None:
    """Whoever asks before a request has come to the site is rightly told of nothing."""
    eventually(lambda: site.observer.ask("is_held", tus.person.id))


class TestBodies:
    def test_core_22_too_much_in_chunks(self, tus: Tus) -> None:
        url = tus.create(5)
        line = Line(tus, url)
        line.send_chunk(TEXT)
        line.send_chunk(b"")
        assert 400 <= line.status() < 500
        assert tus.offset(url) <= 5

    def test_core_23_chunks(self, tus: Tus) -> None:
        url = tus.create(11)
        line = Line(tus, url)
        for piece in (TEXT[:6], TEXT[6:], b""):
            line.send_chunk(piece)
        assert line.status() == 204
        assert tus.head(url).headers["Content-Location"]

    def test_chunks_that_never_end(self, tus: Tus) -> None:
        url = tus.create(11)
        line = Line(tus, url)
        line.send_chunk(TEXT[:6])
        line.hang_up()
        assert tus.offset(url) in {0, 6}
        assert tus.resume(url, TEXT).status_code == 204

    def test_cwu_07_expect_continue(self, tus: Tus) -> None:
        url = tus.create(11)
        line = Line(tus, url, length=11, Expect="100-continue")
        assert line.status() == 100
        line.send(TEXT)
        assert line.status() == 204


class TestBrokenLines:
    @pytest.mark.parametrize("reset", [False, True])
    def test_core_27_f3_what_came_is_kept(self, tus: Tus, site: Site, reset: bool) -> None:
        data, count = words(3 * MIB), 2 * MIB + 77
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[:count])
        wait_until_taken_up(tus, site)
        line.hang_up(reset=reset)
        offset = tus.offset(url)
        assert reset or offset == count
        answer = tus.patch(url, data[offset:], offset)
        assert answer.status_code == 204
        assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()

    def test_race_03_f3_a_silent_holder_lets_go(self, tus: Tus, site: Site) -> None:
        data = words(MIB)
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[: MIB // 2])
        wait_until_taken_up(tus, site)
        started = time.monotonic()
        offset = tus.offset(url)
        assert time.monotonic() - started < 10
        assert offset == MIB // 2
        assert tus.patch(url, data[offset:], offset).status_code == 204
        assert line.status() in {409, 0}


class TestRaces:
    def test_race_01_f16_one_of_many(self, tus: Tus) -> None:
        data = words(MIB)
        url = tus.create(len(data))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: tus.patch(url, data, 0), range(8)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 204
        assert set(statuses[1:]) <= {409, 423}
        whole = next(answer for answer in answers if answer.status_code == 204)
        assert tus.stored_digest(whole) == hashlib.sha256(data).hexdigest()

    def test_race_02_deleted_while_it_arrives(self, tus: Tus, site: Site) -> None:
        url = tus.create(2 * MIB)
        line = Line(tus, url, length=2 * MIB)
        line.send(words(MIB))
        assert tus.delete(url).status_code == 204
        assert tus.head(url).status_code == 404
        assert line.status() in {404, 409, 0}
        assert_explained(site.state())


class TestKilled:
    def test_f1_kill_9_in_the_middle(self, tus: Tus, site: Site) -> None:
        data = words(24 * MIB)
        url = tus.create(len(data))
        acknowledged = int(tus.patch(url, data[:MIB], 0).headers["Upload-Offset"])
        line = Line(tus, url, offset=MIB, length=len(data) - MIB)
        line.send(data[MIB : 20 * MIB])
        for process in site.children("web"):
            process.kill()
        line.hang_up()
        site.wait_ready()
        eventually(lambda: tus.head(url).is_success)  # once the lease of the killed has run out
        offset = tus.offset(url)
        assert acknowledged <= offset <= 20 * MIB
        answer = tus.patch(url, data[offset:], offset)
        assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()
        assert_explained(site.state())

    def test_f5_a_graceful_stop_keeps_what_came(self, tus: Tus, site: Site) -> None:
        data, count = words(2 * MIB), MIB + 4321  # a size that nothing else has
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[:count])
        wait_until_taken_up(tus, site)
        if site.shows_partial_objects:
            eventually(lambda: count in site.state().objects.values())
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(line.status()))
        waiting.start()
        assert site.terminate("web") < 8
        waiting.join(10)
        site.ensure_running("web")
        assert answers in ([503], [0])
        # A bucket takes a moment to be told of the end of a part, and nobody may go on meanwhile.
        eventually(lambda: tus.head(url).status_code == 200, within=60)
        assert tus.offset(url) == count or not site.shows_partial_objects
        answer = tus.resume(url, data)
        assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()


def test_hundreds_of_slow_lines(tus: Tus, site: Site) -> None:
    """Two hundred uploads that trickle at once; the site answers others meanwhile."""
    data, count = words(64 * 1024), 200
    tus.patch(tus.create(len(data)), data, 0)  # what the first one brings stays
    before = _memory_of_web(site)
    urls = [tus.create(len(data)) for _ in range(count)]
    lines = [Line(tus, url, length=len(data)) for url in urls]
    for start in range(0, len(data), 16 * 1024):
        for line in lines:
            line.send(data[start : start + 16 * 1024])
        with tus.client(timeout=20) as client:
            assert client.get("/api/v1/me/usage/").status_code == 200
    for url, line in zip(urls, lines, strict=True):
        if line.status() != 204:  # on a busy machine it stood still for too long: it goes on
            assert tus.resume(url, data).status_code == 204
    # For a bucket each line has the part that it is at in memory, and a connection of its own.
    each = MIB if site.shows_partial_objects else 5 * MIB // 2
    assert _memory_of_web(site) - before < count * each


def _memory_of_web(site: Site) -> int:
    """Bytes of the web's processes, what they share counted once."""
    web = [site.process("web"), *site.children("web")]
    return sum(int(process.memory_full_info().pss) for process in web)
