"""The one function by which this project signs what it gives out and later believes.

A seal is an HMAC-SHA256 under a key that is derived from SECRET_KEY for one purpose, so that what
was sealed for one use means nothing in another. Keys are rotated as Django's are: the first one
seals, SECRET_KEY_FALLBACKS still open.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_WINDOWS = 4  # of the time that was asked for: an address is valid for up to a quarter longer
SEAL_BYTES = 16  # half of the digest (RFC 2104 §5): 128 bits that nobody guesses


def seal(message: bytes, *, purpose: str) -> bytes:
    """The seal of `message` for `purpose` under the present key."""
    return _seal_by(settings.SECRET_KEY, message, purpose)


def is_sealed(message: bytes, given: bytes, *, purpose: str) -> bool:
    """Whether `given` is the seal of `message` under the present key or one that it replaced.

    Every key is tried, whichever fits: the time tells nothing.
    """
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    found = [constant_time_compare(given, _seal_by(key, message, purpose)) for key in keys]
    return any(found)


def _seal_by(key: str, message: bytes, purpose: str) -> bytes:
    return salted_hmac(purpose, message, secret=key, algorithm="sha256").digest()[:SEAL_BYTES]


def expiry_of(seconds: int, *, now: float | None = None) -> int:
    """When an address ends that is to last `seconds`: rounded up to the end of a window.

    Whoever signs the same within a window gets the same address, which caches then know.
    """
    window = max(seconds // _WINDOWS, 1)
    wanted = int(time.time() if now is None else now) + seconds
    return -(-wanted // window) * window
