"""What is killed, lost, doubled or cut off: nothing of it costs a file or leaves one behind."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from apps.media.tests import samples
from apps.media.tests.flows.clients import HalfUpload, Person
from apps.media.tests.flows.servers import SPARE, Site, lives
from apps.media.tests.flows.state import FULL_SET, State, assert_at_rest, assert_explained
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

MIB = 1024 * 1024


def take(person: Person, data: bytes, count: int) -> list[str]:
    """Upload `data` several times; return the ids of the media."""
    answers = [person.upload(data, f"photo-{number}.jpg") for number in range(count)]
    assert {answer.status_code for answer in answers} == {201}, [a.text for a in answers]
    return [answer.json()["id"] for answer in answers]


def all_ready(site: Site, person: Person, count: int) -> bool:
    statuses = site.statuses(person)
    assert not set(statuses) & {"failed", "quarantined"}, statuses
    return statuses.count("ready") == count


def wait_all_ready(site: Site, person: Person, count: int, *, within: float = 120) -> None:
    eventually(lambda: all_ready(site, person, count), within=within)


def settle(site: Site) -> State:
    """Bury what is on its way out; return the state, in which all promises must hold."""

    def quiet() -> State | None:
        site.observer.ask("bury")
        state = site.state()
        ended = all(row["state"] in {"done", "failed", "cancelled"} for row in state.jobs)
        return state if ended and not state.tombstones else None

    state = eventually(quiet)
    assert state is not None
    assert_at_rest(state)
    return state


def assert_full_sets(state: State, person: Person, count: int) -> None:
    mine = state.of(person.id)
    assert [row["status"] for row in mine] == ["ready"] * count
    assert [len(state.renditions_of(row)) for row in mine] == [FULL_SET] * count


def kill_at_work(site: Site) -> None:
    """Kill the worker while it has a working directory."""
    while True:
        eventually(lambda: list(site.work_dir.glob("job-*")), within=60)
        family = site.suspend_family("worker")
        if list(site.work_dir.glob("job-*")):
            site.kill_family("worker")
            return
        for process in family:
            process.resume()


def is_rendering(site: Site, person: Person, *, after: int) -> bool:
    """Whether a rendition set is being made now by the fast worker and `after` files are ready."""
    running = [
        row
        for row in site.observer.ask("jobs", person.id)
        if (row["kind"], row["queue"], row["state"]) == ("render", "media.fast", "running")
    ]
    return bool(running) and site.statuses(person).count("ready") >= after


class TestKilledWorker:
    def test_in_mid_work_time_and_again(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        count = 8
        take(person, large_photo, count)
        for done in (0, 2, 4):
            eventually(lambda: is_rendering(site, person, after=done), within=60)  # noqa: B023
            site.kill_family("worker")
            assert_explained(site.state())
            site.start("worker")
        wait_all_ready(site, person, count)
        assert_full_sets(settle(site), person, count)

    def test_its_children_do_not_outlive_it(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        take(person, large_photo, 3)
        eventually(lambda: is_rendering(site, person, after=0), within=60)
        family = eventually(lambda: site.children("worker"))
        site.kill("worker")
        eventually(lambda: not any(lives(process) for process in family))
        site.start("worker")
        wait_all_ready(site, person, 3)
        assert_full_sets(settle(site), person, 3)

    def test_a_killed_fork_server_is_replaced(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        take(person, large_photo, 3)
        eventually(lambda: is_rendering(site, person, after=0), within=60)
        worker = site.process("worker")
        for child in worker.children():
            child.kill()
        wait_all_ready(site, person, 3)
        assert worker.is_running()
        assert_full_sets(settle(site), person, 3)

    def test_its_working_directories_are_cleared(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        count = 4
        take(person, large_photo, count)
        kill_at_work(site)
        assert list(site.work_dir.glob("job-*"))
        site.start("worker")
        wait_all_ready(site, person, count)
        eventually(lambda: not list(site.work_dir.glob("job-*")))
        settle(site)

    def test_a_frozen_one_saves_nothing_when_it_wakes(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        take(person, large_photo, 2)
        eventually(lambda: is_rendering(site, person, after=0), within=60)
        frozen = site.suspend_family("worker")
        try:
            site.start(SPARE)
            wait_all_ready(site, person, 2)
            settled = settle(site)
        finally:
            for process in frozen:
                process.resume()
        site.terminate(SPARE)
        with_another = person.upload(large_photo, "later.jpg").json()["id"]
        eventually(lambda: _is_ready(site, person, with_another), within=60)
        state = settle(site)
        assert settled.renditions == state.renditions[: len(settled.renditions)]
        assert_full_sets(state, person, 3)

    def test_asked_to_stop_it_ends_in_time(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        count = 6
        take(person, large_photo, count)
        eventually(lambda: is_rendering(site, person, after=0), within=60)
        seconds = site.terminate("worker")  # which fails where it takes too long
        sys.stdout.write(f"\nthe worker stopped within {seconds:.1f} s\n")
        assert_explained(site.state())
        site.start("worker")
        wait_all_ready(site, person, count)
        assert_full_sets(settle(site), person, count)


class TestBroker:
    def test_that_forgets_everything(self, site: Site, person: Person) -> None:
        count = 5
        site.kill_family("worker")
        take(person, samples.photo_jpeg(1200, 900), count)
        with site.broker() as client:
            client.flushall()
        site.start("worker")
        wait_all_ready(site, person, count)
        settle(site)

    def test_that_is_away_fails_no_upload(self, site: Site, person: Person) -> None:
        site.kill("broker")
        take(person, samples.photo_jpeg(1200, 900), 2)
        assert site.statuses(person) == ["pending", "pending"]
        site.start("broker")
        wait_all_ready(site, person, 2)
        settle(site)

    def test_that_delivers_everything_twice(self, site: Site, person: Person) -> None:
        count = 4
        site.kill_family("worker")
        with site.broker() as client:
            client.flushall()  # what killed workers held stays counted for an hour
        take(person, samples.photo_jpeg(1200, 900), count)
        queued = [row["id"] for row in site.observer.ask("jobs", person.id)]
        assert len(queued) == 2 * count  # inspect and scan
        assert site.observer.ask("send", [*queued, *queued]) == 4 * count
        site.start("worker")
        wait_all_ready(site, person, count)
        before = settle(site)
        jobs = [row["id"] for row in site.observer.ask("jobs", person.id)]
        assert len(jobs) == 3 * count
        assert site.observer.ask("send", [*jobs, *jobs]) == 6 * count
        eventually(lambda: site.queued_messages() == 0)
        after = settle(site)
        assert after.renditions == before.renditions
        assert {row["attempts"] for row in site.observer.ask("jobs", person.id)} == {1}


class TestBrokenUpload:
    @pytest.mark.parametrize("reset", [False, True])
    def test_a_client_that_vanishes_leaves_nothing(
        self, site: Site, person: Person, reset: bool, large_photo: bytes
    ) -> None:
        upload = HalfUpload(person, "photo.jpg", size=len(large_photo))
        upload.send(large_photo[: 2 * MIB])
        eventually(_incoming(site, person))
        upload.hang_up(reset=reset)
        eventually(lambda: not site.state().unfinished_uploads(person.id))
        state = settle(site)
        assert state.of(person.id) == []

    def test_a_killed_web_process_leaves_nothing_for_long(
        self, site: Site, person: Person, large_photo: bytes
    ) -> None:
        upload = HalfUpload(person, "photo.jpg", size=len(large_photo))
        upload.send(large_photo[: 2 * MIB])
        eventually(_incoming(site, person))
        for child in site.children("web"):
            child.kill()
        assert upload.answer() == b""
        state = site.state()
        assert_explained(state)
        assert state.of(person.id) == []
        site.observer.ask("expire_uploads")
        assert site.state().unfinished_uploads(person.id) == []
        assert settle(site).of(person.id) == []
        site.wait_ready()
        take(person, large_photo, 1)
        wait_all_ready(site, person, 1)
        assert_full_sets(settle(site), person, 1)


def _incoming(site: Site, person: Person) -> Callable[[], bool]:
    """Whether the upload is under way, and its first bytes are where others could see them.

    A store of whole objects shows nothing of one until it is complete.
    """

    def arrived() -> bool:
        state = site.state()
        arriving = state.unfinished_uploads(person.id)
        shown = any(state.objects.get(row["key"]) for row in arriving)
        return shown or bool(arriving and not site.shows_partial_objects)

    return arrived


def _is_ready(site: Site, person: Person, media_id: str) -> bool:
    found = {row["id"]: row["status"] for row in site.observer.ask("media", person.id)}
    return found[media_id] == "ready"
