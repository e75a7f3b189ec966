"""Uploads that arrive in many requests: continued, finished, ended.

An acknowledged byte is durable: the row's `offset` says how many are, and only grows. Bytes go from
the line to the store as they come; what a broken line leaves is kept.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import AppError
from apps.core.requestbody import Body
from apps.core.storage import AppendingStore
from apps.core.tus import Checksum
from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import (
    BadRequestError,
    FileTooLargeError,
    ForbiddenError,
    RejectedError,
    WrongOffsetError,
    WrongStateError,
)
from apps.media.models import MediaFile, Upload
from apps.media.policies import Visitor
from apps.media.services import quotas
from apps.media.services.arriving import Arrival
from apps.media.services.finalizing import finalize_upload
from apps.media.services.holding import Hold, hold_upload, read_anew, wait_until_free
from apps.media.services.sessions import (
    Announcement,
    begin_upload,
    drop_upload,
    refuse_expired,
)
from apps.media.storage import store_of

logger = logging.getLogger(__name__)

BATCH = 100
LEFT_ALONE = timedelta(minutes=1)  # after which a whole upload is finished without its client


@dataclass(frozen=True)
class Piece:
    """What one request brings: bytes that begin at `offset`, perhaps the length of the whole."""

    offset: int
    body: Body
    length: int | None = None
    checksum: Checksum | None = None


def begin_upload_with(*, user: Visitor, announced: Announcement, first: Piece) -> Upload:
    """Begin an upload together with its first bytes; a copy of what is there already needs none.

    On any error nothing is left, since its owner has not heard of it. Raises as `begin_upload`,
    `append_to_upload` and `finish_upload` do.
    """
    upload = begin_upload(user=user, announced=announced)
    if upload.media is not None:
        return upload
    try:
        append_to_upload(upload=upload, piece=first)
        finish_upload(upload=upload)
    except BaseException:
        drop_upload(upload=upload)
        raise
    return upload


def append_to_upload(*, upload: Upload, piece: Piece) -> Upload:
    """Append the bytes of one request; returns the row as it is then.

    Raises `WrongOffsetError`, `WrongStateError`, `BadRequestError`, `ChunkDamagedError` (nothing
    is kept then); `UploadInterruptedError`, `UploadTakenError`, `ServiceStoppingError` (what came
    is kept); `RejectedError` (the upload is dropped); `UploadGoneError`; those of `hold_upload`.
    """
    refuse_expired(upload)
    with hold_upload(upload, interrupt=piece.body.interrupt) as hold:
        _refuse_misplaced(upload, piece)
        _declare_length(upload, piece.length, hold)
        _refuse_overlong(upload, piece.body.length or 0)
        if piece.body.length != 0:
            _take(upload, piece, hold)
        seal_part(upload)
    return upload


def finish_upload(*, upload: Upload) -> MediaFile | None:
    """The media file of a whole upload, made now if it is not yet; None while bytes are missing.

    It is held meanwhile, so that neither its owner's wish nor the clock ends it half-way. What is
    refused leaves nothing, not even the upload. Raises `RejectedError`, and as `hold_upload`:
    `NotVisibleError` also when the new file was deleted at once.
    """
    if upload.media is not None:
        return upload.media
    if not (upload.is_whole and upload.offset) or upload.role == Upload.Role.PARTIAL:
        return None
    with hold_upload(upload):
        try:
            media = finalize_upload(upload=upload)
        except RejectedError:
            drop_upload(upload=upload)
            raise
    read_anew(upload)
    return media


def look_at_upload(*, upload: Upload) -> Upload:
    """The row as it really is: whoever still writes lets go first, what is whole is finished.

    Raises `UploadGoneError`, `UploadLockedError`, `RejectedError`.
    """
    refuse_expired(upload)
    wait_until_free(upload)
    finish_upload(upload=upload)
    return upload


def cancel_upload(*, upload: Upload) -> None:
    """End an unfinished upload at its owner's wish. Raises `WrongStateError` for a finished one."""
    with hold_upload(upload):
        if upload.state == Upload.State.COMPLETED:
            raise WrongStateError(upload.pk, detail=_("This upload has become a file already."))
        drop_upload(upload=upload)


def finish_whole_uploads(*, limit: int = BATCH) -> int:
    """Make files of what is whole but whose client never came back; return how many.

    The longest untouched first: one that cannot be finished does not stand in the others' way.
    """
    due = Upload.objects.filter(
        state=Upload.State.RECEIVING,
        source=Upload.Source.TUS,
        role__in=(Upload.Role.WHOLE, Upload.Role.FINAL),
        offset=F("length"),
        offset__gt=0,  # what is empty makes no file
        updated_at__lt=timezone.now() - LEFT_ALONE,
    ).exclude(lock_until__gt=Now())
    done = sum(_finish_quietly(upload) for upload in due.order_by("updated_at")[:limit])
    return dispatch.maybe_sweep_again(dispatch.FINISH_UPLOADS, done=done, limit=limit)


def seal_part(upload: Upload) -> None:
    """A whole part becomes an ordinary object, for others to be made of. Again it is harmless.

    What is empty has none, and what has become part of a file has none any more.
    """
    is_part = upload.role == Upload.Role.PARTIAL and upload.state == Upload.State.RECEIVING
    store = store_of(upload.storage)
    if is_part and upload.is_whole and upload.offset and isinstance(store, AppendingStore):
        store.seal(upload.key, size=upload.offset, state=upload.storage_state)


def _take(upload: Upload, piece: Piece, hold: Hold) -> None:
    try:
        Arrival(upload, hold, checksum=piece.checksum).take(piece.body)
    except RejectedError:
        drop_upload(upload=upload)
        raise


def _finish_quietly(upload: Upload) -> bool:
    """Goes behind the others first, however it ends."""
    Upload.objects.filter(pk=upload.pk).update(updated_at=timezone.now())
    try:
        return finish_upload(upload=upload) is not None
    except AppError as error:
        logger.info("upload %s could not be finished: %s", upload.pk, error.code)
    except Exception:  # the outermost edge of work: the others may go well
        logger.exception("upload %s could not be finished", upload.pk)
    return False


def _refuse_misplaced(upload: Upload, piece: Piece) -> None:
    if upload.role == Upload.Role.FINAL:
        raise ForbiddenError(upload.pk, detail=_("An upload made of others takes no bytes."))
    if piece.offset != upload.offset:
        raise WrongOffsetError(upload.pk, piece.offset, upload.offset)
    if upload.state != Upload.State.RECEIVING and piece.body.length != 0:
        raise WrongStateError(upload.pk, detail=_("This upload is complete."))


def _declare_length(upload: Upload, length: int | None, hold: Hold) -> None:
    """The length of an upload that was begun without one, said once."""
    if length is None or length == upload.length:
        return
    if upload.length is not None or length < upload.offset:
        raise BadRequestError(detail=_("The length of this upload cannot become another one."))
    if length > options().largest_size:
        raise FileTooLargeError(upload.pk, length)
    quotas.reserve(upload=upload, size=length - upload.reserved)
    hold.save(length=length)
    upload.length = length


def _refuse_overlong(upload: Upload, count: int) -> None:
    if upload.length is not None and upload.offset + count > upload.length:
        raise BadRequestError(detail=_("More bytes than the upload was announced with."))
