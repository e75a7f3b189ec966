"""Uploads that clients send to the storage themselves, part by part, in requests that we signed.

The client never names a key, and what it sends is judged only after a copy to a key that it cannot
write. The storage's own list says what has arrived, not the client.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.core.errors import ObjectMissingError
from apps.core.storage import DirectStore, PartRules, SignedPart, StoredPart
from apps.core.words import gettext_noop as _
from apps.media.exceptions import (
    BadRequestError,
    DirectUnavailableError,
    EmptyFileError,
    PartsMissingError,
    RejectedError,
    SizeMismatchError,
    WrongStateError,
)
from apps.media.models import MediaFile, Upload
from apps.media.policies import Visitor
from apps.media.services.finalizing import finalize_upload
from apps.media.services.holding import Hold, hold_upload
from apps.media.services.sessions import (
    Announcement,
    begin_upload,
    drop_upload,
    expiry,
    refuse_expired,
)
from apps.media.storage import current_alias, store_of

logger = logging.getLogger(__name__)

MIB = 1024**2
PART_SIZE = 16 * MIB  # what one request may lose on a bad line
SINGLE_LIMIT = PART_SIZE  # up to here one request is all
FEW_PARTS = 500  # so that all addresses fit into one answer
SIGNED_SECONDS = 3600


@dataclass(frozen=True)
class ClaimedPart:
    """What a client says of a part that it has sent."""

    number: int
    etag: str = ""


def begin_direct_upload(
    *, user: Visitor, announced: Announcement
) -> tuple[Upload, list[SignedPart]]:
    """A new upload and the requests that bring its bytes.

    Raises `DirectUnavailableError` where the storage signs nothing, `EmptyFileError`, and what
    `begin_upload` raises.
    """
    store = store_of(current_alias())
    if not isinstance(store, DirectStore):
        raise DirectUnavailableError
    if not announced.length:
        raise EmptyFileError
    size = _part_size(announced.length, store.part_rules)
    upload = begin_upload(user=user, announced=announced, part_size=size)
    if upload.media_id is not None:
        return upload, []  # the owner has it already
    try:
        upload.storage_state = store.begin_parts(upload.key, single=size == announced.length)
    except BaseException:
        drop_upload(upload=upload)
        raise
    upload.save(update_fields=["storage_state", "updated_at"])
    return upload, sign_parts(upload=upload)


def sign_parts(*, upload: Upload, numbers: Sequence[int] | None = None) -> list[SignedPart]:
    """The requests for these parts, or for all. Raises `UploadGoneError`, `BadRequestError`."""
    refuse_expired(upload)
    _refuse_complete(upload)
    last = _count(upload)
    wanted = range(1, last + 1) if numbers is None else numbers
    if any(not 1 <= number <= last for number in wanted):
        raise BadRequestError(
            detail=_("This upload has the parts 1 to %(last)s."), values={"last": last}
        )
    store = _store(upload)
    return [
        store.sign_part(
            upload.key,
            state=upload.storage_state,
            number=number,
            size=_size_of(upload, number),
            expires_in=_lifetime(upload),
        )
        for number in wanted
    ]


def list_direct_parts(*, upload: Upload) -> list[StoredPart]:
    """The parts that have arrived. Raises `UploadGoneError`."""
    refuse_expired(upload)
    if upload.state == Upload.State.COMPLETED:
        return []
    with contextlib.suppress(ObjectMissingError):
        return _store(upload).list_parts(upload.key, state=upload.storage_state)
    return []  # joined already, though not yet a file


def complete_direct_upload(*, upload: Upload, claimed: Sequence[ClaimedPart]) -> MediaFile:
    """Make a media file of the parts; asked again it gives the same file.

    Raises `PartsMissingError` while one is not there as claimed, `RejectedError` (the upload is
    dropped), `UploadGoneError`, those of `hold_upload`.
    """
    refuse_expired(upload)
    with hold_upload(upload) as hold:
        if upload.media is not None:
            return upload.media
        try:
            if not upload.is_whole:
                _join(upload, hold, claimed)
            return finalize_upload(upload=upload)
        except RejectedError:
            drop_upload(upload=upload)
            raise


def abort_direct_upload(*, upload: Upload) -> None:
    """End an unfinished upload at its owner's wish."""
    with hold_upload(upload):
        _refuse_complete(upload)
        drop_upload(upload=upload)


def _join(upload: Upload, hold: Hold, claimed: Sequence[ClaimedPart]) -> None:
    """Parts become an object, unless an earlier attempt whose answer was lost has done so."""
    store = _store(upload)
    try:
        arrived = store.list_parts(upload.key, state=upload.storage_state)
    except ObjectMissingError:
        size = store.size_of(upload.key)
    else:
        parts = _checked(upload, arrived, claimed)
        size = sum(part.size for part in parts)
        if size != upload.length:
            raise SizeMismatchError(upload.pk, size)
        try:
            store.complete_parts(upload.key, state=upload.storage_state, parts=parts)
        except ValueError as error:  # replaced in this very moment
            raise PartsMissingError(upload.pk) from error
    if size != upload.length:
        raise SizeMismatchError(upload.pk, size)
    hold.save(offset=size, expires_at=expiry())
    upload.offset = size


def _checked(
    upload: Upload, arrived: Sequence[StoredPart], claimed: Sequence[ClaimedPart]
) -> list[StoredPart]:
    """All parts of the upload, as the storage has them and the client says."""
    there = {part.number: part for part in arrived}
    said = {part.number: part.etag.strip('"') for part in claimed}
    for number in range(1, _count(upload) + 1):
        part, etag = there.get(number), said.get(number)
        if part is None or etag is None or (etag and part.etag and etag != part.etag):
            raise PartsMissingError(
                upload.pk,
                number,
                detail=_("Part %(number)s has not arrived as it was sent."),
                values={"number": number},
            )
    return [there[number] for number in sorted(said) if number in there]


def _refuse_complete(upload: Upload) -> None:
    if upload.state == Upload.State.COMPLETED:
        raise WrongStateError(detail=_("This upload has become a file already."))


def _store(upload: Upload) -> DirectStore:
    store = store_of(upload.storage)
    if not isinstance(store, DirectStore):
        raise DirectUnavailableError(upload.pk)
    return store


def _part_size(length: int, rules: PartRules) -> int:
    """As small as a bad line likes, as large as the storage needs; a whole number of MiB."""
    if length <= min(SINGLE_LIMIT, rules.largest):
        return length
    needed = math.ceil(length / min(FEW_PARTS, rules.most) / MIB) * MIB
    return min(max(PART_SIZE, needed, rules.smallest), rules.largest)


def _count(upload: Upload) -> int:
    return math.ceil((upload.length or 0) / (upload.part_size or 1))


def _size_of(upload: Upload, number: int) -> int:
    size, length = upload.part_size or 0, upload.length or 0
    return min(size, length - (number - 1) * size)


def _lifetime(upload: Upload) -> int:
    """Seconds; an address never outlives its upload, whose tombstone waits for that."""
    left = upload.expires_at - timezone.now()
    return max(1, int(min(left, timedelta(seconds=SIGNED_SECONDS)).total_seconds()))
