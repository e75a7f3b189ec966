"""Who is meant by a name on the command line, and how many bytes by a size."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)\s*([KMGT]?)i?B?", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
MOST = 2**60  # bytes, far below what a column holds


def find_user(name: str) -> Any:
    """The user of that name, also one whose account is switched off. Raises `CommandError`."""
    found = maybe_find_user(name)
    if found is None:
        raise CommandError(f"There is no user {name!r}.")
    return found


def maybe_find_user(name: str) -> Any:
    """The same, or None."""
    users = get_user_model()
    return users._base_manager.filter(**{users.USERNAME_FIELD: name}).first()


def size_in_bytes(text: str) -> int:
    """Bytes of `text`, such as `1.5G`; units are of 1024, as everywhere in this app."""
    parts = _SIZE.fullmatch(text.strip())
    if parts is None:
        raise ArgumentTypeError(f"{text!r} is no size; say 500M, 1.5G, 2T or a number of bytes")
    size = int(Decimal(parts[1]) * 1024 ** _POWERS[parts[2].upper()])
    if size > MOST:
        raise ArgumentTypeError(f"{text!r} is too much")
    return size
