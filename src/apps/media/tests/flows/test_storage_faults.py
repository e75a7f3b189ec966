"""The storage fails on the way: away, slow, mute, wrong. OpenStack Swift behind a bad line.

Named by the faults' ids. What the storage did without telling is recognised, what it was told
wrongly is refused, and a slow one holds up nobody who does not need it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from apps.core.tests.storages import S3Server, fresh_bucket
from apps.core.tests.swift import swift_server
from apps.core.tests.swift_server import ACCESS_KEY, SECRET_KEY
from apps.media.tests.flows.badline import BadLine, Fault
from apps.media.tests.flows.clients import Person, problem_code
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.state import assert_accounts, assert_explained
from apps.media.tests.flows.test_upload_faults import words
from apps.media.tests.flows.tus import Tus
from apps.media.tests.flows.waiting import eventually

__all__ = ["swift_server"]

pytestmark = [pytest.mark.faults, pytest.mark.swift, pytest.mark.timeout(300)]

MIB = 1024 * 1024
PATIENCE = 3  # seconds that the site waits for its storage, twice
SIZE = 9 * MIB  # a part and a tail


@pytest.fixture(scope="module")
def line(swift_server: S3Server) -> Iterator[BadLine]:
    """Between the site and its storage."""
    with BadLine(swift_server.endpoint) as line:
        yield line


@pytest.fixture(scope="module")
def lean_site(
    line: BadLine, swift_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Web and broker: nothing is processed, so that all requests are the upload's."""

    def change(environment: dict[str, str]) -> dict[str, str]:
        url = f"s3://{bucket}/site?endpoint_url={line.address}&region_name=us-east-1"
        return {
            **environment,
            "MEDIA_STORAGE_URL": url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "TEST_STORAGE_PATIENCE": str(PATIENCE),
        }

    with fresh_bucket(swift_server) as bucket:
        directory = tmp_path_factory.mktemp("swift-site")
        with running_site(directory, programs=("broker", "web"), change=change) as site:
            yield site


@pytest.fixture
def site(lean_site: Site, line: BadLine) -> Iterator[Site]:
    line.heal()
    yield lean_site
    line.heal()


@pytest.fixture
def tus(person: Person) -> Tus:
    return Tus(person)


def finish(site: Site, tus: Tus, url: str, data: bytes) -> None:
    """Go on to the end as a client would; one true file, and nothing else, is there."""

    def sent() -> httpx.Response | None:
        head = tus.head(url)
        if head.status_code != 200:
            return None
        offset = int(head.headers["Upload-Offset"])
        if offset == len(data):
            return head
        tus.patch(url, data[offset:], offset)
        return None

    answer = eventually(sent, within=90)
    assert answer is not None
    assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()
    assert_alone(site, tus.person, count=1)


def assert_alone(site: Site, person: Person, *, count: int) -> None:
    site.observer.ask("bury")
    state = site.state()
    assert len(state.of(person.id)) == count
    assert set(state.objects) == state.kept_keys()
    assert state.unfinished == []
    assert_explained(state)
    assert_accounts(state)
    assert site.observer.ask("violations") == []


LOST = {
    "a part": "^PUT .*partNumber=1",
    "the tail": r"^PUT .*\.piece-\w+ ",
    "the beginning of parts": r"^POST .*\?uploads",
    "the joining of parts": r"^POST .*uploadId",
    "the copy of the tail": r"^PUT .*partNumber=2",
    "the copy to its place": "^PUT .*/original/",
    "a removal": "^DELETE ",
}


@pytest.mark.parametrize("what", LOST)
def test_f26_an_answer_of_the_storage_is_lost(
    site: Site, tus: Tus, line: BadLine, what: str
) -> None:
    data = words(SIZE)
    url = tus.create(len(data))
    line.suffer(Fault("lost_reply", LOST[what], times=1))
    tus.patch(url, data, 0)
    assert len(line.hits) == 1
    line.heal()
    finish(site, tus, url, data)


@pytest.mark.parametrize("what", LOST)
def test_f26_every_answer_is_lost(site: Site, tus: Tus, line: BadLine, what: str) -> None:
    """Until the request is given up; the next one finds what has been done."""
    data = words(SIZE)
    url = tus.create(len(data))
    line.suffer(Fault("lost_reply", LOST[what]))
    tus.patch(url, data, 0)
    assert line.hits
    line.heal()
    finish(site, tus, url, data)


