"""Finds the files below some paths, and says which are never taken.

Hidden files are left out. A link counts as what it leads to, if that lies in the same tree; one
that leads out of it is refused, and a folder behind a link is visited under its own name alone.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """A file, or why this path is none that is taken: `code` is empty for a file."""

    path: Path
    code: str = ""


def find_files(paths: Iterable[Path], *, recursive: bool) -> Iterator[Found]:
    """All files at and below `paths`, in order of their names. Holds the names of one folder per
    level, and no more."""
    for path in paths:
        if _is_folder(path):
            yield from _below(path.resolve(), root=path.resolve(), recursive=recursive)
        else:
            yield _judged(path, root=path.parent.resolve())


def _below(folder: Path, *, root: Path, recursive: bool) -> Iterator[Found]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        yield Found(folder, "unreadable")
        return
    for path in paths:
        if path.name.startswith("."):
            yield Found(path, "hidden")
        elif _is_folder(path) and not path.is_symlink():
            if recursive:
                yield from _below(path, root=root, recursive=recursive)
        else:
            yield from _beside(path, root=root)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # in a folder that only lists its names, or no name at all: `_judged` tells
        return False


def _beside(path: Path, *, root: Path) -> Iterator[Found]:
    found = _judged(path, root=root)
    if found.code != "folder":  # a link to one: its files have names of their own
        yield found


def _judged(path: Path, *, root: Path) -> Found:
    try:
        real = path.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, RuntimeError):  # a loop of links is a RuntimeError
        return Found(path, "unreadable")
    if path.is_symlink() and not real.is_relative_to(root):
        return Found(path, "link_leads_out")
    if any(part.startswith(".") for part in real.relative_to(root).parts):
        return Found(path, "hidden")
    if stat.S_ISDIR(mode):
        return Found(path, "folder")
    return Found(path) if stat.S_ISREG(mode) else Found(path, "no_file")
