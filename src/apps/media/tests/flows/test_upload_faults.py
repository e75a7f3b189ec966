"""Uploads in the middle of which something goes wrong on the server's side, or the client's.

Named by the faults' ids. After each, rows explain every object, and the next upload succeeds.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from apps.media.tests.flows.clients import (
    API,
    BOUNDARY,
    CONTENT_TYPE,
    HalfUpload,
    Person,
    form_head,
    form_tail,
    problem_code,
)
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.state import State, assert_accounts, assert_explained
from apps.media.tests.flows.tus import BYTES, Line, Tus
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

MIB = 1024 * 1024
WORDS = "Words, and nothing but words. " * 100


def words(size: int) -> bytes:
    """Text that is never twice the same."""
    return os.urandom(size // 2 + 1).hex().encode()[:size]


@pytest.fixture
def tus(person: Person) -> Tus:
    return Tus(person)


def settled(site: Site, person: Person) -> State:
    """What is left after every wait and sweep; of unfinished uploads nothing may be."""
    site.observer.ask("expire_uploads")
    site.observer.ask("bury")
    state = site.state()
    assert state.unfinished_uploads(person.id) == []
    assert_explained(state)
    assert_accounts(state)
    assert site.observer.ask("violations") == []
    return state


def assert_takes_uploads(person: Person) -> None:
    """Nothing has to be done by hand."""
    answer = person.upload(words(10_000), "again.txt")
    assert answer.status_code == 201, answer.text


def test_f2_all_of_the_web_is_killed_in_a_form(site: Site, person: Person) -> None:
    data = words(4 * MIB)
    upload = HalfUpload(person, "words.txt", size=len(data))
    upload.send(data[: 2 * MIB])
    eventually(lambda: site.state().unfinished_uploads(person.id))
    site.kill_family("web")
    assert upload.answer() == b""
    assert_explained(site.state())
    assert settled(site, person).of(person.id) == []
    site.ensure_running("web")
    assert_takes_uploads(person)


def test_f15_twenty_finalizers_at_once(site: Site, person: Person, tus: Tus) -> None:
    url = site.observer.ask("arrive", person.id, WORDS)
    with ThreadPoolExecutor(20) as pool:
        heads = pool.map(lambda _: tus.head(url), range(20))
        site.observer.ask("finish_uploads")
        answers = list(heads)
    assert {answer.status_code for answer in answers} <= {200, 423}
    places = {tus.head(url).headers["Content-Location"]}
    assert {a.headers["Content-Location"] for a in answers if a.status_code == 200} == places
    state = settled(site, person)
    assert len(state.of(person.id)) == 1


class TestQuota:
    @pytest.mark.parametrize("way", ["tus", "form"])
    def test_f17_one_of_twenty_fits(self, site: Site, person: Person, tus: Tus, way: str) -> None:
        room = 500_000
        data = words(room * 6 // 10)
        site.observer.ask("limit_quota", person.id, room)
        with ThreadPoolExecutor(20) as pool:
            send = self.begin if way == "tus" else self.send_form
            answers = list(pool.map(lambda _: send(tus, data), range(20)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] + [413] * 19
        assert {problem_code(a) for a in answers if a.status_code == 413} == {"quota_exceeded"}
        state = settled(site, person)
        assert len(state.of(person.id)) == (way == "form")
        for media in state.of(person.id):
            with person.client() as client:
                client.delete(f"{API}{media['id']}/?permanent=true")
        account = next(q for q in settled(site, person).quotas if q["owner_id"] == person.id)
        assert (account["bytes_used"], account["bytes_reserved"]) == (0, 0)

    @staticmethod
    def begin(tus: Tus, data: bytes) -> httpx.Response:
        with tus.client() as client:
            headers = {"Upload-Length": str(len(data)), "Upload-Metadata": "filename d29yZHMudHh0"}
            return client.post("/api/v1/uploads/tus/", headers=headers)

    @staticmethod
    def send_form(tus: Tus, data: bytes) -> httpx.Response:
        return tus.person.upload(data, "words.txt")


def test_f23_files_may_not_grow(site: Site, person: Person, tus: Tus) -> None:
    """What the system refuses to write is refused to the client, and what was there stays."""
    data = words(9 * MIB)
    url = tus.create(len(data))
    assert tus.patch(url, data[:MIB], 0).status_code == 204
    limit_files(site, 7 * MIB)
    try:
        refused = tus.patch(url, data[MIB:], MIB)
        assert (refused.status_code, problem_code(refused)) == (507, "storage_full")
        form = person.upload(data, "words.txt")
        assert (form.status_code, problem_code(form)) == (507, "storage_full")
    finally:
        limit_files(site, psutil.RLIM_INFINITY)
    assert tus.offset(url) == MIB
    assert_explained(site.state())
    answer = tus.resume(url, data)
    assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()
    assert len(settled(site, person).of(person.id)) == 1


def limit_files(site: Site, size: int) -> None:
    if not site.shows_partial_objects:
        pytest.skip("the storage is not of files")
    for process in site.children("web"):
        process.rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))


class Raw:
    """A request whose framing is written by hand."""

    def __init__(self, person: Person, head: list[str], body: bytes) -> None:
        place = urlsplit(person.address)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=60)
        lines = [*head, f"Host: {place.netloc}"]
        lines += [f"{name}: {value}" for name, value in person.headers.items()]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def finish(self, *, hang_up: bool) -> int:
        """The status of the answer, 0 where there is none."""
        if hang_up:
            self._socket.shutdown(socket.SHUT_WR)
        try:
            words = self._socket.recv(65_536).split()
            return int(words[1]) if len(words) > 1 else 0
        except ConnectionError:
            return 0
        finally:
            self._socket.close()


FORM = form_head("words.txt", {}) + WORDS.encode() + form_tail()
LONG, SHORT = str(len(FORM) + 1000), str(len(FORM) - 1000)
CHUNK = f"{len(FORM):x}\r\n".encode() + FORM + b"\r\n"


class TestFraming:
    """F28: what a client says of its body's length is wrong, or contradicts itself."""

    @pytest.mark.parametrize(
        ("framing", "body", "hang_up", "statuses"),
        [
            (f"Content-Length: {LONG}", FORM, True, {0, 400}),
            (f"Content-Length: {SHORT}", FORM, False, {0, 400}),
            ("Content-Length: -5", FORM, False, {400}),
            ("Content-Length: five", FORM, False, {400}),
            (f"Content-Length: {len(FORM)}\r\nContent-Length: 7", FORM, False, {400}),
            ("Transfer-Encoding: chunked", CHUNK, False, {411}),
            ("Transfer-Encoding: chunked\r\nContent-Length: 9", CHUNK, False, {400, 411}),
            ("X-No: length", b"", False, {400}),
        ],
    )
    def test_f28_forms(
        self,
        site: Site,
        person: Person,
        framing: str,
        body: bytes,
        hang_up: bool,
        statuses: set[int],
    ) -> None:
        head = [f"POST {API} HTTP/1.1", f"Content-Type: {CONTENT_TYPE}", framing]
        assert Raw(person, head, body).finish(hang_up=hang_up) in statuses
        eventually(lambda: not site.state().unfinished_uploads(person.id))
        assert settled(site, person).of(person.id) == []
        assert_takes_uploads(person)

    def test_f28_a_boundary_that_never_comes(self, site: Site, person: Person) -> None:
        body = FORM.replace(f"--{BOUNDARY}--".encode(), b"no end to it at all")
        head = [f"POST {API} HTTP/1.1", f"Content-Type: {CONTENT_TYPE}"]
        head.append(f"Content-Length: {len(body)}")
        assert Raw(person, head, body).finish(hang_up=False) == 400
        assert settled(site, person).of(person.id) == []

    @pytest.mark.parametrize(
        ("framing", "statuses"),
        [
            ("Content-Length: 500000", {0, 400}),
            ("Content-Length: -5", {400}),
            ("Content-Length: five", {400}),
            ("Content-Length: 5\r\nContent-Length: 7", {400}),
            ("Transfer-Encoding: chunked\r\nContent-Length: 9", {0, 400}),
            ("Transfer-Encoding: gzip", {400, 411, 501}),
        ],
    )
    def test_f28_tus(
        self, site: Site, person: Person, tus: Tus, framing: str, statuses: set[int]
    ) -> None:
        data = words(500_000)
        url = tus.create(len(data))
        head = [f"PATCH {url} HTTP/1.1", f"Content-Type: {BYTES}", "Tus-Resumable: 1.0.0"]
        head += ["Upload-Offset: 0", framing]
        assert Raw(person, head, data[:1000]).finish(hang_up=True) in statuses
        assert tus.offset(url) in {0, 1000}
        assert_explained(site.state())
        answer = tus.resume(url, data)
        assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()

    def test_f28_less_than_was_sent(self, site: Site, person: Person, tus: Tus) -> None:
        """The rest of the body is no request: nothing of it may be acted upon."""
        data = words(1000)
        url = tus.create(len(data))
        hidden = f"DELETE {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        head = [f"PATCH {url} HTTP/1.1", f"Content-Type: {BYTES}", "Tus-Resumable: 1.0.0"]
        head += ["Upload-Offset: 0", "Content-Length: 500"]
        assert Raw(person, head, data[:500] + hidden).finish(hang_up=True) == 204
        assert tus.offset(url) == 500
        assert tus.resume(url, data).status_code == 204

    def test_f28_chunks_without_end(self, site: Site, person: Person, tus: Tus) -> None:
        """A body of unknown length ends where the announced length does."""
        url = tus.create(64 * 1024)
        line = Line(tus, url)
        started = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - started < 30:
                line.send_chunk(b"endless " * 2048)
        assert tus.offset(url) <= 64 * 1024
        assert_explained(site.state())


