"""The documentation names every option, variable and error code, and none that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from apps.media import exceptions
from apps.media.conf import Options

ROOT = Path(__file__).resolve().parents[4]
DOCS = ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))

OPTIONS = {item.name.upper() for item in fields(Options)}
VARIABLES = set(re.findall(r'env\.\w+\("(\w+)"', (ROOT / "src/config/env.py").read_text()))
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
    assert {"SECRET_KEY", "DATABASE_URL"} <= VARIABLES  # the pattern still reads env.py
    assert documented_names(section("settings.md", "Environment")) == VARIABLES


def test_settings_name_every_option() -> None:
    assert documented_names(section("settings.md", "`MEDIA_APP`")) == OPTIONS


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_the_api_page_has_every_error_code(error: type[exceptions.MediaError]) -> None:
    assert documented_codes().get(error.code) == str(error.status)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (DOCS / page).read_text()):
        assert (DOCS / target).exists(), target
