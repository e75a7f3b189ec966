"""Tokens in signed addresses: what they open, until when, and that we gave them out.

A token is base64url, without padding, of

    1 byte   scope, and bit 7 for "as a download"
    4 bytes  number of the version
    5 bytes  expiry, seconds since 1970
    16 bytes seal over: id of the file, all of the above, name of the rendition

The name and the id stand in the address and not in the token; another one does not fit the seal.
Checking needs no query and no look at the file.
"""

from __future__ import annotations

import base64
import binascii
import enum
import struct
import uuid
from dataclasses import dataclass

from django.utils.crypto import constant_time_compare

from apps.core.seals import SEAL_BYTES, is_sealed, seal

PURPOSE = "apps.media.signatures"
_HEAD = struct.Struct(">BIBI")  # the expiry is 40 bits, high byte first
_DOWNLOAD = 0x80
_LENGTH = _HEAD.size + SEAL_BYTES


class Scope(enum.IntEnum):
    """How much of a file's tree a token opens."""

    WHOLE = 1  # the original and all that is made of it, which says less
    STREAM = 2  # what players of films and sounds need: hls/…
    RENDITION = 3  # one rendition


_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says. `expires_at` is in seconds since 1970; `name` that of a rendition."""

    media_id: uuid.UUID
    version: int
    expires_at: int
    scope: Scope = Scope.WHOLE
    name: str = ""
    download: bool = False


def write_token(claim: Claim) -> str:
    """The token that says this."""
    head = _head(claim)
    return _encode(head + seal(_sealed(claim, head), purpose=PURPOSE))


def read_token(token: str, *, media_id: uuid.UUID, place: str, now: float) -> Claim | None:
    """What `token` says, if we gave it out, it is not over, and it opens `place`: the address
    below the file's, such as `original` or `r/thumb.webp`. Else None.

    All tokens take the same way, so that time tells nothing of where a wrong one differs.
    """
    data = _decode(token)
    flags, version, high, low = _HEAD.unpack(data[: _HEAD.size])
    scope = flags & ~_DOWNLOAD
    claim = Claim(
        media_id=media_id,
        version=version,
        expires_at=(high << 32) + low,
        scope=Scope(scope) if scope in _SCOPES else Scope.RENDITION,
        name=place.removeprefix("r/") if scope == Scope.RENDITION else "",
        download=bool(flags & _DOWNLOAD),
    )
    message = _sealed(claim, data[: _HEAD.size])
    valid = is_sealed(message, data[_HEAD.size :], purpose=PURPOSE)
    opens = (
        _opens(scope, place)
        and claim.expires_at > now
        and constant_time_compare(_encode(data), token)
    )
    return claim if valid and opens else None


def _opens(scope: int, place: str) -> bool:
    if scope == Scope.RENDITION:
        return place.startswith("r/")
    return scope == Scope.WHOLE or (scope == Scope.STREAM and place.startswith("hls/"))


def _head(claim: Claim) -> bytes:
    flags = claim.scope | (_DOWNLOAD if claim.download else 0)
    high, low = divmod(claim.expires_at, 1 << 32)
    return _HEAD.pack(flags, claim.version, high, low)


def _sealed(claim: Claim, head: bytes) -> bytes:
    # The parts before the name have one length each: no two claims are the same bytes.
    return claim.media_id.bytes + head + claim.name.encode("utf-8", "surrogatepass")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(token: str) -> bytes:
    """As many bytes as a token has; zeros for what is none, which no seal fits."""
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    return data if len(data) == _LENGTH else bytes(_LENGTH)
