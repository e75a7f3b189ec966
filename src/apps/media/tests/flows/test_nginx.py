"""The site behind nginx, by the configuration that the project ships: who receives which body,
what of it is left, and that nobody but nginx says where a body lies."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from apps.media.tests.flows.clients import Person, send
from apps.media.tests.flows.nginx import SHIPPED, running_nginx
from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.state import assert_explained
from apps.media.tests.flows.tus import BASE, BYTES, Line, Tus
from apps.media.tests.flows.waiting import eventually
from launch.nginx import nginx_program
from launch.place import ROOT
from launch.readiness import free_port

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(300),
    pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed"),
]

MIB = 1024 * 1024
LARGE = 100_000_000  # bytes: from here on nginx passes a body on as it comes
SAID = "X-Body-File"


def words(size: int) -> bytes:
    """Text that is never twice the same."""
    return (os.urandom(size // 2 + 1).hex().encode())[:size]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def front(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    application, folder = urlsplit(shared_site.address).netloc, tmp_path_factory.mktemp("nginx")
    with running_nginx(folder, application=application, bodies=shared_site.body_dir) as address:
        yield address


@pytest.fixture
def tus(person: Person, front: str) -> Tus:
    return Tus(person, front)


@pytest.fixture
def direct(person: Person) -> Tus:
    """The same person at gunicorn itself, where only nginx should be."""
    return Tus(person)


@pytest.fixture
def planted(site: Site) -> Iterator[Path]:
    """A file that lies where bodies lie, for whoever might get hold of it."""
    file = site.body_dir / "0000000042"
    file.write_bytes(words(11))
    yield file
    file.unlink(missing_ok=True)


def assert_no_bodies(site: Site) -> None:
    eventually(lambda: not list(site.body_dir.iterdir()))


class TestReceived:
    def test_the_file_of_nginx_becomes_the_object(self, tus: Tus, site: Site) -> None:
        data = words(3 * MIB)
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[: 2 * MIB])
        (spooled,) = eventually(lambda: list(site.body_dir.iterdir()))
        number = spooled.stat().st_ino
        assert not site.shows_partial_objects or MIB not in site.state().objects.values()
        line.send(data[2 * MIB :])
        assert line.status() == 204
        if site.shows_partial_objects:
            assert number in {path.stat().st_ino for path in site.storage_dir.rglob("*")}
        assert tus.stored_digest(tus.head(url)) == digest(data)
        assert_no_bodies(site)

    def test_piece_by_piece(self, tus: Tus, site: Site) -> None:
        data = words(5 * MIB)
        url, offset = tus.create(len(data)), 0
        for size in (2 * MIB, 1, MIB, len(data) - 3 * MIB - 1):
            answer = tus.patch(url, data[offset : offset + size], offset)
            offset += size
            assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(offset))
        assert tus.stored_digest(answer) == digest(data)
        assert_no_bodies(site)

    def test_a_broken_line_costs_its_request(self, tus: Tus, site: Site) -> None:
        data = words(3 * MIB)
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[: 2 * MIB])
        eventually(lambda: list(site.body_dir.iterdir()))
        line.hang_up()
        assert_no_bodies(site)
        assert tus.offset(url) == 0
        assert tus.stored_digest(tus.resume(url, data)) == digest(data)

    def test_expect_continue(self, tus: Tus) -> None:
        line = Line(tus, tus.create(5), length=5, Expect="100-continue")
        assert line.status() == 100
        line.send(b"Hello")
        assert line.status() == 204

    def test_with_a_right_checksum(self, tus: Tus, site: Site) -> None:
        data = words(2 * MIB)
        url = tus.create(len(data))
        said = base64.b64encode(hashlib.sha1(data).digest()).decode()
        answer = tus.patch(url, data, 0, **{"Upload-Checksum": f"sha1 {said}"})
        assert answer.status_code == 204
        assert tus.stored_digest(answer) == digest(data)
        assert_no_bodies(site)

    def test_an_empty_body(self, tus: Tus, site: Site) -> None:
        url = tus.create(5)
        assert tus.patch(url, b"", 0).status_code == 204
        assert tus.offset(url) == 0
        assert_no_bodies(site)


REFUSALS: dict[str, tuple[int, Callable[[Tus, str, bytes], int]]] = {
    "wrong offset": (409, lambda tus, url, data: tus.patch(url, data, 7).status_code),
    "unknown": (404, lambda tus, url, data: tus.patch(f"{BASE}none/", data, 0).status_code),
    "too much": (400, lambda tus, url, data: tus.patch(url, data * 2, 0).status_code),
    "another type": (
        415,
        lambda tus, url, data: tus.patch(url, data, 0, **{"Content-Type": "a/b"}).status_code,
    ),
    "damaged": (
        460,
        lambda tus, url, data: (
            tus.patch(
                url, data, 0, **{"Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="}
            ).status_code
        ),
    ),
    "no token": (
        401,
        lambda tus, url, data: tus.patch(url, data, 0, Authorization="").status_code,
    ),
    "no protocol": (
        412,
        lambda tus, url, data: tus.patch(url, data, 0, **{"Tus-Resumable": "9"}).status_code,
    ),
}


class TestRefused:
    @pytest.mark.parametrize("name", REFUSALS)
    def test_nothing_is_left_of_a_refused_body(self, tus: Tus, site: Site, name: str) -> None:
        status, ask = REFUSALS[name]
        data = words(2 * MIB)
        url = tus.create(len(data))
        assert ask(tus, url, data) == status
        assert_no_bodies(site)
        assert tus.offset(url) == 0
        assert tus.patch(url, data, 0).status_code == 204

    def test_what_the_first_bytes_tell(self, tus: Tus, site: Site, person: Person) -> None:
        data = os.urandom(2 * MIB)
        url = tus.create(len(data), "program.exe")
        assert tus.patch(url, b"MZ" + data[2:], 0).status_code == 415
        assert_no_bodies(site)
        assert tus.head(url).status_code == 404
        assert not site.state().unfinished_uploads(person.id)
        assert_explained(site.state())


class TestStreamed:
    def test_a_large_body_comes_as_it_is_sent(self, tus: Tus, site: Site) -> None:
        data = words(LARGE)
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[: 8 * MIB])
        if site.shows_partial_objects:
            eventually(lambda: any(size >= 4 * MIB for size in site.state().objects.values()))
        assert not list(site.body_dir.iterdir())
        line.send(data[8 * MIB :])
        assert line.status() == 204
        assert tus.stored_digest(tus.head(url)) == digest(data)

    @pytest.mark.parametrize("reset", [False, True])
    def test_a_broken_line_costs_nothing(self, tus: Tus, reset: bool, site: Site) -> None:
        data = words(LARGE)
        url = tus.create(len(data))
        line = Line(tus, url, length=len(data))
        line.send(data[: 8 * MIB])
        if site.shows_partial_objects:
            eventually(lambda: any(size >= 4 * MIB for size in site.state().objects.values()))
        line.hang_up(reset=reset)
        assert tus.offset(url) >= 4 * MIB or not site.shows_partial_objects
        assert tus.delete(url).status_code == 204

    def test_chunks(self, tus: Tus, site: Site) -> None:
        line = Line(tus, tus.create(11))
        for piece in (b"Hello ", b"world", b""):
            line.send_chunk(piece)
        assert line.status() == 204
        assert not list(site.body_dir.iterdir())

    def test_a_form(self, person: Person, front: str, site: Site) -> None:
        data = words(3 * MIB)
        with Tus(person, front).client() as client:
            answer = send(client, "words.txt", [data], size=len(data))
            assert answer.status_code == 201, answer.text
            stored = client.get(answer.json()["urls"]["original"]).content
        assert digest(stored) == digest(data)
        assert not list(site.body_dir.iterdir())


class TestWhereABodyLies:
    """The header is nginx's own; what a visitor says in it reaches nobody."""

    def test_in_a_received_request(self, tus: Tus, planted: Path) -> None:
        data = words(11)
        answer = tus.patch(tus.create(11), data, 0, **{SAID: str(planted)})
        assert tus.stored_digest(answer) == digest(data)
        assert planted.exists()

    def test_in_an_empty_request(self, tus: Tus, planted: Path) -> None:
        url = tus.create(11)
        answer = tus.patch(url, b"", 0, **{SAID: str(planted)})
        assert (answer.status_code, tus.offset(url)) == (204, 0)
        assert planted.exists()

    def test_in_a_streamed_request(self, tus: Tus, planted: Path) -> None:
        data = words(11)
        url = tus.create(11)
        line = Line(tus, url, **{SAID: str(planted)})
        line.send_chunk(data)
        line.send_chunk(b"")
        assert line.status() == 204
        assert tus.stored_digest(tus.head(url)) == digest(data)
        assert planted.exists()

    def test_in_a_creation(self, tus: Tus, planted: Path) -> None:
        said = {**tus.headers, "Content-Type": BYTES, "Upload-Length": "11", SAID: str(planted)}
        with tus.client() as client:
            answer = client.post(BASE, content=b"Hello", headers=said)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "5")
        assert planted.exists()

    @pytest.mark.parametrize("name", [SAID, "x-body-file", "X_Body_File"])
    def test_in_another_method_s_place(self, tus: Tus, planted: Path, name: str) -> None:
        url = tus.create(11)
        said = {"Content-Type": BYTES, "Upload-Offset": "0", name: str(planted)}
        with tus.client() as client:
            override = {"X-HTTP-Method-Override": "PATCH"}
            answer = client.post(url, content=b"Hello", headers={**said, **override})
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "5")
        assert planted.exists()


