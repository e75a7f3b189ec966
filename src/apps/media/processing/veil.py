"""Hides the machine's files from an outside program that follows links out of documents.

Office documents may name pictures and texts by any path, and the program would put what it finds
there into its result. Behind the veil it finds programs, libraries, fonts and one directory.
Written for Linux, for the sandbox's child, whose user namespace (see `jail`) allows mounting; the
mounts are seen by nobody else and end with the child. Must never delete a tree: what hangs below
the veil's directory are the machine's real files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from apps.media.processing import mounts

# What a program of the system reads. Not all of /usr: images keep applications in /usr/src and
# /usr/local. /proc names other processes, but their files belong to another namespace.
SYSTEM = (
    "/bin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/share",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/var/cache/fontconfig",
    "/dev/null",
    "/dev/urandom",
    "/proc",
)


@contextmanager
def veiled(root: Path, work_dir: Path, readable: Sequence[Path]) -> Iterator[bool]:
    """Within, only `SYSTEM`, `readable` (neither for writing) and `work_dir` are there.

    Yields whether that is so: False where the kernel does not allow it, and nothing is hidden.
    All paths are absolute. `work_dir` becomes the current directory and /tmp, too. `root` is made
    and taken away; it must not be below `work_dir`.
    """
    veil = _Veil(root)
    try:
        yield veil.hang(work_dir, readable)
    finally:
        veil.take_down()


class _Veil:
    """A directory that becomes the root, and what was made in it, in order."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: list[Path] = []
        self._outside: int | None = None

    def hang(self, work_dir: Path, readable: Sequence[Path]) -> bool:
        if sys.platform != "linux":
            return False
        try:
            mounts.unshare(mounts.NEW_MOUNTS)
            # Not earlier: it has to be the way back into this view of the files, not the one
            # before.
            self._outside = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
            mounts.keep_apart()
            self._make_directory(self._root)
            mounts.bind(self._root, self._root)
            self._make_directory(self._root / "tmp")
            mounts.bind(work_dir, self._root / "tmp")
            self._show(work_dir)
            for path in (*map(Path, SYSTEM), *readable):
                self._show(path, read_only=True)
            mounts.forbid_writing(self._root)
            os.chroot(self._root)
            os.chdir(work_dir)
        except OSError:
            return False
        return True

    def take_down(self) -> None:
        """Only empty directories and files of our own can go: what is still mounted is busy."""
        if self._outside is not None:
            self._step_out(self._outside)
        with suppress(OSError):  # nothing was mounted
            mounts.detach(self._root)
        for place in reversed(self._made):
            with suppress(OSError):
                if place.is_dir() and not place.is_symlink():
                    place.rmdir()
                else:
                    place.unlink()

    def _step_out(self, outside: int) -> None:
        with suppress(OSError):
            os.fchdir(outside)
            os.chroot(".")
            os.chdir(self._root.parent)
        os.close(outside)

    def _show(self, path: Path, *, read_only: bool = False) -> None:
        place = self._root / path.relative_to("/")
        if not path.exists() or place.exists():
            return
        self._make_directory(place.parent)
        if path.is_symlink():
            place.symlink_to(path.readlink())
            self._made.append(place)
            return
        if path.is_dir():
            self._make_directory(place)
        else:
            place.touch()
            self._made.append(place)
        mounts.bind(path, place, with_below=read_only)
        if read_only:
            mounts.forbid_writing(place, with_below=True)

    def _make_directory(self, place: Path) -> None:
        for directory in (*reversed(place.parents), place):
            if directory.is_relative_to(self._root) and not directory.exists():
                directory.mkdir(mode=0o700)
                self._made.append(directory)
