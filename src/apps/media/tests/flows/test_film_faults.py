"""Films survive what workers do not: each frame is there once, and nothing is left of attempts.

Encoders are held with SIGSTOP where a test needs work to be under way: a stopped process ends by
itself on no machine, however fast, and on a slow one nothing is late.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from apps.media.tests import samples
from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.films import RATE, numbered_film, numbers_in, stored
from apps.media.tests.flows.servers import SLOW, SPARE_SLOW, Site, lives
from apps.media.tests.flows.state import State, assert_explained
from apps.media.tests.flows.test_faults import settle, wait_all_ready
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

LONG = 12  # seconds: cut into stretches of 4
SHORT = 8  # one stretch
PATIENCE = 180.0  # seconds, for encoding on a busy machine


@pytest.fixture
def film() -> bytes:
    return numbered_film(LONG)


@pytest.fixture
def site(site: Site) -> Iterator[Site]:
    """The site with what a killed worker held forgotten: the broker would keep it for an hour."""
    with site.broker() as client:
        client.flushall()
    yield site
    if SPARE_SLOW in site.running():
        site.terminate(SPARE_SLOW)


def send_film(person: Person, film: bytes) -> str:
    answer = person.upload(film, "film.mp4")
    assert answer.status_code == 201, answer.text
    media_id: str = answer.json()["id"]
    return media_id


def jobs_of(site: Site, person: Person, kind: str, state: str) -> list[dict[str, str]]:
    return [
        row
        for row in site.observer.ask("jobs", person.id)
        if (row["kind"], row["state"]) == (kind, state)
    ]


def at_work(site: Site, person: Person, *workers: str) -> Callable[[], list[psutil.Process]]:
    """The encoders below the workers, while a stretch of the person's film is being made.

    Fails at once where there is nothing left to wait for.
    """

    def found() -> list[psutil.Process]:
        assert not set(site.statuses(person)) & {"failed", "ready"}, site.observer.ask(
            "jobs", person.id
        )
        running = jobs_of(site, person, "stream", "running")
        return site.encoders(*workers) if running else []

    return found


def wait_for_encoders(site: Site, person: Person, *workers: str) -> list[psutil.Process]:
    return eventually(at_work(site, person, *workers), within=PATIENCE)


@contextlib.contextmanager
def held_encoder(site: Site, person: Person) -> Iterator[psutil.Process]:
    """An encoder of the person's film that makes no progress during the block."""
    while True:
        encoder = wait_for_encoders(site, person, SLOW)[0]
        with contextlib.suppress(psutil.NoSuchProcess):
            encoder.suspend()
            if at_work(site, person, SLOW)():  # it was no other job's
                break
            encoder.resume()
    try:
        yield encoder
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            encoder.resume()


def assert_whole_film(site: Site, state: State, media_id: str, *, seconds: int) -> None:
    """One set of tracks, each with each frame once; the file for simple players too; no parts."""
    rows = {row["name"]: row for row in state.renditions if row["media_id"] == media_id}
    tracks = [name for name in rows if name.startswith("hls/")]
    assert len(tracks) > 1, rows
    assert not [name for name in rows if name.startswith("part/")]
    for name in (*tracks, "video.mp4"):
        assert numbers_in(stored(site, rows[name])) == list(range(seconds * RATE)), name


def assert_film_is_made(site: Site, person: Person, media_id: str, seconds: int = LONG) -> State:
    wait_all_ready(site, person, 1, within=PATIENCE)
    state = settle(site)
    assert_whole_film(site, state, media_id, seconds=seconds)
    return state


