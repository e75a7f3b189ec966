"""One attempt to bring what an import names into its upload: from where it stands to the end.

What has come stays, however the attempt ends: the next one goes on behind it where the source can
send parts of the same file, and begins anew where it cannot.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from apps.core.errors import SourceTooLargeError, SourceTooSlowError, SourceUnavailableError
from apps.core.filenames import clean_display_name, extension_of
from apps.core.filetypes import FILE_TYPES
from apps.core.outbound import Limits, Reach, Response, open_url
from apps.core.sniffing import sniff
from apps.media.conf import options
from apps.media.exceptions import UploadInterruptedError
from apps.media.models import Upload
from apps.media.services import quotas
from apps.media.services.arriving import Arrival
from apps.media.services.deletion import raise_tombstone
from apps.media.services.holding import Hold
from apps.media.services.inspection import HEAD_BYTES
from apps.media.storage import incoming_key


class Line:
    """The connection to a source, for whoever has to end it from another thread."""

    def __init__(self) -> None:
        self.response: Response | None = None

    def cut(self) -> None:
        if self.response is not None:
            self.response.interrupt()


class SourceBody:
    """What a source sends, in the shape of a request's body: `is_whole` afterwards, and the
    `error` that it ended with otherwise. Keeps the first bytes, if it began with them."""

    def __init__(self, response: Response) -> None:
        self._pieces = response.pieces
        self._missing = 0 if response.offset else HEAD_BYTES
        self.head = b""
        self.is_whole = False
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                self._note(piece)
                yield piece
        except (SourceUnavailableError, SourceTooSlowError, SourceTooLargeError) as error:
            self.error = error
        else:
            self.is_whole = True

    def _note(self, piece: bytes) -> None:
        if self._missing:
            self.head += piece[: self._missing]
            self._missing = HEAD_BYTES - len(self.head)


def fetch_upload(*, upload: Upload, hold: Hold, line: Line, reach: Reach) -> None:
    """Have the upload that `hold` holds whole, or raise why it is not.

    Raises those of `open_url`, `RejectedError`, and those by which a holder lets go.
    """
    with open_url(
        upload.url,
        limits=Limits(max_bytes=options().largest_size, total_seconds=options().import_max_seconds),
        offset=upload.offset,
        validator=remembered(upload).get("validator", ""),
        reach=reach,
    ) as response:
        line.response = response
        hold.check()
        _note_answer(upload, hold, response)
        _receive(upload, hold, SourceBody(response))
    if upload.length is None:
        _save(upload, hold, length=upload.offset)


def begin_anew(upload: Upload, hold: Hold, **values: Any) -> None:
    """Forget the bytes that are there: what comes is no continuation of them."""
    with transaction.atomic():
        raise_tombstone(storage=upload.storage, key=upload.key, storage_state=upload.storage_state)
        values = {"length": None, "metadata": remember(upload, validator=""), **values}
        _save(upload, hold, key=incoming_key(), offset=0, storage_state={}, **values)


def remembered(upload: Upload) -> dict[str, Any]:
    """What an import has to know of its source from one attempt to the next."""
    found: dict[str, Any] = json.loads(upload.metadata or "{}")
    return found


def remember(upload: Upload, **facts: Any) -> str:
    return json.dumps({**remembered(upload), **facts})


def _note_answer(upload: Upload, hold: Hold, response: Response) -> None:
    """The row says what is coming before it comes; what is known of the size is set aside."""
    values: dict[str, Any] = {"metadata": remember(upload, validator=response.validator)}
    if response.size is not None or not response.offset:
        values["length"] = response.size
    if not response.offset and not remembered(upload).get("named"):
        values["original_name"] = response.name
    if upload.offset > response.offset:
        begin_anew(upload, hold, **values)
    else:
        _save(upload, hold, **values)
    quotas.reserve(upload=upload, size=(upload.length or 0) - upload.reserved)


def _receive(upload: Upload, hold: Hold, body: SourceBody) -> None:
    try:
        Arrival(upload, hold).take(body)
    except UploadInterruptedError:
        if body.error is not None:
            raise body.error from None
        raise
    finally:
        _complete_name(upload, hold, body.head)


def _complete_name(upload: Upload, hold: Hold, head: bytes) -> None:
    """Addresses often name no type; a file without a suffix is of little use when downloaded."""
    kind = FILE_TYPES.get(sniff(head) or "") if head else None
    if kind is None or extension_of(upload.original_name):
        return
    name = clean_display_name(f"{upload.original_name}.{kind.extension}")
    _save(upload, hold, original_name=name)


def _save(upload: Upload, hold: Hold, **values: Any) -> None:
    hold.save(**values)
    for name, value in values.items():
        setattr(upload, name, value)
