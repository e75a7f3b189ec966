"""Remembers for a few seconds what would else be asked of the database again and again.

Per process and for values that anybody who asks may have: whose right it is, is asked before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Value = TypeVar("Value")


class ShortMemory:
    """At most `size` values, each for `seconds` after it was found. Safe on many threads."""

    def __init__(
        self, *, seconds: float, size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._size, self._clock = seconds, size, clock
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def recall(self, key: Hashable, find: Callable[[], Value]) -> Value:
        """What `find` gave within these seconds, else what it gives now.

        Its errors and None are not remembered: what is missing may come at any moment.
        """
        with self._lock:
            until, value = self._kept.get(key, (0.0, None))
        if until > self._clock():
            known: Value = value
            return known
        # From before the question: an answer that took long is not younger for it.
        until = self._clock() + self._seconds
        found = find()
        if found is not None:
            self._keep(key, until, found)
        return found

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()

    def _keep(self, key: Hashable, until: float, value: object) -> None:
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= self._size:
                del self._kept[next(iter(self._kept))]  # the one that was found first
            self._kept[key] = (until, value)
