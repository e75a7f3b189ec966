"""Secrets that have to be read again, such as keys to sign with, as they lie in the database.

Encrypted under a key that is derived from SECRET_KEY for one purpose, so that a copy of the
database alone gives none away. SECRET_KEY_FALLBACKS still open what they closed.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class UnreadableSecretError(Exception):
    """The key that it was closed with is gone."""


def conceal(text: str, *, purpose: str) -> str:
    """`text` as it may be stored."""
    return _cipher(purpose).encrypt(text.encode()).decode("ascii")


def reveal(stored: str, *, purpose: str) -> str:
    """What `conceal` was given. Raises `UnreadableSecretError`."""
    try:
        return _cipher(purpose).decrypt(stored.encode("ascii")).decode()
    except (InvalidToken, UnicodeEncodeError) as error:
        raise UnreadableSecretError(purpose) from error


def renew(stored: str, *, purpose: str) -> str:
    """The same secret closed by the present key. Raises `UnreadableSecretError`."""
    return conceal(reveal(stored, purpose=purpose), purpose=purpose)


def _cipher(purpose: str) -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(key, purpose)) for key in keys])


def _key(secret: str, purpose: str) -> bytes:
    digest = salted_hmac("apps.core.cipher", purpose, secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
