"""The one place that sets libvips up and that translates its complaints.

Import it instead of pyvips. Importing evaluates nothing: a process that has evaluated a pipeline
must never be forked again (its children hang), so only children of the fork server may evaluate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from apps.media.exceptions import CorruptFileError, EngineAwayError

__all__ = ["look_up", "prepare", "pyvips", "reading", "rehearse"]

MINIMUM = (8, 18, 3)  # CVE-2026-69242 (TIFF) and CVE-2026-33327 are fixed from here on

_OPERATIONS = (
    "jpegload pngload webpload gifload tiffload copy cast flatten colourspace addalpha "
    "thumbnail_image jpegsave webpsave"
).split()
_SIDE = 32  # pixels


def prepare() -> None:
    """Refuses old versions and blocks the loaders that libvips does not trust with strangers."""
    found = tuple(pyvips.version(part) for part in range(3))
    if found < MINIMUM:
        raise EngineAwayError(f"libvips {found} has known holes, {MINIMUM} is needed")
    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)  # every process does one job: nothing is asked for twice


def look_up() -> None:
    """Asks once what pyvips asks of every operation before its first use. Evaluates nothing."""
    for operation in _OPERATIONS:
        pyvips.Introspect.get(operation)


def rehearse() -> None:
    """Makes a tiny picture, so that the first real one finds code and memory ready.

    By a region, which evaluates in this thread: a child that has others cannot be locked up.
    """
    empty = pyvips.Image.new_from_memory(bytes(3 * _SIDE * _SIDE), _SIDE, _SIDE, 3, "uchar")
    picture = empty.copy(interpretation="srgb").thumbnail_image(_SIDE // 4, size="force")
    pyvips.Region.new(picture.cast("uchar")).fetch(0, 0, picture.width, picture.height)


@contextmanager
def reading() -> Iterator[None]:
    """Around every evaluation: what libvips raises becomes an error of our tree."""
    try:
        yield
    except pyvips.Error as error:
        message = f"{error.message} {error.detail}"
        if "out of memory" in message:
            raise MemoryError(message) from error
        if "No space left" in message:
            raise EngineAwayError(message) from error
        raise CorruptFileError(message) from error
