"""`docs/migrate.md`, typed into real projects of other libraries, with files of theirs.

Each site is used before and after: what led to a picture leads to it still, and nobody sees more.
"""

from __future__ import annotations

import hashlib
import json
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.media.tests import samples
from apps.media.tests.flows.typist import PERSON, ROOT, SERVERS, Typist
from apps.media.tests.flows.waiting import eventually

PAGE = (ROOT / "docs/migrate.md").read_text()
PEERS = Path(__file__).with_name("peers")
GIVEN = {
    "sea.jpg": samples.photo_jpeg(900, 600),
    "boat.png": samples.photo_png(320, 240),
    "words.txt": b"A few plain words.\n",
    "secret.txt": b"Words for few.\n",
}
OWNER = {"username": "ann", "password": PERSON["password"]}
SEA = {
    "name": "sea.jpg",
    "owner": "bob",
    "title": "The sea",
    "caption": "",
    "alt_text": "Waves",
    "tags": [],
    "focal": [0.25, 0.75],
    "visibility": "unlisted",
    "folders": ["Press", "2024"],
    "status": "ready",
}


@pytest.fixture
def old_site(tmp_path: Path, env: Path) -> Iterator[Callable[[str], Typist]]:
    typists = []

    def typed(peer: str) -> Typist:
        typist = Typist(tmp_path, env, page=(PEERS / f"{peer}.md").read_text())
        typists.append(typist)
        (tmp_path / "given").mkdir(parents=True)
        for name, data in GIVEN.items():
            (tmp_path / "given" / name).write_bytes(data)
        typist.type_section("The site")
        return typist

    yield typed
    for typist in typists:
        typist.stop()


def test_from_django_filer(old_site: Any) -> None:
    files, pages = moved(old_site("filer"), "From django-filer")
    boat, sea, words = files
    assert sea == {**SEA, "caption": "In May"}
    assert (boat["visibility"], boat["owner"], boat["folders"]) == ("private", "ann", [])
    assert (words["owner"], words["caption"], words["folders"]) == ("ann", "About it", ["Press"])
    assert "w320.webp" in pages["Sea"]
    assert pages["Nothing"] == ""


def test_from_wagtail(old_site: Any) -> None:
    files, pages = moved(old_site("wagtail"), "From Wagtail")
    boat, sea, secret, words = files
    assert sea == {**SEA, "tags": ["May", "sea"]}
    assert (boat["owner"], boat["title"], boat["folders"]) == ("ann", "A boat", [])
    assert (secret["visibility"], secret["folders"]) == ("private", ["Closed"])
    assert (words["visibility"], words["folders"]) == ("unlisted", ["Press"])
    assert "w320.webp" in pages["Sea"]
    assert pages["Nothing"] == ""


def test_from_fields(old_site: Any) -> None:
    files, pages = moved(old_site("fields"), "From fields of your own")
    boat, sea, words = files
    assert sea == {**SEA, "alt_text": "", "focal": [0.5, 0.5], "folders": []}
    assert (boat["owner"], boat["title"]) == ("ann", "A boat")
    assert (words["owner"], words["visibility"]) == ("bob", "private")
    assert "w320.webp" in pages["The sea"]
    assert pages["Nothing"] == ""


def test_a_run_that_is_killed_is_gone_on_with(old_site: Any) -> None:
    typist = old_site("fields")
    typist.write(MANY)
    typist.run("python", "many.py")
    typist.page = PAGE
    typist.type_section("1. The app beside the old library")
    typist.run("python", "manage.py", "migrate")
    words = ("manage.py", "media_adopt", "field", "shop.Product.image", "--visibility", "public")
    program = [*typist.found(("python", *words)), "--owner", "ann"]
    killed = [kill_once_at_work(typist, program) for _ in range(3)]
    assert any(killed)
    assert 0 < adopted(typist) < 60
    typist.run("python", *words, "--owner", "ann")
    assert adopted(typist) == counted(typist, "media_mediafile") == 60
    assert "Took 0; 60 were there, 0 refused." in typist.run("python", *words, "--owner", "ann")


