"""While a new version is rolled out, workers of the old one get work that they know nothing of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.tests.outbound.sources import answer, serving
from apps.media.tests import samples
from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.servers import TRANSFER, Site, running_site
from apps.media.tests.flows.test_faults import wait_all_ready
from apps.media.tests.flows.test_imports import begin, ended, shown
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

RESENDS = 2  # how often a message is sent again before we believe that it is not lost


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose web and clock are new, and whose workers are not."""
    directory = tmp_path_factory.mktemp("mixed")
    with running_site(directory, programs=("broker", "web", "beat")) as site:
        site.change(TEST_OLDER="yes")
        site.start("worker", TRANSFER)
        site.change(TEST_OLDER="")
        yield site


def upgrade(site: Site, name: str) -> None:
    site.terminate(name)
    site.start(name)


def log_of(site: Site, name: str) -> str:
    return (site.work_dir.parent / "log" / f"{name}.log").read_text()


def job_of(site: Site, person: Person, kind: str) -> dict[str, Any]:
    found = (row for row in site.observer.ask("jobs", person.id) if row["kind"] == kind)
    job: dict[str, Any] = next(found, {})
    return job


def test_a_job_of_a_new_kind_waits_for_a_new_worker(site: Site) -> None:
    person = site.person()
    assert person.upload(samples.photo_jpeg(), "photo.jpg").status_code == 201

    def messages() -> int:
        """How many of the job have been taken from the broker and found nothing to do."""
        job = job_of(site, person, "render")
        return log_of(site, "worker").count(": False") if job and not site.queued_messages() else 0

    first = eventually(messages, within=60)
    eventually(lambda: messages() >= first + RESENDS, within=60)
    job = job_of(site, person, "render")
    assert (job["state"], job["attempts"], job["error_code"]) == ("queued", 0, "")
    upgrade(site, "worker")
    wait_all_ready(site, person, 1)
    assert job_of(site, person, "render")["attempts"] == 1


def test_a_message_of_a_new_name_comes_again_for_a_new_worker(site: Site) -> None:
    person, photo = site.person(), samples.photo_jpeg()
    with serving(answer(photo)) as source:
        address = begin(person, source.url("/photo.jpg"))
        unknown = "Received unregistered task of type 'media.run_import'"
        eventually(lambda: log_of(site, TRANSFER).count(unknown) >= RESENDS, within=60)
        assert shown(person, address)["state"] == "receiving"
        upgrade(site, TRANSFER)
        assert ended(person, address)["state"] == "completed"
