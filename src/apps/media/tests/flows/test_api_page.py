"""The commands of `docs/api.md` and of the tutorial, typed in their order at a running site."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.media.tests import samples
from apps.media.tests.flows.clients import Person
from apps.media.tests.flows.films import numbered_film
from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.waiting import eventually

DOCS = Path(__file__).resolve().parents[5] / "docs"
PAGE = (DOCS / "api.md").read_text()
TUTORIAL = (DOCS / "tutorial.md").read_text().partition("\n## 2. ")[2].partition("\n## ")[0]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SIGN_IN = re.compile(r"^TOKEN=\$\(.*?\)\n", re.MULTILINE | re.DOTALL)
PROBLEM = re.compile(r'^# \{"type".*?"status":(\d+)', re.MULTILINE)
# Says each status, and remembers what a block has named for the next one.
BEFORE = """
touch names; . ./names
curl() { command curl --noproxy '*' -w '%{stderr}\n@%{http_code}\n' "$@"; }
"""
AFTER = """
for name in SITE BASE TOKEN ID HOLIDAY; do
  if [ -n "${!name:-}" ]; then echo "$name='${!name}'"; fi
done > names
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of its own: what is typed leaves public files, for others' lists to show."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


class Shell:
    """Types blocks of the page in one directory."""

    def __init__(self, place: Path, **names: str) -> None:
        self.place = place
        self.names = "".join(f"{name}={value}\n" for name, value in names.items())
        self.said = ""

    def type(self, block: str) -> list[int]:
        """Type a block and return the statuses of its answers."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{BEFORE}{self.names}{block}{AFTER}"],
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        self.said = done.stdout
        return [int(status) for status in re.findall(r"^@(\d+)$", done.stderr, re.MULTILINE)]

    def wait_for(self, person: Person) -> None:
        """Until the file whose id was named is ready."""
        named = re.search(r"^ID='(.+)'$", (self.place / "names").read_text(), re.MULTILINE)
        assert named
        eventually(lambda: is_ready(person, named[1]), within=120)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the files that the page uploads."""
    (tmp_path / "photo.jpg").write_bytes(samples.photo_jpeg(1600, 1200))
    (tmp_path / "better.jpg").write_bytes(samples.photo_jpeg(1600, 1000))
    (tmp_path / "english.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    (tmp_path / "film.mp4").write_bytes(numbered_film(2))
    (tmp_path / "paper.pdf").write_bytes(samples.pdf(pages=3))
    return tmp_path


def test_every_command_of_the_page(site: Site, person: Person, place: Path) -> None:
    shell = Shell(
        place,
        FILM=uploaded(person, place / "film.mp4"),
        PAPER=uploaded(person, place / "paper.pdf"),
    )
    blocks, answers = BLOCK.findall(PAGE), 0
    for block in blocks:
        statuses = shell.type(as_typed(block, site, person))
        allowed = {int(status) for status in PROBLEM.findall(block)}
        assert [code for code in statuses if code >= 400] == sorted(allowed), block
        answers += len(statuses)
        if block.startswith("ID="):
            shell.wait_for(person)
    assert answers > len(blocks)
    assert (place / "holiday.zip").stat().st_size > 0
    assert (place / "page-2.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_programs_of_the_tutorial(site: Site, person: Person, tmp_path: Path) -> None:
    (tmp_path / "docs/images").mkdir(parents=True)
    shutil.copy(DOCS / "images/library.webp", tmp_path / "docs/images")
    shell, said = Shell(tmp_path), []
    for block in BLOCK.findall(TUTORIAL):
        assert [code for code in shell.type(as_typed(block, site, person)) if code >= 400] == []
        said.append(shell.said)
        if block.startswith("ID="):
            shell.wait_for(person)
    assert said[2].startswith("ready image/webp ['w320.webp', ")
    assert said[3].split() == ["200", "404"]
    assert json.loads(said[4])["max_downloads"] == 3


def as_typed(block: str, site: Site, person: Person) -> str:
    """What somebody types whose site, account and friends have other names."""
    block = SIGN_IN.sub(f"TOKEN={person.token}\n", block)
    return block.replace("http://127.0.0.1:8000", person.address).replace(
        "ines", site.person().name if "ines" in block else ""
    )


def uploaded(person: Person, path: Path) -> str:
    answer = person.upload(path.read_bytes(), path.name)
    assert answer.status_code == 201, answer.text
    return str(json.loads(answer.text)["id"])


def is_ready(person: Person, media: str) -> bool:
    return bool(person.get(f"/api/v1/media/{media}/").json()["status"] == "ready")