def kill_once_at_work(typist: Typist, program: list[str]) -> bool:
    """Whether it was killed before it came to its end."""
    before = adopted(typist)
    process = subprocess.Popen(program, cwd=typist.place, env=typist.environment)
    eventually(lambda: adopted(typist) > before or process.poll() is not None, within=60)
    process.kill()
    return process.wait() == -signal.SIGKILL


MANY = """# many.py
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
import django
django.setup()
from django.core.files import File
from shop.models import Product
Product.objects.all().delete()
for number in range(60):
    Product.objects.create(name=str(number), image=File(open("../given/sea.jpg", "rb"), "sea.jpg"))
"""


def adopted(typist: Typist) -> int:
    return counted(typist, "media_adoption")


def counted(typist: Typist, table: str) -> int:
    with sqlite3.connect(typist.place / "db.sqlite3", timeout=30) as database:
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def moved(typist: Typist, section: str) -> tuple[Any, Any]:
    """The site before, the page typed, and the site after: what the app tells of it then."""
    told = json.loads((typist.place / "told.json").read_text())
    with visitors(typist, SERVERS[:1]) as (anybody, ann):
        check_open(anybody, told)
        for address, name in told["closed"].items():
            assert digest(ann.get(address)) == digest_of(name)
    typist.page = PAGE
    typist.type_section("1. The app beside the old library")
    typist.type_section(section)
    with visitors(typist, SERVERS) as (anybody, ann):
        facts = eventually(lambda: all_ready(typist), within=120)
        check_open(anybody, told)
        check_closed(anybody, ann, told)
        for page in facts["products"].values():
            for source in re.findall(r'src="(/media/[^"]+)"', page):
                assert anybody.get(source).headers["Content-Type"].startswith("image/")
    return facts["files"], facts["products"]


def check_open(anybody: httpx.Client, told: Any) -> None:
    for address, name in told["open"].items():
        assert digest(anybody.get(address)) == digest_of(name), address
    for address in told["small"]:
        answer = anybody.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Content-Type"].startswith("image/")


def check_closed(anybody: httpx.Client, ann: httpx.Client, told: Any) -> None:
    for address, name in told["closed"].items():
        assert anybody.get(address).status_code == 404, address
        assert digest(ann.get(address)) == digest_of(name)
    for address in told["closed_small"]:
        assert anybody.get(address).status_code == 404, address
        assert ann.get(address).headers["Content-Type"].startswith("image/")


@contextmanager
def visitors(
    typist: Typist, servers: tuple[str, ...]
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two who visit the site while it runs: somebody, and Ann, who is signed in."""
    for line in servers:
        typist.enter(line)
    base = f"http://127.0.0.1:{typist.port}"
    try:
        with (
            httpx.Client(base_url=base, follow_redirects=True) as anybody,
            httpx.Client(base_url=base, follow_redirects=True) as ann,
        ):
            eventually(lambda: is_up(anybody), within=60)
            ann.get("/admin/login/")
            token = {"csrfmiddlewaretoken": ann.cookies["csrftoken"]}
            ann.post("/admin/login/?next=/admin/", data={**OWNER, **token})
            assert "sessionid" in ann.cookies
            yield anybody, ann
    finally:
        typist.stop()


def is_up(visitor: httpx.Client) -> bool:
    try:
        return visitor.get("/admin/login/").status_code == 200
    except httpx.TransportError:
        return False


def all_ready(typist: Typist) -> Any:
    facts = read_facts(typist)
    return facts if {file["status"] for file in facts["files"]} == {"ready"} else None


def read_facts(typist: Typist) -> Any:
    script = (PEERS / "facts.py").read_text()
    return json.loads(typist.run("python", "manage.py", "shell", "-v", "0", "-c", script))


def digest(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.url
    return hashlib.sha256(answer.content).hexdigest()


def digest_of(name: str) -> str:
    return hashlib.sha256(GIVEN[name]).hexdigest()
