"""The database goes away, the disk fills up or turns read-only: answered, kept, healed.

A lean site of its own. Its storage is a small file system in memory where the machine allows one
to be made; its database is reached over a line that can be cut, or is a file that can be locked.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from apps.media.tests.flows.badline import BadLine, Fault
from apps.media.tests.flows.clients import Person, problem_code
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.state import assert_accounts, assert_explained
from apps.media.tests.flows.test_upload_faults import words
from apps.media.tests.flows.tus import BASE, Line, Tus
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

MIB = 1024 * 1024
ROOM = 16 * MIB
PATIENCE = 2  # seconds that the site waits for its database
POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")


class Disk:
    """A file system of `ROOM` bytes at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    @contextlib.contextmanager
    def full(self, *, but: int) -> Iterator[None]:
        """Only `but` bytes are left."""
        free = os.statvfs(self.path)
        self._ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - but))
        try:
            yield
        finally:
            self._ballast.unlink()

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        self._remount("ro")
        try:
            yield
        finally:
            self._remount("rw")

    def _remount(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.path)], check=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    path = tmp_path_factory.mktemp("disk")
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False).returncode != 0:
        pytest.skip("only root can make a small file system")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


class Database:
    """The way to the database of a site."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._line: BadLine | None = None
        if POSTGRES:
            place = urlsplit(url)
            self._line = BadLine(f"http://{place.hostname}:{place.port or 5432}", is_http=False)
            self._line.__enter__()
            user = f"{place.username}@" if place.username else ""
            self.url = urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{self._line.port}"))

    def away(self) -> AbstractContextManager[None]:
        return self._cut() if self._line else self._locked()

    @contextlib.contextmanager
    def _cut(self) -> Iterator[None]:
        assert self._line is not None
        self._line.suffer(Fault("reset"))
        self._line.hang_up()
        try:
            yield
        finally:
            self._line.heal()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Somebody writes and writes; a file cannot be farther away than that."""
        path = self.url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"/{path.lstrip('/')}", timeout=30)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")


@pytest.fixture(scope="module")
def lean(disk: Disk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Database]]:
    found: list[Database] = []

    def change(environment: dict[str, str]) -> dict[str, str]:
        found.append(Database(environment["DATABASE_URL"]))
        return {
            **environment,
            "MEDIA_STORAGE_URL": f"file://{disk.path / 'media'}",
            "DATABASE_URL": found[0].url,
            "TEST_DATABASE_PATIENCE": str(PATIENCE),
        }

    directory = tmp_path_factory.mktemp("lean-site")
    with running_site(directory, programs=("broker", "web"), change=change) as site:
        yield site, found[0]


@pytest.fixture
def site(lean: tuple[Site, Database]) -> Site:
    return lean[0]


@pytest.fixture
def database(lean: tuple[Site, Database]) -> Database:
    return lean[1]


@pytest.fixture
def tus(person: Person) -> Tus:
    return Tus(person)


def assert_away(answer: httpx.Response) -> None:
    assert (answer.status_code, problem_code(answer)) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def assert_at_peace(site: Site, person: Person, *, count: int) -> None:
    """The owner's files are `count`, and nothing unfinished is left after the sweeps."""
    site.observer.ask("expire_uploads")
    site.observer.ask("bury")
    state = site.state()
    assert len(state.of(person.id)) == count
    assert set(state.objects) == state.kept_keys()
    assert_explained(state)
    assert_accounts(state)
    assert site.observer.ask("violations") == []


def available(tus: Tus, url: str) -> httpx.Response | None:
    answer = tus.head(url)
    assert answer.status_code in {200, 423}
    return answer if answer.status_code == 200 else None


def finish(tus: Tus, url: str, data: bytes) -> httpx.Response:
    """Whoever held the upload when the database went away holds it until the lease runs out."""
    answer = eventually(lambda: available(tus, url))
    assert answer is not None
    offset = int(answer.headers["Upload-Offset"])
    answer = tus.patch(url, data[offset:], offset) if offset < len(data) else answer
    assert tus.stored_digest(answer) == hashlib.sha256(data).hexdigest()
    return answer


