"""What stands in the address that ends mails: who, and of which kinds. Needs no sign-in, since it
can do nothing else."""

from __future__ import annotations

import base64
import binascii

from django.utils.crypto import constant_time_compare

from apps.core.seals import SEAL_BYTES, is_sealed, seal
from apps.notifications.exceptions import NotThereError
from apps.notifications.kinds import Kind

PURPOSE = "notifications.unsubscribe"
ALL = "all"


def token_for(user_id: object, kind: str) -> str:
    message = f"{user_id}:{kind}".encode()
    return _text(seal(message, purpose=PURPOSE) + message)


def read_token(token: str) -> tuple[str, list[Kind]]:
    """Whose mails of which kinds end. Raises `NotThereError`."""
    raw = _bytes(token)
    given, message = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
    is_written_so = constant_time_compare(_text(raw), token)
    if not is_sealed(message, given, purpose=PURPOSE) or not is_written_so:
        raise NotThereError("unsubscribe")
    user_id, _, kind = message.decode().rpartition(":")
    return user_id, list(Kind) if kind == ALL else [Kind(kind)]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise NotThereError("unsubscribe") from error
