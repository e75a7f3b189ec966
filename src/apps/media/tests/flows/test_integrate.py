"""`docs/integrate.md` and the diary of `docs/tutorial.md`, typed as they stand, and then used.

On SQLite, or on the PostgreSQL server that `DATABASE_URL` names.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environ
import httpx
import pytest

from apps.media.tests import samples
from apps.media.tests.flows.typist import PERSON, ROOT, SERVERS, Typist
from apps.media.tests.flows.waiting import eventually
from launch.broker import broker_url, find_program

PAGE = (ROOT / "docs/integrate.md").read_text()
TUTORIAL = (ROOT / "docs/tutorial.md").read_text()


@pytest.fixture
def typist(tmp_path: Path, env: Path) -> Iterator[Typist]:
    typist = Typist(tmp_path, env, page=PAGE)
    try:
        yield typist
    finally:
        typist.stop()


def test_the_wheel_carries_all_that_the_apps_need(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tree = ROOT / "src"
    kept = (
        path
        for app in ("core", "media")
        for path in (tree / "apps" / app).rglob("*")
        if path.is_file() and not {"__pycache__", "tests"} & set(path.parts)
        if not path.name.startswith(".")
    )
    assert {str(path.relative_to(tree)) for path in kept} <= names
    assert not [name for name in names if "/tests/" in name]
    packages = {"/".join(name.split("/")[:2]) for name in names if "dist-info" not in name}
    assert packages == {"apps/core", "apps/media"}


def test_the_page_is_true(typist: Typist) -> None:
    typist.type_section("2. A project")
    typist.type_section("3. A model, a form, a page")
    typist.write("# apps/own/__init__.py\n")  # a package `apps` of theirs, beside ours
    typist.run("python", "-c", "import apps.own, apps.media")
    with database() as chosen:
        # What a project decides for itself: where its rows are, and when unused files go.
        typist.write(
            "# mysite/here.py\nfrom mysite.settings import *\n"
            f"MEDIA_APP = {{'UNUSED_GRACE': 0}}\n{chosen}"
        )
        typist.environment["DJANGO_SETTINGS_MODULE"] = "mysite.here"
        typist.type_section("4. Run it")
        assert (typist.place / "db.sqlite3").exists() == (not chosen)
        told = typist.run("python", "manage.py", "makemigrations", "--check", "--dry-run")
        assert re.findall(r"\((\w+\.\w+)\)", told) == ["media.I001"]  # nothing else to be said
        try:
            use_the_site(typist)
        finally:
            typist.stop()
        assert typist.ended[-1].returncode == 0  # the worker's
        typist.type_section("5. Test it")


def test_the_page_is_true_of_celery(typist: Typist) -> None:
    typist.type_section("2. A project")
    typist.type_section("3. A model, a form, a page")
    with database() as chosen, broker(typist.place) as url:
        typist.write(
            "# mysite/here.py\nfrom mysite.settings import *\n"
            f"MEDIA_APP = {{'UNUSED_GRACE': 0}}\nCELERY_BROKER_URL = {url!r}\n{chosen}"
        )
        typist.environment["DJANGO_SETTINGS_MODULE"] = "mysite.here"
        typist.without = SERVERS[1]
        typist.type_section("4. Run it")
        typist.stop()  # as the section begins: the web process has to know the broker
        typist.type_section("Celery")
        typist.enter(SERVERS[0])
        try:
            use_the_site(typist)
        finally:
            typist.stop()


def test_the_diary_of_the_tutorial_shows_a_picture(typist: Typist) -> None:
    typist.type_section("5. The diary", TUTORIAL)
    with httpx.Client(base_url=f"http://127.0.0.1:{typist.port}", follow_redirects=True) as site:
        eventually(lambda: _answers(site, "/diary/write/"), within=60)
        send(site, str(site.get("/diary/write/").url), PERSON)
        photo = {"picture-files": ("sea.jpg", samples.photo_jpeg(640, 480))}
        assert "By the sea" in send(site, "/diary/write/", {"text": "By the sea"}, photo).text
        source = eventually(lambda: _first_picture(site, "/diary/"), within=120)
        assert site.get(source).headers["Content-Type"].startswith("image/")
        assert httpx.get(str(site.base_url.join(source))).status_code == 404


@contextmanager
def broker(place: Path) -> Iterator[str]:
    """An empty one, in the place of that of the page."""
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory, "broker.sock")
        command = [str(find_program()), "--port", "0", "--unixsocket", str(socket), "--save", ""]
        with (place / "broker.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
        try:
            eventually(socket.exists)
            yield broker_url(socket)
        finally:
            process.terminate()
            process.wait(20)


def use_the_site(typist: Typist) -> None:
    objects = typist.place / "objects"
    with httpx.Client(base_url=f"http://127.0.0.1:{typist.port}", follow_redirects=True) as site:
        eventually(lambda: _answers(site), within=60)
        sign_in(site)
        page = send(site, "/notes/new/", {"text": "By the sea"}, photos())
        assert "By the sea" in page.text
        note = eventually(lambda: _ready_note(site), within=120)
        sources = re.findall(r'<img[^>]* src="(/media/[^"]+)"', site.get(page.url).text)
        assert len(sources) == 2
        for source in sources:
            assert site.get(source).headers["Content-Type"].startswith("image/")
            assert httpx.get(str(site.base_url.join(source))).status_code == 404
        for address in ("/library/", f"/library/{note['cover']['id']}/", "/library/trash/"):
            assert site.get(address).status_code == 200, address
        other = note["attachments"][0]["media"]["id"]
        written = site.patch(
            f"/notes/api/notes/{note['id']}/",
            json={"cover": other},
            headers={"X-CSRFToken": site.cookies["csrftoken"]},
        )
        assert written.json()["cover"]["id"] == other
        assert any(path.is_file() for path in objects.rglob("*"))
        send(site, f"{page.url}delete/", {})
        typist.run("python", "manage.py", "media_cleanup")
        eventually(lambda: not any(path.is_file() for path in objects.rglob("*")))


def sign_in(site: httpx.Client) -> None:
    form = site.get("/notes/new/")  # leads to where one signs in
    send(site, str(form.url), PERSON)
    assert "cover-files" in site.get("/notes/new/").text


def photos() -> dict[str, Any]:
    return {
        "cover-files": ("sea.jpg", samples.photo_jpeg(640, 480)),
        "attachments-files": ("boat.jpg", samples.photo_jpeg(320, 240)),
    }


def send(site: httpx.Client, address: str, fields: dict[str, str], files: Any = None) -> Any:
    """Send a form as a browser does, once its page has set the cookie."""
    token = {"csrfmiddlewaretoken": site.cookies["csrftoken"]}
    answer = site.post(address, data={**token, **fields}, files=files)
    assert answer.status_code == 200, answer.text
    return answer


def _first_picture(site: httpx.Client, address: str) -> str | None:
    found = re.search(r'<img[^>]* src="(/media/[^"]+)"', site.get(address).text)
    return found[1] if found else None


def _answers(site: httpx.Client, address: str = "/notes/new/") -> bool:
    try:
        return site.get(address).status_code == 200
    except httpx.TransportError:
        return False


def _ready_note(site: httpx.Client) -> Any:
    (note,) = site.get("/notes/api/notes/").json()
    files = [note["cover"], *(item["media"] for item in note["attachments"])]
    return note if [file["status"] for file in files] == ["ready", "ready"] else None


@contextmanager
def database() -> Iterator[str]:
    """The settings of an empty database."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield ""
        return
    import psycopg

    name = f"integrate_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            config = {**environ.Env.db_url_config(given), "NAME": name}
            yield f"DATABASES = {{'default': {config!r}}}\n"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
