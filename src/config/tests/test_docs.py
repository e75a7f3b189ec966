"""The documentation names every option, variable and error code, and none that is gone.

So it does with files and tests; and its site, which `make docs` builds, has no broken link.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands

from apps.media import exceptions
from apps.media.conf import Options
from config.tests.asvs import REQUIREMENTS
from config.tests.test_asvs import named_tests
from config.variables import variables
from launch import reference

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
FOLDERS = ("bench", "bin", "deploy", "docs", "emulators", "frontend", "src")
MADE = {"src/apps/media/static/media/dist"}  # by set-up
PAGES = sorted(path.name for path in DOCS.glob("*.md"))

OPTIONS = {item.name.upper() for item in fields(Options)}
VARIABLES = {variable.name for _, variable in variables().values()}
ERRORS = [
    error
    for error in vars(exceptions).values()
    if isinstance(error, type)
    and issubclass(error, exceptions.MediaError)
    and "code" in vars(error)
]


def section(page: str, title: str) -> str:
    """The text of a page between the second-level heading `title` and the next one."""
    _, _, rest = (DOCS / page).read_text().partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row of a Markdown text."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def documented_names(text: str) -> set[str]:
    """What stands in capitals, as code, in the first column of the tables."""
    return {name for first, *_ in rows(text) for name in re.findall(r"`([A-Z_]+)`", first)}


def documented_codes() -> dict[str, str]:
    """Every error code of the API's page with the status beside it."""
    found = {}
    for codes, status, *_ in rows(section("api.md", "Errors")):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", codes), status)
    return found


def test_settings_name_every_environment_variable() -> None:
    assert documented_names(section("settings.md", "Environment")) == VARIABLES


def test_settings_name_every_option() -> None:
    assert documented_names(section("settings.md", "`MEDIA_APP`")) == OPTIONS


@pytest.mark.parametrize("name", reference.PAGES)
def test_tables_are_those_of_the_code(name: str) -> None:
    text = (DOCS / name).read_text()
    assert "<!-- end -->" in text
    assert reference.written(DOCS / name) == text, "make reference"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_the_api_page_has_every_error_code(error: type[exceptions.MediaError]) -> None:
    assert documented_codes().get(error.code) == str(error.status)


@pytest.mark.parametrize("name", [*PAGES, "../README.md", "../CONTRIBUTING.md"])
def test_files_that_are_named_exist(name: str) -> None:
    named = re.findall(
        rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)(?:::[\w:]+)?`", (DOCS / name).read_text()
    )
    assert [path for path in named if not any(ROOT.glob(path)) and path not in MADE] == []


@pytest.mark.parametrize("name", PAGES)
def test_tests_that_are_named_exist(name: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::([\w:]+)`", (DOCS / name).read_text())
    assert name != "threats.md" or len(named) > len(REQUIREMENTS)
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / "src" / path).is_file() or test not in named_tests(ROOT / "src" / path)
    ]
    assert missing == []


@pytest.mark.parametrize("name", [*PAGES, "../README.md", "../CONTRIBUTING.md"])
def test_commands_that_are_named_exist(name: str) -> None:
    text = (DOCS / name).read_text()
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text))
    assert commands <= get_commands().keys()
    named = {
        one or other for one, other in re.findall(r"`make (\w[\w-]*)|^make (\w[\w-]*)", text, re.M)
    }
    assert named <= set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))


def test_every_command_is_told_of() -> None:
    text = "".join((DOCS / page).read_text() for page in PAGES)
    own = {name for name, app in get_commands().items() if app == "apps.media"}
    assert "media_worker" in own
    assert {name for name in own if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_root_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text()):
        assert (ROOT / target).exists(), target


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in the strict way: a link to a page, file or heading that is not there fails it."""
    site = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("mkdocs")
    command = [program, "build", "--quiet", "--site-dir", site]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return site


def test_the_site_has_every_page(site: Path) -> None:
    pages = {str(path.relative_to(DOCS).with_suffix(".html")) for path in DOCS.rglob("*.md")}
    assert pages | {"changelog.html", "contributing.html"} <= {
        str(path.relative_to(site)) for path in site.rglob("*.html")
    }


def test_no_page_of_the_site_asks_another_host(site: Path) -> None:
    asked = re.compile(
        r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^>]*>"
    )
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert asked.findall(text) == [], page.name
        assert 'class="mermaid"' not in text, "its script comes from another host"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", style.read_text()), style.name


def test_the_search_finds_headings(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text())
    titles = {entry["title"] for entry in index["docs"]}
    assert {"Moving to another storage", "Recipes"} <= titles
