"""Signatures for Amazon CloudFront: a canned policy, by RSA and SHA-1, as it wants them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def sign(url: str, *, key_id: str, key: str, expires_at: int) -> str:
    """`url` signed by the private `key` (PEM). ValueError for another key."""
    signer = CloudFrontSigner(key_id, lambda message: _by_rsa(key, message))
    until = datetime.fromtimestamp(expires_at, tz=UTC)
    signed: str = signer.generate_presigned_url(url, date_less_than=until)
    return signed


def _by_rsa(key: str, message: bytes) -> bytes:
    return _private_key(key).sign(message, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303


@lru_cache(maxsize=2)
def _private_key(key: str) -> rsa.RSAPrivateKey:
    found = serialization.load_pem_private_key(key.encode(), password=None)
    if not isinstance(found, rsa.RSAPrivateKey):
        raise ValueError("CloudFront needs an RSA key in PEM")  # noqa: TRY004  # a setting's value
    return found
