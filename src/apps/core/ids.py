"""Time-ordered identifiers: a list by id is a list by creation, and indexes grow at one end. And
secrets, which are none."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta

from uuid_utils.compat import uuid7

_TOKEN_BYTES = 24  # 192 bits


def new_id() -> uuid.UUID:
    """Return a UUID version 7 (RFC 9562 §5.7). It names; it does not protect: never a secret."""
    return uuid7()


def new_token() -> str:
    """Return a secret for an address, 32 characters: whoever has it may do what it is for."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def id_at(moment: datetime) -> uuid.UUID:
    """A new id like those that were made at `moment`, for what is older than its row.

    What is older than 1970 gets one of its first moment.
    """
    return uuid7(nanoseconds=max(int(moment.timestamp() * 1000), 0) * 1_000_000)


def first_id(moment: datetime) -> uuid.UUID:
    """The least id that anything made at `moment` or later can have: for ranges in an index."""
    milliseconds = int(moment.timestamp() * 1000)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | 0b10 << 62)


def moment_of(name: uuid.UUID) -> datetime:
    """When `name` was made (see `new_id`), to the millisecond.

    Raises `OverflowError` for what no clock of these times has made.
    """
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=name.int >> 80)