@pytest.fixture
def clean_up(site: Site, person: Person) -> Iterator[None]:
    """The disk is small: make room for the next test."""
    yield
    with person.client() as client:
        for media in client.get("/api/v1/media/").json()["results"]:
            client.delete(f"{media['urls']['self']}?permanent=true")
    site.observer.ask("bury")


@pytest.mark.usefixtures("clean_up")
class TestDatabaseAway:
    def test_f20_before_creation(
        self, site: Site, person: Person, tus: Tus, database: Database
    ) -> None:
        with database.away(), tus.client() as client:
            assert_away(client.post(BASE, headers={"Upload-Length": "5"}))
            assert_away(person.upload(words(1000), "words.txt"))
        self.observe_again(site)
        assert_at_peace(site, person, count=0)
        assert person.upload(words(1000), "words.txt").status_code == 201

    def test_f20_at_a_patch(self, site: Site, person: Person, tus: Tus, database: Database) -> None:
        data = words(MIB)
        url = tus.create(len(data))
        tus.patch(url, data[:1000], 0)
        with database.away():
            assert_away(tus.patch(url, data[1000:], 1000))
        self.observe_again(site)
        finish(tus, url, data)
        assert_at_peace(site, person, count=1)

    def test_f20_while_bytes_arrive(
        self, site: Site, person: Person, tus: Tus, database: Database
    ) -> None:
        """What could not be recorded was not acknowledged; what was recorded is still there."""
        data = words(2 * MIB)
        url = tus.create(len(data))
        tus.patch(url, data[:1000], 0)
        line = Line(tus, url, offset=1000, length=len(data) - 1000)
        line.send(data[1000:MIB])
        eventually(lambda: max(site.state().objects.values()) > 100_000)
        with database.away():
            line.send(data[MIB:])
            assert line.status() == 503
        self.observe_again(site)
        finish(tus, url, data)
        assert_at_peace(site, person, count=1)

    def test_f20_while_a_form_arrives(self, site: Site, person: Person, database: Database) -> None:
        with database.away():
            assert_away(person.upload(words(2 * MIB), "words.txt"))
        self.observe_again(site)
        assert_at_peace(site, person, count=0)

    @staticmethod
    def observe_again(site: Site) -> None:
        """The observer's own connection has been cut, too."""
        if POSTGRES:
            site.observer.stop()
            site.observer = site.new_observer()


@pytest.mark.usefixtures("clean_up")
class TestDisk:
    def test_f22_full(self, site: Site, person: Person, tus: Tus, disk: Disk) -> None:
        data = words(4 * MIB)
        url = tus.create(len(data))
        assert tus.patch(url, data[:MIB], 0).status_code == 204
        with disk.full(but=MIB):
            refused = tus.patch(url, data[MIB:], MIB)
            assert (refused.status_code, problem_code(refused)) == (507, "storage_full")
            form = person.upload(data, "words.txt")
            assert (form.status_code, problem_code(form)) == (507, "storage_full")
            assert person.get("/api/v1/media/").status_code == 200
            assert tus.offset(url) == MIB
            assert_explained(site.state())
        finish(tus, url, data)
        assert person.upload(words(1000), "words.txt").status_code == 201
        assert_at_peace(site, person, count=2)

    def test_f23_read_only(self, site: Site, person: Person, tus: Tus, disk: Disk) -> None:
        data = words(MIB)
        url = tus.create(len(data))
        assert tus.patch(url, data[:1000], 0).status_code == 204
        with disk.read_only():
            refused = tus.patch(url, data[1000:], 1000)
            assert (refused.status_code, problem_code(refused)) == (503, "storage_unavailable")
            form = person.upload(data, "words.txt")
            assert (form.status_code, problem_code(form)) == (503, "storage_unavailable")
            assert tus.offset(url) == 1000
        finish(tus, url, data)
        assert_at_peace(site, person, count=1)

    def test_f22_full_at_the_end(self, site: Site, person: Person, tus: Tus, disk: Disk) -> None:
        """A file is made by a rename, which needs no room for its bytes."""
        data = words(2 * MIB)
        url = tus.create(len(data))
        assert tus.patch(url, data[:-10], 0).status_code == 204
        with disk.full(but=64 * 1024):
            answer = tus.resume(url, data)
            assert answer.status_code in {204, 507}
        finish(tus, url, data)
        assert_at_peace(site, person, count=1)
