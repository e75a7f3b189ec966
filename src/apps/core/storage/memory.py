"""Objects that live as long as their process, for tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.core.storage.local import LocalStore

_MEMORY = Path("/dev/shm")  # noqa: S108  # a private directory is made in it
_ROOM = 512 * 1024 * 1024  # bytes; containers often have less there than a test writes


class MemoryStore(LocalStore):
    """A `LocalStore` in a private directory, which lies in memory where there is room for it.

    No other process finds it, and it goes with this one, or with the store.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="media-objects-", dir=_memory())
        super().__init__(location=self._folder.name)


def _memory() -> Path | None:
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM:
        return None
    return _MEMORY
