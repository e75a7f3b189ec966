"""`docs/integrate.md` and the diary of `docs/tutorial.md`, typed as they stand, and then used.

The wheel is built and installed without downloads: the other packages are those of this
environment. On SQLite, or on the PostgreSQL server that `DATABASE_URL` names.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
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

from apps.core.tests.storages import free_port
from apps.media.tests import samples
from apps.media.tests.flows.waiting import eventually
from launch.broker import broker_url, find_program

ROOT = Path(__file__).resolve().parents[5]
PAGE = (ROOT / "docs/integrate.md").read_text()
TUTORIAL = (ROOT / "docs/tutorial.md").read_text()
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "src/apps/core", "src/apps/media")
PROGRAMS = (
    ("django-admin", "django.core.management", "execute_from_command_line"),
    ("celery", "celery.__main__", "main"),
)
SERVERS = ("python manage.py runserver", "python manage.py media_worker")
PERSON = {"username": "ann", "password": "correct horse battery staple"}
HEAD = re.compile(r"(?:# |\{# )([\w/.]+\.(?:py|html))(, at the end)?(?: #\})?\n")


class Typist:
    """Types the blocks of the page, in a shell whose programs are those of `env`."""

    def __init__(self, place: Path, env: Path) -> None:
        self.place = place
        self.port = free_port()
        self.ended: list[subprocess.Popen[bytes]] = []
        self.running: list[subprocess.Popen[bytes]] = []
        self.without = ""  # a line that is not typed
        self.environment = {
            "PATH": f"{env / 'bin'}{os.pathsep}{os.defpath}",
            "HOME": str(place),
            **{f"DJANGO_SUPERUSER_{name.upper()}": value for name, value in PERSON.items()},
            "DJANGO_SUPERUSER_EMAIL": "ann@example.org",
        }

    def type_section(self, title: str, page: str = PAGE) -> None:
        text = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert blocks, title
        for language, block in blocks:
            if language == "sh":
                for line in block.splitlines():
                    self.enter(line)
            else:
                self.write(block)

    def write(self, block: str) -> None:
        head = HEAD.match(block)
        assert head, f"no file is named: {block}"
        path = self.place / head[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if head[2] else ""
        path.write_text(before + block[head.end() :])

    def enter(self, line: str) -> None:
        words = shlex.split(line, comments=True)
        if line == self.without:
            return
        if words[0] == "cd":
            self.place /= words[1]
        elif line in SERVERS or words[0] == "celery":
            self._serve(words)
        else:
            self.run(*words, *(["--noinput"] if "createsuperuser" in words else []))

    def run(self, *words: str) -> str:
        done = subprocess.run(
            self._found(words),
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(20)
        self.ended, self.running = self.running, []

    def _serve(self, words: list[str]) -> None:
        here = [str(self.port), "--noreload"] if "runserver" in words else []
        with (self.place / f"{words[-1].replace('/', '-')}.log").open("wb") as log:
            process = subprocess.Popen(
                [*self._found(words), *here],
                cwd=self.place,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.running.append(process)

    def _found(self, words: Any) -> list[str]:
        program = shutil.which(words[0], path=self.environment["PATH"])
        assert program, words[0]
        return [program, *words[1:]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one that `MEDIA_WHEEL` names, or built from a copy, which leaves nothing here."""
    if given := os.environ.get("MEDIA_WHEEL"):
        return Path(given)
    copy = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        source = ROOT / name
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    _pip("wheel", ".", "--no-deps", "--no-build-isolation", cwd=copy)
    return next(copy.glob("media_app-*.whl"))


@pytest.fixture
def env(wheel: Path, tmp_path: Path) -> Path:
    """What section 1 makes: an environment with the wheel and what it depends on."""
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    python = env / "bin/python"
    site = next(env.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # As a plain directory: the line in it that leads to this source tree counts for nothing.
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    for name, module, function in PROGRAMS:
        program = env / "bin" / name
        program.write_text(f"#!{python}\nfrom {module} import {function}\n{function}()\n")
        program.chmod(0o755)
    return env


@pytest.fixture
def typist(tmp_path: Path, env: Path) -> Iterator[Typist]:
    typist = Typist(tmp_path, env)
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


def _pip(*words: str, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    subprocess.run(command, cwd=cwd, check=True)
