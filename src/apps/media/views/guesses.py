"""How often strangers may guess tokens and passwords of share links (ASVS V2.4.1).

Counted in the cache, in windows of fixed length, each guess in one atomic step: as many as come at
once, never one more.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from django.core.cache import cache

from apps.core.caches import CACHE_AWAY
from apps.media.exceptions import TooManyGuessesError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guesses:
    """At most `limit` of a kind in `window` seconds."""

    kind: str
    limit: int
    window: int

    def ensure_left(self, whose: object) -> None:
        """Raise `TooManyGuessesError` if none is left. Who does not guess needs no cache."""
        with suppress(*CACHE_AWAY):
            if int(cache.get(self._key(whose), 0)) >= self.limit:
                self._refuse(whose)

    def take(self, whose: object) -> str:
        """Count one, and return what `give_back` takes. Raises `TooManyGuessesError` if none was
        left, or nobody can count."""
        key = self._key(whose)
        try:
            cache.add(key, 0, timeout=2 * self.window)
            if cache.incr(key) <= self.limit:
                return key
        except (*CACHE_AWAY, ValueError) as error:
            logger.warning("guesses are refused uncounted: %r", error)
        return self._refuse(whose)

    def give_back(self, taken: str) -> None:
        """That was no guess."""
        with suppress(ValueError, *CACHE_AWAY):  # the cache has forgotten it
            cache.decr(taken)

    def _key(self, whose: object) -> str:
        return f"share:{self.kind}:{whose}:{int(time.time()) // self.window}"

    def _refuse(self, whose: object) -> NoReturn:
        left = self.window - int(time.time()) % self.window
        raise TooManyGuessesError(self.kind, whose, retry_after=left)


TOKENS_BY_ADDRESS = Guesses("token", limit=60, window=60)
PASSWORDS_BY_ADDRESS = Guesses("password", limit=10, window=60)
PASSWORDS_BY_LINK = Guesses("link", limit=60, window=3600)
