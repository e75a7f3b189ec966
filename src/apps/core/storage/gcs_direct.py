"""Objects that clients send to Google Cloud Storage themselves: parts are objects, joined later."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from apps.core.storage.direct import check_parts
from apps.core.storage.gcs_client import CONTENT_TYPE, GcsBucket
from apps.core.storage.gcs_growing import sweep
from apps.core.storage.growing import PartRules, SignedPart, State, StoredPart
from apps.core.storage.keys import pieces_of

if TYPE_CHECKING:
    from google.cloud.storage import Blob

# Each 31 parts cost one request when they are joined, so they are few and may be large.
RULES = PartRules(smallest=1, largest=5 * 1024**3, most=1000)
_SINGLE = "single"

Signer = Callable[..., str]  # (blob, method, expires_in, headers) → URL


def begin(*, single: bool) -> State:
    return {_SINGLE: True} if single else {}


def sign(
    bucket: GcsBucket,
    key: str,
    *,
    state: State,
    number: int,
    size: int,
    expires_in: int,
    by: Signer,
) -> SignedPart:
    """The range of lengths is signed, so that the server accepts no other number of bytes."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        "x-goog-content-length-range": f"{size},{size}",
    }
    blob = bucket.blob(_part_key(key, state, number))
    url = by(blob, method="PUT", expires_in=expires_in, headers=dict(headers))
    return SignedPart(number, url, headers)


def list_parts(bucket: GcsBucket, key: str, *, state: State) -> list[StoredPart]:
    return [part for part, _ in _arrived(bucket, key, state)]


def complete(bucket: GcsBucket, key: str, *, state: State, parts: Sequence[StoredPart]) -> None:
    arrived = dict(_arrived(bucket, key, state))
    try:
        found = check_parts(parts, found=arrived)
    except ValueError:
        if not parts or not bucket.holds(key, _origin(key), size=sum(p.size for p in parts)):
            raise
    else:
        if state.get(_SINGLE):
            return
        _join(bucket, key, [arrived[part] for part in found])
    sweep(bucket, key)


def _join(bucket: GcsBucket, key: str, blobs: list[Blob]) -> None:
    try:
        bucket.join(blobs, key, origin=_origin(key))
    except FileExistsError as error:
        if bucket.find(key) is not None:
            raise
        raise ValueError(f"A part was replaced in this very moment: {key}") from error


def _arrived(bucket: GcsBucket, key: str, state: State) -> list[tuple[StoredPart, Blob]]:
    if state.get(_SINGLE):
        found = bucket.find(key)
        return [] if found is None else [(_described(1, found), found)]
    prefix = _part_prefix(key)
    return [
        (_described(int(name.removeprefix(prefix)), blob), blob)
        for name, blob in bucket.below(prefix)
    ]


def _described(number: int, blob: Blob) -> StoredPart:
    """The entity tag that a client sees on its PUT is the MD5 in hexadecimal digits."""
    return StoredPart(number, blob.size, base64.b64decode(blob.md5_hash or "").hex())


def _part_prefix(key: str) -> str:
    return f"{pieces_of(key)}part-"


def _part_key(key: str, state: State, number: int) -> str:
    return key if state.get(_SINGLE) else f"{_part_prefix(key)}{number:05d}"


def _origin(key: str) -> str:
    return f"direct:{key}"
