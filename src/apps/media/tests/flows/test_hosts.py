"""Two web servers, two workers, database, broker, storage and proxy, each a machine of its own.

What is begun at one web server goes on at another; a machine whose cable is pulled loses nothing,
and may come back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import httpx
import pytest

from apps.media.tests import samples
from apps.media.tests.flows import hosts as machines
from apps.media.tests.flows.clients import Person, problem_code
from apps.media.tests.flows.hosts import BROKER, DATABASE, WEBS, WORKERS, Hosts, running_hosts
from apps.media.tests.flows.state import assert_accounts, assert_at_rest
from apps.media.tests.flows.test_upload_faults import words
from apps.media.tests.flows.tus import Line, Tus
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

MIB = 1024 * 1024
FIRST, SECOND = WEBS


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    if lacking := machines.missing_part():
        pytest.skip(lacking)
    with running_hosts(tmp_path_factory.mktemp("hosts")) as hosts:
        yield hosts


@pytest.fixture
def hosts(running: Hosts) -> Iterator[Hosts]:
    """Whole at the beginning, and at the end: nothing lost, nothing too much."""
    yield running
    assert_whole(running)


@pytest.fixture
def person(hosts: Hosts) -> Person:
    return hosts.person()


def assert_whole(hosts: Hosts) -> None:
    def quiet() -> bool:
        hosts.observer.ask("finish_uploads")
        hosts.observer.ask("sweep_unfinished")  # what a lost host stored after it was replaced
        hosts.observer.ask("bury")
        state = hosts.state()
        ended = all(row["state"] in {"done", "failed", "cancelled"} for row in state.jobs)
        return ended and not state.tombstones

    eventually(quiet, within=120)
    state = hosts.state()
    assert_at_rest(state)
    assert_accounts(state)
    assert hosts.observer.ask("violations") == []


def wait_ready(hosts: Hosts, person: Person, count: int) -> None:
    eventually(lambda: hosts.statuses(person) == ["ready"] * count, within=120)


def at(hosts: Hosts, web: str, person: Person) -> Tus:
    """An uploader who talks to that web server and to no other."""
    return Tus(person, hosts.address_of(web))


def offset_of(tus: Tus, url: str) -> int | None:
    """Once nobody else holds the upload any more."""
    answer = tus.head(url)
    return int(answer.headers["Upload-Offset"]) if answer.status_code == 200 else None


def finish(tus: Tus, url: str, data: bytes) -> None:
    """Send what lacks, however often somebody else is still in the way."""

    def sent() -> httpx.Response | None:
        offset = offset_of(tus, url)
        if offset is None:
            return None
        answer = tus.patch(url, data[offset:], offset) if offset < len(data) else tus.head(url)
        return answer if answer.headers.get("Upload-Offset") == str(len(data)) else None

    answer = eventually(sent, within=90)
    assert answer is not None
    assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()


def test_an_upload_begun_at_one_host_goes_on_at_the_other(hosts: Hosts, person: Person) -> None:
    data = words(7 * MIB)
    first, second = at(hosts, FIRST, person), at(hosts, SECOND, person)
    url = first.create(len(data))
    assert first.patch(url, data[: 3 * MIB], 0).status_code == 204
    assert offset_of(second, url) == 3 * MIB
    assert second.patch(url, data[3 * MIB : 5 * MIB], 3 * MIB).status_code == 204
    finish(first, url, data)
    wait_ready(hosts, person, 1)


def test_a_host_that_is_cut_off_in_mid_upload_loses_nothing(hosts: Hosts, person: Person) -> None:
    data = words(6 * MIB)
    first, second = at(hosts, FIRST, person), at(hosts, SECOND, person)
    url = first.create(len(data))
    assert first.patch(url, data[: 2 * MIB], 0).status_code == 204
    line = Line(first, url, offset=2 * MIB, length=4 * MIB)
    line.send(data[2 * MIB : 3 * MIB])
    eventually(lambda: hosts.observer.ask("is_held", person.id))
    with hosts.network.without(FIRST):
        finish(second, url, data)
    line.hang_up(reset=True)
    eventually(lambda: machines.is_ready(hosts.address_of(FIRST)), within=60)
    assert first.head(url).headers["Upload-Offset"] == str(len(data))
    wait_ready(hosts, person, 1)


def test_the_proxy_goes_on_with_the_host_that_is_left(hosts: Hosts, person: Person) -> None:
    with hosts.network.without(SECOND):
        for number in range(4):
            answer = eventually(lambda: _uploaded(person, f"{number}.txt"), within=60)  # noqa: B023
            assert answer
    wait_ready(hosts, person, 4)


def _uploaded(person: Person, name: str) -> bool:
    """Whoever was given to the lost host tries again, as browsers' users do."""
    try:
        return person.upload(f"words of {name}".encode(), name).status_code == 201
    except httpx.TransportError:
        return False


def test_a_worker_that_is_cut_off_at_work_is_replaced(hosts: Hosts, person: Person) -> None:
    photo = samples.photo_jpeg(2000, 1500)
    for number in range(6):
        assert person.upload(photo, f"{number}.jpg").status_code == 201
    eventually(lambda: _is_working(hosts, person), within=60)
    with hosts.network.without(WORKERS[0]):
        wait_ready(hosts, person, 6)
    for number in range(6, 8):  # back again, it takes its part
        assert person.upload(photo, f"{number}.jpg").status_code == 201
    wait_ready(hosts, person, 8)


def test_what_a_lost_host_had_locked_is_free_again(hosts: Hosts, person: Person) -> None:
    assert person.upload(b"words of one", "one.txt").status_code == 201
    wait_ready(hosts, person, 1)
    lost = hosts.observer_on(WORKERS[0])
    lost.ask("hold", person.id)
    with hosts.network.without(WORKERS[0]):
        eventually(lambda: hosts.observer.ask("nothing_is_locked"), within=60)
    lost.stop()


def _is_working(hosts: Hosts, person: Person) -> bool:
    return any(row["state"] == "running" for row in hosts.observer.ask("jobs", person.id))


def test_without_the_broker_files_are_taken_and_ready_later(hosts: Hosts, person: Person) -> None:
    with hosts.network.without(BROKER):
        assert person.upload(b"words without a broker", "a.txt").status_code == 201
        assert hosts.statuses(person) == ["pending"]
    wait_ready(hosts, person, 1)


def test_without_the_database_it_is_said_and_goes_on_afterwards(
    hosts: Hosts, person: Person
) -> None:
    data = words(2 * MIB)
    tus = at(hosts, FIRST, person)
    url = tus.create(len(data))
    assert tus.patch(url, data[:MIB], 0).status_code == 204
    with hosts.network.without(DATABASE), tus.person_client() as client:
        answer = client.get("/api/v1/media/")  # within the client's minute
    assert (answer.status_code, problem_code(answer)) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]
    finish(tus, url, data)
    wait_ready(hosts, person, 1)
