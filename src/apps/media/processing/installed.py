"""Which outside programs this machine has."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache

import imageio_ffmpeg

ASK_SECONDS = 20  # LibreOffice takes its time


@lru_cache(maxsize=1)
def find_ffmpeg() -> str:
    """The absolute path of ffmpeg, empty without one.

    The one from the wheel comes first: the same version everywhere, newer than most systems', and
    a tenth faster.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:  # no wheel for this platform, none on the path
        return ""


@lru_cache(maxsize=1)
def find_soffice() -> str:
    """The absolute path of LibreOffice, empty without one."""
    return shutil.which("soffice") or shutil.which("libreoffice") or ""


Version = tuple[int, ...]
# The oldest that the test suite is run with, or that still gets mends of its makers.
OLDEST: dict[str, Version] = {"libvips": (8, 15), "ffmpeg": (6, 0), "LibreOffice": (7, 4)}
_VERSION = re.compile(r"(\d+)\.(\d+)")


def version_of(program: str, option: str) -> Version | None:
    """What a program says its version is; None where it says none, as builds of a day do."""
    command = [program, option]
    try:
        done = subprocess.run(  # noqa: S603  a path of the operator's
            command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    return (int(found[1]), int(found[2])) if found else None


def libvips_version() -> Version:
    """Of the library that came with the packages, or that the system has."""
    import pyvips  # noqa: PLC0415  heavy, and only for this question

    return (int(pyvips.version(0)), int(pyvips.version(1)))
