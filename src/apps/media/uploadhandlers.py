"""Streams the files of a multipart request straight into incoming storage.

Django's own handlers write a file into memory or a temporary place first, and again when it is
saved. This one writes once: the upload's row exists before the first byte, and size, type and
quota are judged while the bytes arrive. What no service claims is discarded with the request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, UnreadablePostError

from apps.media.conf import options
from apps.media.exceptions import (
    FileTooLargeError,
    LengthRequiredError,
    RejectedError,
    UploadInterruptedError,
)
from apps.media.models import Upload
from apps.media.policies import Visitor
from apps.media.services.receiving import CHUNK, Receipt, ReceivedFile, open_receipt

# What the parts of a form may weigh beside its file: its fields and boundaries.
FORM_OVERHEAD = 64 * 1024
# A refused body is read on up to here, so that the client hears the answer instead of a reset.
DRAIN_LIMIT = 256 * 1024 * 1024


class IncomingUploadHandler(FileUploadHandler):
    """One request's files, in order; a refusal raises at once and ends the request.

    With `collect_refusals` a refused file becomes a `RefusedFile` instead and the next is read.
    """

    chunk_size = CHUNK

    def __init__(
        self, request: HttpRequest, *, user: Visitor, collect_refusals: bool = False
    ) -> None:
        super().__init__(request)
        self._user = user
        self._collect = collect_refusals
        self._receipt: Receipt | None = None
        self._refusal: RejectedError | None = None
        self._declared = 0
        self._body: Any = None
        self._received: list[ReceivedFile] = []

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803  Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        self._body = input_data
        input_data.read = self._telling_of_breaks(input_data.read)
        self._declared = max(content_length - FORM_OVERHEAD, 0)
        if not self._collect and self._declared > options().largest_size:
            self._drain()
            raise FileTooLargeError(content_length)

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        self._refusal = None
        declared = 0 if self._collect else self._declared
        try:
            self._receipt = open_receipt(
                user=self._user, name=file_name, declared_size=declared, source=Upload.Source.FORM
            )
        except RejectedError as error:
            self._refuse(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._receipt is None:
            return
        try:
            self._receipt.write(raw_data)
        except RejectedError as error:
            self._refuse(error)
        except BaseException:
            self._discard()
            raise

    def file_complete(self, file_size: int) -> ReceivedFile | RefusedFile:
        try:
            if self._receipt is not None:
                self._receipt.close()
        except RejectedError as error:
            self._refuse(error)
        receipt, self._receipt = self._receipt, None
        if receipt is None:
            return RefusedFile(self.file_name or "file", self._refusal or RejectedError())
        self._received.append(ReceivedFile(receipt, field_name=self.field_name or ""))
        return self._received[-1]

    def upload_interrupted(self) -> None:
        """The body ended in the middle of a file."""
        self.close()
        raise UploadInterruptedError

    def close(self) -> None:
        """The request came to nothing: so do all of its files."""
        self._discard()
        for file in self._received:
            file.close()

    def _telling_of_breaks(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        """`read`, except that a connection lost in mid-body takes its files along.

        Django tells its handlers of a body that ends early, but not of one that cannot be read.
        """

        def read_or_close(*args: int) -> bytes:
            try:
                return read(*args)
            except UnreadablePostError as error:
                self.close()
                raise UploadInterruptedError from error

        return read_or_close

    def _refuse(self, error: RejectedError) -> None:
        self._discard()
        if not self._collect:
            self._drain()
            raise error
        self._refusal = error

    def _discard(self) -> None:
        receipt, self._receipt = self._receipt, None
        if receipt is not None:
            receipt.discard()

    def _drain(self) -> None:
        left = DRAIN_LIMIT
        while left > 0 and (data := self._body.read(min(CHUNK, left))):
            left -= len(data)


class RefusedFile(ReceivedFile):
    """Stands for a file that was refused while it arrived; claiming it raises why."""

    def __init__(self, name: str, error: RejectedError) -> None:
        self._receipt = None
        self.error = error
        super(ReceivedFile, self).__init__(file=None, name=name, size=0)

    def claim(self) -> Receipt:
        raise self.error


def stream_uploads(request: HttpRequest, *, user: Visitor, collect_refusals: bool = False) -> None:
    """Have the files of `request` go straight to storage; call before its body is read.

    Raises `LengthRequiredError` for a body in chunks, which forms cannot be parsed from.
    """
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthRequiredError
    request.upload_handlers = [
        IncomingUploadHandler(request, user=user, collect_refusals=collect_refusals)
    ]


def discard_unclaimed(request: HttpRequest) -> None:
    """End the uploads that no service has claimed; call when the request has been answered.

    Django closes the files of a request itself, but not those of a body it could not parse.
    """
    for handler in request.upload_handlers:
        if isinstance(handler, IncomingUploadHandler):
            handler.close()
