"""The drill: a backup made while people upload and delete, everything lost, and made anew from it.

As docs/operations.md says it: the dump first, then the objects.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.media.tests import samples
from apps.media.tests.flows.backups import copy_objects, dump_database, restored_database
from apps.media.tests.flows.clients import Person, download_digest
from apps.media.tests.flows.servers import PROGRAMS, Site, running_site
from apps.media.tests.flows.test_faults import settle, wait_all_ready
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

HOUR = 3600
PACE = 0.2  # seconds between two uploads of somebody else
BEFORE = 6  # files that are ready when the backup begins


@pytest.fixture
def busy_site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path / "site", DELETED_LIFETIME=HOUR) as site:
        if site.database_url.startswith("postgres") and not shutil.which("pg_dump"):
            pytest.skip("no pg_dump")
        yield site


class Uploading(threading.Thread):
    """Somebody who goes on uploading until told to stop."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self._person = person
        self._ended = threading.Event()
        self.uploaded = 0

    def run(self) -> None:
        while not self._ended.wait(PACE):
            data = f"words {self.uploaded}".encode()
            assert self._person.upload(data, f"late-{self.uploaded}.txt").status_code == 201
            self.uploaded += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


def photos(count: int) -> dict[str, bytes]:
    return {f"{side}.jpg": samples.photo_jpeg(side, 300) for side in range(400, 400 + count)}


def original_of(person: Person, media_id: str) -> str:
    """The SHA-256 of what is delivered."""
    with person.client() as client:
        url = client.get(f"/api/v1/media/{media_id}/").json()["urls"]["original"]
        return download_digest(client, url)[1]


def test_everything_acknowledged_before_the_dump_is_there_again(
    busy_site: Site, tmp_path: Path
) -> None:
    person, files = busy_site.person(), photos(BEFORE)
    kept = {
        person.upload(data, name).json()["id"]: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
    }
    wait_all_ready(busy_site, person, BEFORE)

    others = Uploading(busy_site.person())
    others.start()
    eventually(lambda: others.uploaded > 2)
    dump_database(busy_site, tmp_path / "dump")
    gone = next(iter(kept))  # deleted for good between the two halves of the backup
    with person.client() as client:
        assert client.delete(f"/api/v1/media/{gone}/?permanent=true").status_code == 204
    seen = others.uploaded
    eventually(lambda: others.uploaded > seen + 2)
    (tmp_path / "objects").mkdir()
    objects = copy_objects(busy_site, tmp_path / "objects")
    others.end()
    for program in PROGRAMS:  # the disaster
        busy_site.kill_family(program)
    busy_site.observer.ask("empty_storage")

    with restored_database(busy_site, tmp_path / "dump") as database:
        new_home = {
            "DATABASE_URL": database,
            "MEDIA_STORAGE_URL": objects,
            "SECRET_KEY": busy_site.secret_key,
        }
        with running_site(
            tmp_path / "again", change=lambda environment: {**environment, **new_home}
        ) as again:
            restored = Person(person.id, person.name, person.token, again.address)
            assert {pk: original_of(restored, pk) for pk in kept} == kept
            assert_put_right(again)
            new = restored.upload(b"life goes on", "new.txt").json()["id"]
            with restored.client() as client:
                eventually(
                    lambda: client.get(f"/api/v1/media/{new}/").json()["status"] == "ready",
                    within=60,
                )


def assert_put_right(site: Site) -> None:
    """Too much is only what came after the dump; lacking only what can be made again.

    `--fix` takes away the one and makes the other, and then all agrees.
    """
    with pytest.raises(subprocess.CalledProcessError) as found:
        site.manage("media_reconcile", "--strict", "--grace", 1)
    lines = [line for line in found.value.stdout.splitlines() if line.startswith("I")]
    assert lines
    assert [line for line in lines if not line.startswith(("I2 ", "I3 rendition "))] == []
    site.manage("media_reconcile", "--fix", "--grace", 1)
    settle(site)
    site.manage("media_reconcile", "--strict", "--hash", "--grace", 1)
