"""Which outside programs this machine has."""

from __future__ import annotations

import shutil
from functools import lru_cache

import imageio_ffmpeg


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