def test_a_refusal_before_the_body_was_read_costs_no_other_request(site: Site) -> None:
    """It says that the connection ends, so that the client opens another."""
    with httpx.Client(base_url=site.address) as client:
        for _ in range(5):
            refused = client.post(API, files={"file": ("a.txt", words(MIB // 2))})
            assert (refused.status_code, refused.headers["Connection"]) == (401, "close")
            assert client.get("/healthz").status_code == 200


class TestExpiry:
    def test_f31_an_upload_that_has_just_gone_on(
        self, site: Site, person: Person, tus: Tus
    ) -> None:
        """The clock passes its time while bytes arrive: it lives on."""
        data = words(2 * MIB)
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[:MIB])
        if site.shows_partial_objects:
            eventually(lambda: site.state().unfinished_uploads(person.id))
        eventually(lambda: site.observer.ask("is_held", person.id))
        site.observer.ask("expire_uploads")
        line.send(data[MIB:])
        assert line.status() == 204
        assert tus.stored_digest(tus.head(url)) == hashlib.sha256(data).hexdigest()

    def test_f31_an_upload_that_comes_too_late(self, site: Site, person: Person, tus: Tus) -> None:
        data = words(MIB)
        url = tus.create(len(data))
        tus.patch(url, data[:1000], 0)
        with ThreadPoolExecutor(8) as pool:
            patches = [pool.submit(tus.patch, url, data[1000:], 1000) for _ in range(4)]
            site.observer.ask("expire_uploads")
            statuses = {patch.result().status_code for patch in patches}
        assert statuses <= {204, 404, 409, 410, 423}
        state = settled(site, person)
        assert len(state.of(person.id)) == (204 in statuses)
        if 204 not in statuses:
            assert tus.head(url).status_code in {404, 410}

    def test_f31_a_finished_upload_stays(self, site: Site, person: Person, tus: Tus) -> None:
        data = words(10_000)
        answer = tus.patch(tus.create(len(data)), data, 0)
        site.observer.ask("expire_uploads")
        site.observer.ask("bury")
        assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()
