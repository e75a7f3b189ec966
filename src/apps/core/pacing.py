"""How fast bytes leave, and how many answers at a time: what is sent is paced and counted here.

Knows bytes and keys; who gets how much is decided elsewhere.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import cast

from django.core.cache import cache
from django.http import StreamingHttpResponse

from apps.core.caches import CACHE_AWAY
from apps.core.errors import AppError
from apps.core.words import gettext_noop as _

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60  # after which what a dead process held is free again
RENEW_SECONDS = 15
_PIECE_SECONDS = 0.25  # what leaves at once is worth this long at most


class SlotLostError(AppError):
    """A download stood still for so long that another one took its place; it breaks off."""

    code = "download_stalled"
    status = 429
    message = _("This download stood still for too long.")
    retry_after = 5


class Slot:
    """One of so many places, held by a lease in the cache that all processes share.

    The cache adds in one step, so that never more are held than there are. While it does not
    answer, everybody is let in.
    """

    def __init__(self, key: str, *, holder: str) -> None:
        self._key = key
        self._holder = holder
        self._renew_at = time.monotonic() + RENEW_SECONDS

    @classmethod
    def take(cls, name: str, *, places: int) -> Slot | None:
        """A free one of the `places` under `name`, or None."""
        holder = secrets.token_hex(8)
        for number in range(places):
            key = f"slot_{name}_{number}"
            try:
                is_free = cache.add(key, holder, LEASE_SECONDS)
            except CACHE_AWAY as error:
                logger.warning("downloads are not counted: %r", error)
                is_free = True
            if is_free:
                return cls(key, holder=holder)
        return None

    def keep(self) -> None:
        """Called while work goes on; raises `SlotLostError` when another one has the place."""
        if time.monotonic() < self._renew_at:
            return
        self._renew_at = time.monotonic() + RENEW_SECONDS
        with suppress(*CACHE_AWAY):
            if self._is_ours():
                cache.touch(self._key, LEASE_SECONDS)
            elif not cache.add(self._key, self._holder, LEASE_SECONDS):
                raise SlotLostError(self._key)

    def release(self) -> None:
        with suppress(*CACHE_AWAY):
            if self._is_ours():
                cache.delete(self._key)

    def _is_ours(self) -> bool:
        return bool(cache.get(self._key) == self._holder)


class Metered:
    """Passes pieces on, no faster than `rate` bytes in a second (None: as fast as they come).

    The `slot` is kept meanwhile, and released at the end or when the client has gone.
    """

    def __init__(
        self,
        pieces: Iterable[bytes],
        *,
        rate: int | None,
        slot: Slot | None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pieces = _in_portions(pieces, rate)
        self._rate = rate
        self._slot = slot
        self._sleep = sleep
        self._begun = 0.0
        self._sent = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._pause()
        if self._slot:
            self._slot.keep()
        piece = next(self._pieces)
        self._sent += len(piece)
        return piece

    def _pause(self) -> None:
        """Wait until what has left would have taken as long at that rate."""
        if not self._sent:
            self._begun = time.monotonic()
        elif self._rate:
            ahead = self._begun + self._sent / self._rate - time.monotonic()
            if ahead > 0:
                self._sleep(ahead)

    def close(self) -> None:
        """Called by Django when the response ends or the client has gone."""
        if self._slot:
            self._slot.release()
            self._slot = None


def meter(response: StreamingHttpResponse, *, rate: int | None, slot: Slot | None) -> None:
    """Have the body of `response` leave under these limits."""
    pieces = cast("Iterable[bytes]", response.streaming_content)
    response.streaming_content = Metered(pieces, rate=rate, slot=slot)


def drop_body(response: StreamingHttpResponse) -> None:
    """Let go of what a body holds, of an answer that is not given: its own `close` would end the
    request that goes on."""
    for close in response._resource_closers:  # type: ignore[attr-defined]
        close()


def _in_portions(pieces: Iterable[bytes], rate: int | None) -> Iterator[bytes]:
    """`pieces` as they are, or cut so that a slow line gets a little all the time."""
    if rate is None:
        yield from pieces
        return
    most = max(1, int(rate * _PIECE_SECONDS))
    for piece in pieces:
        for start in range(0, len(piece), most):
            yield piece[start : start + most]
