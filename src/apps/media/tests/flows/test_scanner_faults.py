"""A scanner that is away makes files wait, malware reaches nobody, and poison ends.

A site of its own: its scanner is a daemon that is there only when a test starts it, and work is
given up after few attempts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.media.tests import samples
from apps.media.tests.flows.clients import Person, anybody, problem_code, send
from apps.media.tests.flows.films import numbered_film
from apps.media.tests.flows.servers import PROGRAMS, SLOW, Site, running_site
from apps.media.tests.flows.test_faults import settle, wait_all_ready
from apps.media.tests.flows.test_film_faults import send_film, wait_for_encoders
from apps.media.tests.flows.waiting import eventually
from apps.media.tests.test_clamd import EICAR, Daemon, needs_clamd

pytestmark = [needs_clamd, pytest.mark.faults, pytest.mark.timeout(400)]

ATTEMPTS = 2


@pytest.fixture(scope="module")
def scanner_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clamd")


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory, scanner_home: Path) -> Iterator[Site]:
    options = {"CLAMD_URL": f"unix://{scanner_home}/socket", "JOB_ATTEMPTS": ATTEMPTS}
    with running_site(tmp_path_factory.mktemp("scanned"), **options) as site:
        yield site


@pytest.fixture
def site(own_site: Site) -> Site:
    own_site.ensure_running(*PROGRAMS)
    return own_site


@contextmanager
def started(home: Path) -> Iterator[Daemon]:
    """A daemon where the site looks for it, which may have been there before."""
    shutil.rmtree(home / "signatures", ignore_errors=True)
    running = Daemon(home)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def daemon(scanner_home: Path) -> Iterator[Daemon]:
    with started(scanner_home) as running:
        yield running


def publish(person: Person, data: bytes, name: str) -> dict[str, Any]:
    """Upload for everybody to see; return what the API tells of it."""
    with person.client() as client:
        answer = send(client, name, [data], size=len(data), fields={"visibility": "public"})
    assert answer.status_code == 201, answer.text
    media: dict[str, Any] = answer.json()
    return media


def seen_by_strangers(site: Site, media: dict[str, Any]) -> set[int]:
    """The statuses that the file, its bytes and a picture of it have for anybody."""
    urls = (media["urls"]["self"], media["urls"]["original"], f"/media/{media['id']}/r/thumb.webp")
    with anybody(site.address) as client:
        return {client.get(url).status_code for url in urls}


def waits_for_scan(site: Site, person: Person) -> bool:
    """Whether only the scan is left, and has been tried."""
    jobs = {row["kind"]: row for row in site.observer.ask("jobs", person.id)}
    others = {row["state"] for kind, row in jobs.items() if kind != "scan"}
    tried = jobs["scan"]["error_code"] == "scanner_away"
    return tried and others == {"done"} and "render" in jobs


def test_away_it_makes_files_wait_and_back_it_lets_them_out(
    site: Site, person: Person, scanner_home: Path
) -> None:
    media = publish(person, samples.photo_jpeg(640, 480), "photo.jpg")
    eventually(lambda: waits_for_scan(site, person), within=120)
    assert site.statuses(person) == ["processing"]
    assert seen_by_strangers(site, media) == {404}
    assert person.get(media["urls"]["self"]).json()["status"] == "processing"
    assert person.get(media["urls"]["original"]).status_code == 200
    with started(scanner_home):
        wait_all_ready(site, person, 1)
    assert seen_by_strangers(site, media) == {200}
    (scan,) = [row for row in site.observer.ask("jobs", person.id) if row["kind"] == "scan"]
    assert scan["attempts"] == 1  # what could not begin does not count


def test_malware_is_given_to_nobody(site: Site, person: Person, daemon: Daemon) -> None:
    hidden = samples.photo_jpeg(640, 480) + EICAR
    for data, name in ((EICAR, "eicar.txt"), (hidden, "photo.jpg")):
        media = publish(person, data, name)
        eventually(
            lambda: person.get(media["urls"]["self"]).json()["status"] == "quarantined",  # noqa: B023
            within=120,
        )
        assert seen_by_strangers(site, media) == {404}
        refused = person.get(media["urls"]["original"])
        assert (refused.status_code, problem_code(refused)) == (403, "quarantined")
        assert EICAR not in refused.content
        assert person.get(f"/media/{media['id']}/r/thumb.webp").status_code in {403, 404}
    assert not [row for row in settle(site).renditions if row["media_id"] == media["id"]]


def test_poison_that_kills_its_worker_is_given_up(
    site: Site, person: Person, daemon: Daemon
) -> None:
    send_film(person, numbered_film(8))
    for _ in range(ATTEMPTS):
        wait_for_encoders(site, person, SLOW)
        site.kill_family(SLOW)
        site.start(SLOW)
    eventually(lambda: site.statuses(person) == ["failed"], within=120)
    (row,) = site.observer.ask("media", person.id)
    assert row["failure_code"] == "processing_crashed"
    another = site.person()
    another.upload(samples.photo_jpeg(640, 480), "photo.jpg")
    wait_all_ready(site, another, 1)
    settle(site)
