"""Installs the front-end packages and builds the bundle, each only when its sources changed.

Freshness is judged by content, not by time: a checkout, a copy and a clone all carry new times.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from launch.marks import mark_sources
from launch.node import node_command, npm_command, run_tool
from launch.place import ROOT

PACKAGES = ROOT / "node_modules"
BUNDLE = ROOT / "src/apps/media/static/media/dist"
MARKS = BUNDLE / "marks"  # goes whenever the bundle is built anew
STAMP = ".made-from"


def digest(files: Iterable[Path]) -> str:
    """Return one SHA-256 (hex) over the names and contents of `files`, in the given order."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def package_sources() -> list[Path]:
    """Return the files that decide which packages get installed."""
    return [ROOT / name for name in (".npmrc", "package.json", "package-lock.json")]


def bundle_sources() -> list[Path]:
    """Return the files that decide what the bundle holds."""
    files = (path for path in (ROOT / "frontend").rglob("*") if path.is_file())
    return [*package_sources(), *sorted(files)]


def is_fresh(made: Path, stamp: str) -> bool:
    """Return whether the directory `made` was made from what `stamp` describes."""
    mark = made / STAMP
    return mark.is_file() and mark.read_text() == stamp


def refresh(made: Path, *, sources: list[Path], command: list[str]) -> bool:
    """Run `command` if `made` is older than its sources; return False when the command failed."""
    stamp = digest(sources)
    if is_fresh(made, stamp):
        return True
    if run_tool(command) != 0:
        return False
    made.mkdir(parents=True, exist_ok=True)
    (made / STAMP).write_text(stamp)
    return True


def main(arguments: list[str]) -> int:
    """Bring packages and bundle up to date; `arguments` are not used."""
    steps = (
        (PACKAGES, package_sources(), [*npm_command(), "ci", "--no-fund", "--loglevel=error"]),
        (BUNDLE, bundle_sources(), [*node_command(), "frontend/build.mjs"]),
        (MARKS, mark_sources(), [sys.executable, "-m", "launch", "marks", str(MARKS)]),
    )
    for made, sources, command in steps:
        if not refresh(made, sources=sources, command=command):
            sys.stderr.write("set-up: the front end could not be built (see above)\n")
            return 1
    return 0
