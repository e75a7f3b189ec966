"""Addresses at a CDN, and the signatures that some CDNs are told to ask for.

    https://cdn.example.org                  anybody may fetch there
    cloudfront+https://d111.cloudfront.net   Amazon CloudFront: a trusted key group
    google+https://cdn.example.org           Google Cloud CDN: a signed request key

What is signed here is everybody's all the same: the CDN keeps other sites from using it as their
own, and nothing private ever gets an address there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from django.utils.module_loading import import_string

from apps.core.seals import expiry_of

A_DAY = 24 * 3600  # seconds: how long an address is good; the same one is given for six hours
_KEPT = 8192  # signatures that are not made again
# Loaded only where they are asked for: a vendor's library costs every process its memory.
_SIGNERS = {
    "cloudfront": "apps.core.cdn_cloudfront.sign",
    "google": "apps.core.cdn_google.sign",
}


@dataclass(frozen=True)
class Cdn:
    """`base` stands before a path. False where there is none."""

    base: str = ""
    kind: str = ""
    key_id: str = ""
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.base)

    @property
    def signs(self) -> bool:
        """Whether every address needs a signature of its own, which relative ones cannot have."""
        return bool(self.kind)

    def address(self, path: str) -> str:
        """The address of a path of this site; repeated for as long as caches should know it."""
        url = f"{self.base}{path}"
        return _signed(self, url, expiry_of(A_DAY)) if self.signs else url


@lru_cache(maxsize=4)
def cdn_from_url(url: str, *, key_id: str, key: str) -> Cdn:
    """The CDN that `url` names. ValueError for what is none, and where signatures are asked for and
    the key is missing or is no such key."""
    given = url.rstrip("/")
    if not given:
        return Cdn()
    parts = urlsplit(given)
    kind, _, scheme = parts.scheme.rpartition("+")
    plain = scheme in {"http", "https"} and parts.netloc and "@" not in parts.netloc
    if not plain or parts.query or parts.fragment or kind not in {"", *_SIGNERS}:
        raise ValueError("a plain http(s) address is needed, with cloudfront+ or google+ before it")
    cdn = Cdn(given.partition("+")[2] if kind else given, kind, key_id, key)
    if cdn.signs:
        if not (key_id and key):
            raise ValueError("a CDN that asks for signatures needs the id of a key, and the key")
        _signed(cdn, cdn.base, 0)
    return cdn


@lru_cache(maxsize=_KEPT)
def _signed(cdn: Cdn, url: str, expires_at: int) -> str:
    sign = import_string(_SIGNERS[cdn.kind])
    signed: str = sign(url, key_id=cdn.key_id, key=cdn.key, expires_at=expires_at)
    return signed