class TestAtTheApplication:
    """Even whoever reaches gunicorn itself gets at nothing but bodies."""

    def refused(self, direct: Tus, said: Path | str) -> None:
        url = direct.create(11)
        answer = direct.patch(url, b"", 0, **{SAID: str(said)})
        assert answer.status_code == 400, answer.text
        assert str(said) not in answer.text
        assert direct.offset(url) == 0

    def test_outside(self, direct: Tus, tmp_path: Path, site: Site) -> None:
        file = tmp_path / "secret"
        file.write_bytes(words(11))
        for said in (file, site.body_dir / ".." / "log" / "web.log", "secret", f"{site.body_dir}/"):
            self.refused(direct, said)
        self.refused(direct, f"{site.body_dir}/../{site.body_dir.name}/../log/web.log")
        assert file.exists()

    def test_links_directories_and_nothing(self, direct: Tus, tmp_path: Path, site: Site) -> None:
        file, link, folder = tmp_path / "secret", site.body_dir / "link", site.body_dir / "folder"
        file.write_bytes(words(11))
        link.symlink_to(file)
        folder.mkdir()
        (folder / "body").write_bytes(words(11))
        os.mkfifo(folder / "pipe")
        try:
            for said in (link, folder, folder / "body", folder / "pipe", site.body_dir / "none"):
                self.refused(direct, said)
            assert file.exists()
            assert (folder / "body").exists()
        finally:
            link.unlink()
            for left in folder.iterdir():
                left.unlink()
            folder.rmdir()


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("/share/q2-_W9/", "/share/***/"),
        ("/share/q2-_W9?x=1", "/share/***?x=1"),
        ("/media/s/q2-_W9:1/2/hls/240p.mp4", "/media/s/***/2/hls/240p.mp4"),
        ("/notifications/unsubscribe/q2-_W9/", "/notifications/unsubscribe/***/"),
        ("/library/?q=share", "/library/?q=share"),
    ],
)
def test_its_log_names_no_share_link(tmp_path: Path, asked: str, written: str) -> None:
    """ASVS V16.2.5, with the format that is shipped."""
    lines = tmp_path / "access.log"
    logged = {"server_name _;": f"server_name _; access_log {lines} media_safe;"}
    nobody = f"127.0.0.1:{free_port()}"
    with running_nginx(tmp_path, application=nobody, bodies=tmp_path, changes=logged) as front:
        httpx.get(f"{front}{asked}")
        text = eventually(lambda: lines.is_file() and lines.read_text())
    assert f'"GET {written} HTTP/1.1" 502' in text
    assert "q2-_W9" not in text


def test_it_lets_go_of_idle_connections_before_gunicorn_does() -> None:
    """One that gunicorn ends while a PATCH is on its way into it is answered with 502."""
    ours = re.search(r"^keepalive = (\d+)$", (ROOT / "deploy/gunicorn.py").read_text(), re.M)
    upstream = SHIPPED.read_text().partition("upstream media_app {")[2].partition("}")[0]
    its = re.search(r"keepalive_timeout (\d+)s;", upstream)
    assert ours and its
    assert int(its[1]) < int(ours[1])
