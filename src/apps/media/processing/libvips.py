"""The one place that sets libvips up and that translates its complaints.

Import it instead of pyvips. Importing evaluates nothing: a process that has evaluated a pipeline
must never be forked again (its children hang), so only children of the fork server may evaluate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from apps.media.exceptions import CorruptFileError, EngineAwayError

__all__ = ["prepare", "pyvips", "reading"]

MINIMUM = (8, 18, 3)  # CVE-2026-69242 (TIFF) and CVE-2026-33327 are fixed from here on


def prepare() -> None:
    """Refuses old versions and blocks the loaders that libvips does not trust with strangers."""
    found = tuple(pyvips.version(part) for part in range(3))
    if found < MINIMUM:
        raise EngineAwayError(f"libvips {found} has known holes, {MINIMUM} is needed")
    pyvips.block_untrusted_set(True)
    pyvips.cache_set_max(0)  # every process does one job: nothing is asked for twice


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
