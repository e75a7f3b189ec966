"""Which outside programs and which decoders this machine has."""

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
# The releases that closed the last holes we know of.
OLDEST: dict[str, Version] = {
    "libvips": (8, 18, 3),  # TIFF of many bands, Exif, its own format
    "libheif": (1, 22, 0),
    "libwebp": (1, 3, 2),  # CVE-2023-4863
    "Pillow": (12, 3, 0),  # bombs, PSD
    "ffmpeg": (8, 1, 3),  # playlists within playlists
    "LibreOffice": (7, 4, 0),  # the oldest that the test suite is run with
}
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def version_of(program: str, option: str) -> Version | None:
    """What a program says its version is; None where it says none, as builds of a day do."""
    command = [program, option]
    try:
        done = subprocess.run(  # noqa: S603  a path of the operator's
            command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _read(done.stdout)


def library_versions() -> dict[str, Version]:
    """Of the libraries that came with the packages, or that the system has."""
    import PIL.features  # noqa: PLC0415  heavy, and only for this question
    import pillow_heif  # noqa: PLC0415
    import pyvips  # noqa: PLC0415

    said = {
        "libvips": ".".join(str(pyvips.version(part)) for part in range(3)),
        "libheif": pillow_heif.libheif_version(),
        "libwebp": PIL.features.version("webp") or "",
        "Pillow": PIL.__version__,
    }
    return {name: version for name, text in said.items() if (version := _read(text))}


def _read(text: str) -> Version | None:
    """Three numbers, of which the last may be left out."""
    found = _VERSION.search(text)
    return tuple(int(part or 0) for part in found.groups()) if found else None
