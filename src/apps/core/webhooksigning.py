"""Messages to other servers, signed by the Standard Webhooks scheme (github.com/standard-webhooks).

The signature is of id, time and text, so that a receiver can tell who sent it, that nothing was
changed, and that it is not an old one sent again by somebody else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
_SECRET_BYTES = 32  # the scheme wants 24 to 64


def new_secret() -> str:
    """A key in the form in which receivers keep it."""
    return f"{PREFIX}{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def signed_headers(
    *, message_id: str, timestamp: int, text: bytes, keys: Iterable[str]
) -> dict[str, str]:
    """What goes along with `text`, signed by each of `keys`; `timestamp` is in seconds since 1970.

    Several signatures let a receiver change from one key to the next.
    """
    signatures = [_sign(message_id, timestamp, text, key) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _sign(message_id: str, timestamp: int, text: bytes, key: str) -> str:
    signed = b".".join([message_id.encode(), str(timestamp).encode(), text])
    digest = hmac.new(_raw(key), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _raw(key: str) -> bytes:
    """Raises `ValueError` for what is no key."""
    try:
        raw = base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not a key") from error
    if not raw:
        raise ValueError("not a key")
    return raw
