"""Time-ordered identifiers: a list by id is a list by creation, and indexes grow at one end."""

from __future__ import annotations

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a UUID version 7 (RFC 9562 §5.7). It names; it does not protect: never a secret."""
    return uuid7()
