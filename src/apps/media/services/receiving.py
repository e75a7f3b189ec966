"""The receiving end of an upload: bytes are counted, sniffed and limited while they arrive.

The row is there before the first byte and explains the object that grows. Whatever goes wrong,
discarding leaves nothing: no object, no row, no reservation. Never holds more than one chunk.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from apps.core.filenames import clean_display_name
from apps.core.storage import Writer
from apps.core.words import gettext_noop as _
from apps.media.conf import options
from apps.media.exceptions import (
    BadRequestError,
    EmptyFileError,
    FileTooLargeError,
    ForbiddenError,
    QuotaExceededError,
    RejectedError,
    WrongStateError,
)
from apps.media.metrics import counting_rejections
from apps.media.models import MediaFile, Upload
from apps.media.policies import Action, Visitor, can_access
from apps.media.services import quotas
from apps.media.services.inspection import HEAD_BYTES, judge_type
from apps.media.storage import current_alias, original_key, store_of

logger = logging.getLogger(__name__)

CHUNK = 1024 * 1024
RESERVE_STEP = 16 * 1024 * 1024


@contextmanager
def receive_upload(
    *,
    user: Visitor,
    name: str,
    declared_size: int = 0,
    source: str = Upload.Source.FORM,
    replaces: MediaFile | None = None,
) -> Iterator[Receipt]:
    """A place that takes bytes as they come; on any error nothing of them is left.

    `declared_size` (bytes, 0 if unknown) is set aside in the quota at once. `replaces` is the file
    that the bytes become a new version of.
    """
    receipt = open_receipt(
        user=user, name=name, declared_size=declared_size, source=source, replaces=replaces
    )
    try:
        yield receipt
    except BaseException:
        receipt.discard()
        raise


def open_receipt(
    *,
    user: Visitor,
    name: str,
    declared_size: int,
    source: str,
    replaces: MediaFile | None = None,
    spare: int = 0,
) -> Receipt:
    """Begin an upload: its row and reservation first. The caller finishes or discards it.

    `spare` is how many bytes more than `declared_size` may come.

    A new version of the file that it `replaces` is at the expense of that file's owner.
    """
    if not (user.is_authenticated and user.is_active):
        raise ForbiddenError(detail=_("Sign in to upload files."))
    if replaces is not None:
        ensure_replaceable(user=user, media=replaces)
    if declared_size > options().largest_size:
        raise FileTooLargeError(declared_size)
    key = original_key()  # only this process writes: the object is at its place from the start
    upload = Upload(
        owner_id=replaces.owner_id if replaces else user.pk,
        replaces=replaces,
        source=source,
        original_name=clean_display_name(name),
        storage=current_alias(),
        key=key,
        final_key=key,
        expires_at=timezone.now() + timedelta(seconds=options().upload_lifetime),
    )
    _begin(upload, declared_size, spare)
    return Receipt(upload)


def _begin(upload: Upload, size: int, spare: int) -> None:
    """Set aside what is sure to come and, where the account has room for it, what may come."""
    if spare:
        try:
            quotas.begin(upload=upload, size=size + spare)
        except QuotaExceededError:
            pass
        else:
            return
    quotas.begin(upload=upload, size=size)


def ensure_replaceable(*, user: Visitor, media: MediaFile) -> None:
    """Raises `ForbiddenError`, `WrongStateError` unless `user` may give `media` new bytes now."""
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    if media.deleted_at is not None:
        raise WrongStateError(media.pk, detail=_("This file is in the trash."))


class Receipt:
    """The receiving end of one upload: counts, sniffs and limits what is written to it."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.size = 0
        self._head = b""
        self._limit: int | None = None  # known once the type is
        self._writer: Writer | None = None
        self._closed = False

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises `RejectedError` as soon as they cannot be accepted."""
        if not data:
            return
        self.size += len(data)
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        with counting_rejections():
            self._check()
            self._reserve()
        if self._writer is None:
            self._writer = store_of(self.upload.storage).writer(self.upload.key)
        self._writer.write(data)

    def close(self) -> None:
        """All bytes are here: make them durable, once. Raises `RejectedError`."""
        if self._closed:
            return
        with counting_rejections():
            if not self.size:
                raise EmptyFileError(self.upload.pk)
            self._judge()
        if self._writer is not None:
            self._writer.close()
        self._closed = True

    def discard(self) -> None:
        """Leave nothing: no object, no row, no reservation."""
        try:
            if self._writer is not None:
                self._writer.abort()
        except Exception:
            # Whatever could not be undone now, the tombstone of the row's deletion will.
            logger.warning("upload %s: incoming object stays for now", self.upload.pk)
        Upload.objects.filter(pk=self.upload.pk, state=Upload.State.RECEIVING).delete()

    def _check(self) -> None:
        if self._limit is None and len(self._head) >= HEAD_BYTES:
            self._judge()
        if self.size > (self._limit or options().largest_size):
            raise FileTooLargeError(self.upload.pk, self.size)

    def _judge(self) -> None:
        verdict = judge_type(self._head, name=self.upload.original_name)
        self._limit = options().size_limit(verdict.media_type)
        if self.size > self._limit:
            raise FileTooLargeError(self.upload.pk, self.size)

    def _reserve(self) -> None:
        missing = self.size - self.upload.reserved
        if missing <= 0:
            return
        try:
            quotas.reserve(upload=self.upload, size=max(missing, RESERVE_STEP))
        except RejectedError:
            quotas.reserve(upload=self.upload, size=missing)


class LinkedFile(UploadedFile):  # type: ignore[type-arg]  # generic in the stubs only
    """Stands for a file whose sender wants to be given the same one that is there already."""

    def __init__(self, name: str, media: MediaFile) -> None:
        self.media = media
        super().__init__(file=None, name=name, size=media.size)


class ReceivedFile(UploadedFile):  # type: ignore[type-arg]  # generic in the stubs only
    """An uploaded file whose bytes are already in incoming storage.

    Unless a service claims it, closing it (which Django does at the end of the request) discards
    the upload.
    """

    def __init__(self, receipt: Receipt, *, field_name: str) -> None:
        self._receipt: Receipt | None = receipt
        self.field_name = field_name
        upload = receipt.upload
        super().__init__(file=None, name=upload.original_name, size=receipt.size)

    def claim(self) -> Receipt:
        """Hand the upload over, once."""
        receipt, self._receipt = self._receipt, None
        if receipt is None:
            raise BadRequestError(detail=_("This upload was already used."))
        return receipt

    def close(self) -> None:
        if self._receipt is not None:
            self.claim().discard()
