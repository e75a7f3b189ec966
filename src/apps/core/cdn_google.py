"""Signatures for Google Cloud CDN: HMAC-SHA1 over the whole address, as it wants them."""

from __future__ import annotations

import base64
import hashlib
import hmac

KEY_BYTES = 16


def sign(url: str, *, key_id: str, key: str, expires_at: int) -> str:
    """`url` signed by the secret `key`, which is base64url. ValueError for another key."""
    secret = base64.urlsafe_b64decode(key)
    if len(secret) != KEY_BYTES:
        raise ValueError("Cloud CDN needs a key of 128 bits in base64url")
    separator = "&" if "?" in url else "?"
    said = f"{url}{separator}Expires={expires_at}&KeyName={key_id}"
    made = base64.urlsafe_b64encode(hmac.new(secret, said.encode(), hashlib.sha1).digest())
    return f"{said}&Signature={made.decode()}"
