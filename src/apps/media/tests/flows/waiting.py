"""The one way in which these tests wait: for a condition, up to a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PAUSE_SECONDS = 0.05


def eventually(check: Callable[[], Found], *, within: float = 30.0) -> Found:
    """Return the first true value of `check`; fail after `within` seconds, saying the last one."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not (found := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s; last seen: {found!r}")
        pause.wait(PAUSE_SECONDS)
    return found
