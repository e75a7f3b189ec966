"""The bytes of one request on their way from the line to the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol, cast

from django.utils import timezone

from apps.core.connections import lend_connection
from apps.core.requestbody import SpooledBody
from apps.core.storage import Appender, AppendingStore
from apps.core.tus import Checksum
from apps.core.words import gettext_noop as _
from apps.media.conf import options
from apps.media.exceptions import (
    BadRequestError,
    ChunkDamagedError,
    FileTooLargeError,
    RejectedError,
    ServiceStoppingError,
    UploadInterruptedError,
    UploadTakenError,
)
from apps.media.models import Upload
from apps.media.services import quotas
from apps.media.services.holding import Hold
from apps.media.services.inspection import HEAD_BYTES, judge_type
from apps.media.services.receiving import RESERVE_STEP
from apps.media.services.sessions import expiry
from apps.media.storage import store_of

CHECKPOINT = 5.0  # seconds
# What has come before these is kept, for the client to go on with.
INTERRUPTIONS = (UploadInterruptedError, UploadTakenError, ServiceStoppingError)


class Pieces(Protocol):
    """Pieces of bytes; afterwards `is_whole` tells whether their end was reached."""

    @property
    def is_whole(self) -> bool: ...
    def __iter__(self) -> Iterator[bytes | memoryview]: ...


class Arrival:
    """Takes the bytes of one request into an upload that `hold` holds.

    They are counted, sniffed and limited as they come, made durable from time to time, and count
    once the row says so. Never holds more than one piece.
    """

    def __init__(self, upload: Upload, hold: Hold, *, checksum: Checksum | None = None) -> None:
        self._upload = upload
        self._hold = hold
        self._checksum = checksum
        self._digest = checksum.start() if checksum else None
        self._saved = time.monotonic()
        is_first = upload.offset == 0 and upload.role == Upload.Role.WHOLE
        self._head: bytes | None = b"" if is_first else None
        self._limit = options().largest_size if upload.length is None else upload.length

    def take(self, body: Pieces) -> None:
        """Raises `RejectedError`, `BadRequestError`, `ChunkDamagedError` and those of
        `INTERRUPTIONS`; what is durable afterwards, `upload` says."""
        store = cast("AppendingStore", store_of(self._upload.storage))
        self._hold.check_ours()  # opening drops what was not acknowledged to us
        appender = store.appender(
            self._upload.key, size=self._upload.offset, state=self._upload.storage_state
        )
        try:
            if isinstance(body, SpooledBody) and self._checksum is None:
                self._adopt(body, appender)
            else:
                self._stream(body, appender)
            self._verify()
        except INTERRUPTIONS:
            self._keep_or_drop(appender)
            raise
        except BaseException:
            appender.abort()
            raise
        self._keep(appender)

    def _stream(self, body: Pieces, appender: Appender) -> None:
        lend_connection()
        for data in body:
            self._hold.progressed()
            self._hold.check_ours()
            self._admit(data, appender.size)
            appender.write(data)
            self._hold.check()
            if time.monotonic() - self._saved > CHECKPOINT:
                self._save(appender)
        self._hold.check()
        if not body.is_whole:
            raise UploadInterruptedError(self._upload.pk)
        self._judge_short_file(appender.size)

    def _adopt(self, body: SpooledBody, appender: Appender) -> None:
        """The proxy has received the bytes: none of them passes through this process."""
        size = appender.size + body.length
        if self._head is not None:
            self._head = body.head(HEAD_BYTES)
        if self._head is not None and len(self._head) == HEAD_BYTES:
            self._judge()
        self._judge_short_file(size)
        self._refuse_beyond(size)
        if self._upload.length is None:
            _reserve(self._upload, size)
        self._hold.check_ours()
        appender.take_file(body.path)

    def _admit(self, data: bytes | memoryview, size: int) -> None:
        self._refuse_beyond(size + len(data))
        if self._digest is not None:
            self._digest.update(data)
        if self._head is not None:
            self._head += bytes(data[: HEAD_BYTES - len(self._head)])
            if len(self._head) == HEAD_BYTES:
                self._judge()
        if self._upload.length is None:
            _reserve(self._upload, size + len(data))

    def _refuse_beyond(self, size: int) -> None:
        if size <= self._limit:
            return
        if self._upload.length is None:
            raise FileTooLargeError(self._upload.pk)
        raise BadRequestError(detail=_("More bytes came than the upload was announced with."))

    def _judge_short_file(self, size: int) -> None:
        if self._head and size == self._upload.length:
            self._judge()

    def _judge(self) -> None:
        """What the first bytes tell is told now, not after four gigabytes."""
        head, self._head = self._head or b"", None
        kind = judge_type(head, name=self._upload.original_name).media_type
        self._limit = min(self._limit, options().size_limit(kind))
        if (self._upload.length or 0) > self._limit:
            raise FileTooLargeError(self._upload.pk, self._upload.length)

    def _verify(self) -> None:
        if self._checksum and self._digest.digest() != self._checksum.digest:  # type: ignore[union-attr]
            raise ChunkDamagedError(self._upload.pk)

    def _save(self, appender: Appender) -> None:
        """A row in time keeps the loss small when this process is killed.

        Bytes with a checksum count only when all are there.
        """
        self._saved = time.monotonic()
        if self._checksum is None:
            _record(self._upload, self._hold, appender.checkpoint(), appender)
            lend_connection()

    def _keep_or_drop(self, appender: Appender) -> None:
        if self._checksum is None:
            self._keep(appender)
        else:
            appender.abort()

    def _keep(self, appender: Appender) -> None:
        keep_appended(self._upload, self._hold, appender)


def keep_appended(upload: Upload, hold: Hold, appender: Appender) -> None:
    """Make durable what was appended, and have it count.

    Raises `UploadTakenError` when somebody else has gone on meanwhile; nothing of ours stays then.
    """
    try:
        hold.check_ours()
        size = appender.close()
    except BaseException:
        appender.abort()
        raise
    try:
        _record(upload, hold, size, appender)
    except UploadTakenError:
        appender.withdraw()
        raise


def _record(upload: Upload, hold: Hold, offset: int, appender: Appender) -> None:
    values = {"offset": offset, "storage_state": appender.state, "expires_at": expiry()}
    hold.save(**values, updated_at=timezone.now())
    for name, value in values.items():
        setattr(upload, name, value)


def _reserve(upload: Upload, size: int) -> None:
    missing = size - upload.reserved
    if missing <= 0:
        return
    try:
        quotas.reserve(upload=upload, size=max(missing, RESERVE_STEP))
    except RejectedError:
        quotas.reserve(upload=upload, size=missing)
