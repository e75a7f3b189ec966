"""`make reference`: writes into the documentation what the code is the source of, mostly tables.

It stands between `<!-- NAME -->` and `<!-- end -->`. A test says when one is out of date.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from apps.media.conf import DAY, GIB, HOUR, MIB, Options, Shown
from config.tests.asvs import REQUIREMENTS
from config.variables import Variable, variables
from launch.place import ROOT

DOCS = ROOT / "docs"
PAGES = ("architecture.md", "settings.md", "threats.md")
# The table → its first and its last option, in the order of `Options`.
OPTIONS = {
    "options of what is taken": ("accepted_types", "max_duration"),
    "options of processing": ("recipes", "work_dir"),
    "options of jobs and lifetimes": ("job_lease", "version_lifetime"),
    "options of access and delivery": ("accel", "erased_trail"),
    "options of downloads": ("bandwidth", "downloads"),
}


def rows(heads: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown."""
    heads = list(heads)
    cells = [heads, ["---"] * len(heads), *map(list, lines)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells).replace("| --- ", "|---")


def grouped(number: int) -> str:
    """Return a number as people read it: 100 000."""
    return f"{number:,}".replace(",", " ")


def in_bytes(size: int) -> str:
    """Return a size in the largest unit that leaves a whole number: 50 GiB."""
    if size % GIB == 0:
        return f"{size // GIB} GiB"
    return f"{grouped(size // MIB)} MiB" if size % MIB == 0 else grouped(size)


def in_seconds(time: int) -> str:
    """Return a time, and from an hour on what it comes to: 43 200 (12 hours)."""
    count, unit = (time // DAY, "day") if time % DAY == 0 else (time // HOUR, "hour")
    if time < HOUR:
        return grouped(time)
    return f"{grouped(time)} ({count} {unit}{'s' if count > 1 else ''})"


def default_of(option: Field[Any], marks: tuple[Any, ...]) -> str:
    """Return how the default of an option reads, which its unit or a `Shown` decides."""
    for mark in marks:
        if isinstance(mark, Shown):
            return mark.text
    value = option.default if option.default is not MISSING else option.default_factory()  # type: ignore[misc]
    if isinstance(value, dict):
        return ", ".join(f"{kind} {in_bytes(size)}" for kind, size in value.items())
    if isinstance(value, int):
        units = {"bytes": in_bytes, "seconds": in_seconds}
        return next((units[mark](value) for mark in marks if mark in units), grouped(value))
    return f"`{value}`" if value else "none"


def option_rows(first: str, last: str) -> str:
    """Return the options from `first` to `last`."""
    hints = get_type_hints(Options, include_extras=True)
    every = fields(Options)
    names = [option.name for option in every]
    chosen = every[names.index(first) : names.index(last) + 1]
    lines = []
    for option in chosen:
        _, *marks = get_args(hints[option.name])
        lines.append((f"`{option.name.upper()}`", default_of(option, tuple(marks)), marks[-1]))
    return rows(("option", "default", "meaning"), lines)


def _shown(variable: Variable) -> str:
    if variable.shown:
        return variable.shown
    if isinstance(variable.default, bool):
        return f"`{str(variable.default).lower()}`"
    if isinstance(variable.default, tuple):
        return f"`{','.join(variable.default)}`" if variable.default else "empty"
    return "empty" if variable.default == "" else f"`{variable.default}`"


def variable_rows() -> str:
    """Return every environment variable."""
    every = (variable for _, variable in variables().values())
    lines = ((f"`{item.name}`", _shown(item), item.meaning) for item in every)
    return rows(("variable", "default", "meaning"), lines)


def requirement_rows() -> str:
    """Return the requirements of the ASVS that this project is held to, and their tests."""
    lines = (
        (key, requirement.wanted, "<br>".join(f"`{test}`" for test in requirement.tests))
        for key, requirement in REQUIREMENTS.items()
    )
    return rows(("id", "what holds", "tests, below `src`"), lines)


def contract(inside: str) -> list[str]:
    """Return the layers of the import contract of the app `inside`, the highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    return next(item["layers"] for item in contracts if item.get("containers") == [inside])


def layer_lines() -> str:
    """Return the layers of media as text."""
    return "\n".join(("```", *contract("apps.media"), "```\n"))


TABLES: dict[str, Callable[[], str]] = {
    "variables": variable_rows,
    "requirements": requirement_rows,
    "layers": layer_lines,
    **{name: lambda span=span: option_rows(*span) for name, span in OPTIONS.items()},
}
PLACE = re.compile(r"<!-- ([a-z ]+) -->\n.*?<!-- end -->\n", re.DOTALL)


def written(page: Path) -> str:
    """Return the text of a page with its tables as the code has them."""
    return PLACE.sub(
        lambda place: f"<!-- {place[1]} -->\n\n{TABLES[place[1]]()}\n<!-- end -->\n",
        page.read_text(encoding="utf-8"),
    )


def main(arguments: list[str]) -> int:
    """Write the tables of all pages anew."""
    for name in PAGES:
        page = DOCS / name
        page.write_text(written(page), encoding="utf-8")
    return 0