@pytest.mark.parametrize("match", ["^PUT ", "^POST ", "^HEAD ", "^(GET|DELETE) "])
def test_f24_away_for_a_moment(site: Site, tus: Tus, line: BadLine, match: str) -> None:
    data = words(SIZE)
    url = tus.create(len(data))
    line.suffer(Fault("status", match, times=3, status=503))
    answer = tus.patch(url, data, 0)
    assert answer.status_code in {204, 503}
    if answer.status_code == 503:
        assert (problem_code(answer), answer.headers["Retry-After"]) == (
            "storage_unavailable",
            "10",
        )
    finish(site, tus, url, data)


def test_f24_away_for_a_form(site: Site, person: Person, line: BadLine) -> None:
    line.suffer(Fault("status", "^PUT ", status=503))
    refused = person.upload(words(MIB), "words.txt")
    assert (refused.status_code, problem_code(refused)) == (503, "storage_unavailable")
    line.heal()
    site.observer.ask("expire_uploads")
    assert_alone(site, person, count=0)
    assert person.upload(words(MIB), "words.txt").status_code == 201
    assert_alone(site, person, count=1)


def test_f25_a_black_hole_holds_up_nobody_else(
    site: Site, tus: Tus, person: Person, line: BadLine
) -> None:
    data = words(100_000)
    urls = [tus.create(len(data)) for _ in range(3)]
    line.suffer(Fault("black_hole"))
    with ThreadPoolExecutor(len(urls)) as pool:
        stuck = [pool.submit(tus.patch, url, data, 0) for url in urls]
        eventually(lambda: len(line.hits) >= len(urls))
        started = time.monotonic()
        assert person.get("/api/v1/me/usage/").status_code == 200
        assert time.monotonic() - started < PATIENCE
        assert {answer.result().status_code for answer in stuck} == {503}
        assert time.monotonic() - started < 10 * PATIENCE
    line.heal()
    for url in urls:
        assert tus.resume(url, data).status_code == 204
    assert_alone(site, person, count=len(urls))


def test_f25_a_slow_storage(site: Site, tus: Tus, line: BadLine) -> None:
    data = words(2 * MIB)
    url = tus.create(len(data))
    line.suffer(Fault("throttle", "^PUT ", rate=1_500_000))
    assert tus.patch(url, data, 0).status_code == 204
    line.heal()
    finish(site, tus, url, data)


@pytest.mark.parametrize("what", ["a part", "the tail"])
@pytest.mark.parametrize("kind", ["corrupt", "cut"])
def test_f27_damaged_on_the_way(
    site: Site, tus: Tus, line: BadLine, person: Person, what: str, kind: str
) -> None:
    """Found by the storage, which was told a digest; what it refused is sent again."""
    data = words(SIZE)
    url = tus.create(len(data))
    line.suffer(Fault(kind, LOST[what], times=1, at=1000))  # type: ignore[arg-type]
    answer = tus.patch(url, data, 0)
    assert len(line.hits) == 1
    assert answer.status_code in ({503} if kind == "corrupt" else {204, 503})
    finish(site, tus, url, data)


@pytest.mark.parametrize("size", [MIB, SIZE])
def test_f27_damaged_on_the_way_of_a_form(
    site: Site, person: Person, line: BadLine, size: int
) -> None:
    line.suffer(Fault("corrupt", "^PUT ", times=1, at=1000))
    assert person.upload(words(size), "words.txt").status_code == 503
    line.heal()
    site.observer.ask("expire_uploads")
    assert_alone(site, person, count=0)


def test_f30_sweeps_and_wishes_during_a_slow_copy(
    site: Site, tus: Tus, line: BadLine, person: Person
) -> None:
    """What is being made a file of is held: neither the clock nor its owner ends it half-way."""
    data = words(MIB)
    url = tus.create(len(data))
    line.suffer(Fault("delay", "^PUT .*/original/", seconds=1.2))
    with ThreadPoolExecutor(2) as pool:
        sending = pool.submit(tus.patch, url, data, 0)
        eventually(lambda: line.hits)
        site.observer.ask("expire_uploads")
        site.observer.ask("bury")
        wish = pool.submit(tus.delete, url)
        assert sending.result().status_code == 204
        assert wish.result().status_code == 409
    assert_alone(site, person, count=1)
    assert tus.stored_digest(tus.head(url)) == hashlib.sha256(data).hexdigest()
