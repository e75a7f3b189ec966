"""Ends of what grew in a bucket: sealing, discarding, and finding what nobody ended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Protocol

from botocore.exceptions import ClientError

from apps.core.errors import ObjectMissingError
from apps.core.storage.base import StoredObject
from apps.core.storage.growing import State, StoredPart, Unfinished
from apps.core.storage.keys import is_key, pieces_of
from apps.core.storage.s3_appender import Growing, Progress
from apps.core.storage.s3_client import is_misfit, s3_errors
from apps.core.storage.s3_multipart import Multipart, abort_uploads
from apps.core.storage.s3_transfer import Destination

# In the state of an upload that nobody's row explains: the finished object of its key, if there is
# one, is none of its business.
_ALONE = "alone"
_TRIES = 3


class Sweepable(Protocol):
    """What clearing up needs of the store."""

    def remove(self, key: str) -> None: ...
    def walk(self, prefix: str = "") -> Iterator[StoredObject]: ...


def seal(growing: Growing, *, size: int, state: State) -> None:
    """Make `size` appended bytes an object; the work of an earlier attempt is recognised."""
    progress = Progress(**state)
    try:
        growing.to.refuse_taken_key(origin=growing.origin)
        with s3_errors(growing.to.key):
            if progress.parts:
                _complete(growing, progress, tail_length=size - progress.sent)
            else:
                _put_whole(growing, progress, size=size)
    except (FileExistsError, ObjectMissingError):
        if not growing.to.holds(growing.origin, size=size):
            raise


def _put_whole(growing: Growing, progress: Progress, *, size: int) -> None:
    """What never filled a part is small enough for one request."""
    with growing.read_tail(progress.tail, length=size) as whole:
        growing.to.client.put_object(
            **growing.to.target,
            **growing.to.description(growing.origin),
            **growing.to.condition,
            **growing.to.body(whole),
        )


def _complete(growing: Growing, progress: Progress, *, tail_length: int) -> None:
    """A holder that lost its lease may still be sending a part under the number of ours: then the
    parts do not fit, and ours is put there again."""
    for tries_left in reversed(range(_TRIES)):
        try:
            _complete_once(growing, progress, tail_length=tail_length)
        except ClientError as error:
            if not (tries_left and is_misfit(error)):
                raise
        else:
            return


def _complete_once(growing: Growing, progress: Progress, *, tail_length: int) -> None:
    upload = Multipart(growing.to, progress.upload_id)
    parts = list(takewhile(lambda part: part.number <= progress.parts, upload.parts()))
    if not progress.is_made_of(parts):
        raise ObjectMissingError(growing.to.key, "its parts are not those acknowledged")
    if tail_length:
        parts.append(_tail_part(growing, upload, progress, length=tail_length))
    upload.complete(parts)


def _tail_part(
    growing: Growing, upload: Multipart, progress: Progress, *, length: int
) -> StoredPart:
    if not progress.tail or growing.store.size_of(progress.tail) != length:
        raise ObjectMissingError(growing.to.key, "shorter than was acknowledged")
    source = growing.store.address_of(progress.tail)
    return upload.copy(progress.parts + 1, source, start=0, length=length)


def sweep(store: Sweepable, to: Destination) -> None:
    """Remove what helped the object at a key to grow, whatever crash left it there."""
    for piece in list(store.walk(pieces_of(to.key))):
        store.remove(piece.key)
    abort_uploads(to)


def discard(store: Sweepable, to: Destination, *, state: State) -> None:
    """Leave nothing of an object, in parts or whole."""
    if upload_id := state.get("upload_id"):
        with s3_errors(to.key):
            Multipart(to, upload_id).abort()
    if state.get(_ALONE):
        return
    sweep(store, to)
    store.remove(to.key)


def walk_unfinished(client: Any, *, bucket: str, base: str, prefix: str) -> Iterator[Unfinished]:
    """Uploads in parts below `base`; `discard` ends each without touching an object of its key."""
    pages = client.get_paginator("list_multipart_uploads")
    with s3_errors(prefix):
        for page in pages.paginate(Bucket=bucket, Prefix=base + prefix):
            for found in page.get("Uploads", ()):
                key = found["Key"].removeprefix(base)
                if is_key(key):
                    state = {"upload_id": found["UploadId"], _ALONE: True}
                    yield Unfinished(key, found["Initiated"], state)