class TestKilledWorker:
    def test_in_mid_encode_beside_another(self, site: Site, person: Person, film: bytes) -> None:
        site.start(SPARE_SLOW)
        media_id = send_film(person, film)
        wait_for_encoders(site, person, SLOW)
        site.kill_family(SLOW)
        assert_explained(site.state())
        assert_film_is_made(site, person, media_id)

    def test_all_of_them_time_and_again(self, site: Site, person: Person, film: bytes) -> None:
        media_id = send_film(person, film)
        for done in range(2):
            eventually(
                lambda: len(jobs_of(site, person, "stream", "done")) >= done,  # noqa: B023
                within=PATIENCE,
            )
            if site.statuses(person) != ["ready"]:
                site.kill_family(SLOW)
            assert_explained(site.state())
            site.ensure_running(SLOW)
        assert_film_is_made(site, person, media_id)

    def test_a_frozen_one_saves_nothing_when_it_wakes(
        self, site: Site, person: Person, film: bytes
    ) -> None:
        media_id = send_film(person, film)
        wait_for_encoders(site, person, SLOW)
        frozen = site.suspend_family(SLOW)
        try:
            site.start(SPARE_SLOW)
            before = assert_film_is_made(site, person, media_id)
        finally:
            for process in frozen:
                process.resume()
        eventually(lambda: not site.encoders(SLOW), within=PATIENCE)
        assert settle(site).renditions == before.renditions

    def test_its_encoders_do_not_outlive_it(self, site: Site, person: Person) -> None:
        media_id = send_film(person, numbered_film(SHORT))
        with held_encoder(site, person) as encoder:
            site.kill(SLOW)
            eventually(lambda: not lives(encoder))
        site.start(SLOW)
        assert_film_is_made(site, person, media_id, seconds=SHORT)


class TestMessages:
    def test_all_lost_in_mid_film(self, site: Site, person: Person, film: bytes) -> None:
        media_id = send_film(person, film)
        wait_for_encoders(site, person, SLOW)
        with site.broker() as client:
            client.flushall()
        assert_film_is_made(site, person, media_id)

    def test_all_delivered_thrice_to_two_workers(
        self, site: Site, person: Person, film: bytes
    ) -> None:
        site.start(SPARE_SLOW)
        media_id = send_film(person, film)
        wait_for_encoders(site, person, SLOW, SPARE_SLOW)
        sent = [row["id"] for row in site.observer.ask("jobs", person.id)]
        site.observer.ask("send", [*sent, *sent])
        assert_film_is_made(site, person, media_id)
        attempts = {row["attempts"] for row in site.observer.ask("jobs", person.id)}
        assert attempts == {1}

    def test_never_sent_as_the_web_process_died_after_commit(
        self, site: Site, person: Person, film: bytes, tmp_path: Path
    ) -> None:
        path = tmp_path / "film.mp4"
        path.write_bytes(film)
        site.new_observer().ask_to_death("upload_and_die", person.id, path)
        (row,) = site.state().of(person.id)
        assert_film_is_made(site, person, row["id"])


class TestEnded:
    def test_deleting_the_film_ends_its_encoder(self, site: Site, person: Person) -> None:
        media_id = send_film(person, numbered_film(SHORT))
        worker = site.process(SLOW)
        with held_encoder(site, person) as encoder, person.client() as client:
            answer = client.delete(f"/api/v1/media/{media_id}/?permanent=true")
            assert answer.status_code == 204
            eventually(lambda: not lives(encoder))
        state = settle(site)
        assert state.of(person.id) == []
        assert worker.is_running()
        eventually(lambda: not list(site.work_dir.glob("job-*")))

    def test_cancelled_and_tried_again(self, site: Site, person: Person) -> None:
        media_id = send_film(person, numbered_film(SHORT))
        with held_encoder(site, person) as encoder:
            (job,) = jobs_of(site, person, "stream", "running")
            assert site.observer.ask("cancel", job["id"])
            eventually(lambda: not lives(encoder))
        (row,) = site.observer.ask("media", person.id)
        assert (row["status"], row["failure_code"]) == ("failed", "processing_cancelled")
        left = settle(site).renditions_of({"id": media_id})
        assert not [row for row in left if row["name"].startswith("hls/")]
        assert site.observer.ask("retry", job["id"])
        assert_film_is_made(site, person, media_id, seconds=SHORT)

    def test_a_killed_encoder_costs_time_and_no_film(self, site: Site, person: Person) -> None:
        media_id = send_film(person, numbered_film(SHORT))
        worker = site.process(SLOW)
        with held_encoder(site, person) as encoder:
            encoder.send_signal(signal.SIGKILL)
            eventually(lambda: not lives(encoder))
        assert_film_is_made(site, person, media_id, seconds=SHORT)
        assert worker.is_running()


def test_a_film_keeps_no_picture_waiting(site: Site, person: Person) -> None:
    film_id = send_film(person, numbered_film(SHORT))
    with held_encoder(site, person):
        another = site.person()
        another.upload(samples.photo_jpeg(800, 600), "avatar.jpg")
        wait_all_ready(site, another, 1)
        assert site.statuses(person) == ["processing"]
    assert_film_is_made(site, person, film_id, seconds=SHORT)
