"""Streams the files of a multipart request straight to storage.

Django's own handlers write a file into memory or a temporary place first, and again when it is
saved. This one writes once: the upload's row exists before the first byte, and size, type and
quota are judged while the bytes arrive. What no service claims is discarded with the request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParser
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.rates import check_rate
from apps.media import selectors
from apps.media.conf import options
from apps.media.exceptions import (
    FileTooLargeError,
    LengthRequiredError,
    MediaError,
    RejectedError,
    UploadInterruptedError,
)
from apps.media.models import MediaFile, Upload
from apps.media.policies import Visitor
from apps.media.rates import UploadRate
from apps.media.services.duplicates import check_declared_words, settle_duplicate
from apps.media.services.receiving import (
    CHUNK,
    LinkedFile,
    Receipt,
    ReceivedFile,
    open_receipt,
)

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
        self,
        request: HttpRequest,
        *,
        user: Visitor,
        collect_refusals: bool = False,
        replaces: UUID | None = None,
    ) -> None:
        super().__init__(request)
        self._user = user
        self._replaces = replaces
        self._collect = collect_refusals
        self._receipt: Receipt | None = None
        self._refusal: RejectedError | None = None
        self._declared = self._spare = self._missing = 0
        self._body: Any = None
        self._received: list[ReceivedFile] = []
        self._parser: _FormParser | None = None
        self._linked: MediaFile | None = None

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803  Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[Any, Any] | None:
        """Parses the body itself, by Django's own parser, to know the fields before the file."""
        if self._parser is not None:
            return None
        self._body = input_data
        self._missing = content_length
        input_data.read = self._telling_of_breaks(input_data.read)
        input_data.readline = self._telling_of_breaks(input_data.readline)
        self._declared = max(content_length - FORM_OVERHEAD, 0)
        self._spare = content_length - self._declared
        if not self._collect and self._declared > options().largest_size:
            self._drain()
            raise FileTooLargeError(content_length)
        self._parser = _FormParser(META, input_data, [self], encoding)
        parsed: tuple[Any, Any] = self._parser.parse()
        return parsed

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        self._refusal = self._linked = None
        try:
            self._open(file_name)
        except RejectedError as error:
            self._refuse(error)
        except MediaError:
            self._drain()
            raise

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

    def file_complete(self, file_size: int) -> ReceivedFile | RefusedFile | LinkedFile:
        if self._linked is not None:
            return LinkedFile(self.file_name or "file", self._linked)
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

    def upload_complete(self) -> None:
        """The form has ended; the request has to have ended, too (RFC 9112 §8)."""
        if self._missing > 0:
            self.upload_interrupted()

    def upload_interrupted(self) -> None:
        """The body ended in the middle of a file."""
        self.close()
        raise UploadInterruptedError

    def close(self) -> None:
        """The request came to nothing: so do all of its files."""
        self._discard()
        for file in self._received:
            file.close()

    def _open(self, file_name: str) -> None:
        if not (self._collect or self._replaces):  # a form of several files says it of none
            self._linked = self._find_linked()
        if self._linked is not None:
            return
        self._receipt = open_receipt(
            user=self._user,
            name=file_name,
            declared_size=0 if self._collect else self._declared,
            spare=0 if self._collect else self._spare,
            source=Upload.Source.FORM,
            replaces=self._find_replaced(),
        )

    def _find_replaced(self) -> MediaFile | None:
        if self._replaces is None:
            return None
        return selectors.get_visible_media(user=self._user, media_id=self._replaces)

    def _find_linked(self) -> MediaFile | None:
        """The file to be given instead of what is about to come, if the form has said so."""
        assert self._parser is not None
        said = self._parser.fields_so_far
        try:
            declared = check_declared_words(
                {"sha256": said.get("sha256", ""), "on_duplicate": said.get("on_duplicate", "")}
            )
        except ValidationError:
            return None  # whoever reads the form will say so
        return settle_duplicate(
            owner_id=self._user.pk, sha256=declared["sha256"], wish=declared["on_duplicate"]
        )

    def _telling_of_breaks(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        """`read`, except that a connection lost in mid-body takes its files along.

        Django tells its handlers of a form that ends early, but neither of a body that cannot be
        read nor of one that is shorter than was said.
        """

        def read_or_close(*args: int) -> bytes:
            try:
                data = read(*args)
            except UnreadablePostError as error:
                self.close()
                raise UploadInterruptedError from error
            self._missing -= len(data)
            return data

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


class _FormParser(MultiPartParser):
    """Django's parser, which also tells what it has read by now."""

    _post: QueryDict

    @property
    def fields_so_far(self) -> QueryDict:
        return self._post


class RefusedFile(ReceivedFile):
    """Stands for a file that was refused while it arrived; claiming it raises why."""

    def __init__(self, name: str, error: RejectedError) -> None:
        self._receipt = None
        self.error = error
        super(ReceivedFile, self).__init__(file=None, name=name, size=0)

    def claim(self) -> Receipt:
        raise self.error


def stream_uploads(
    request: HttpRequest,
    *,
    user: Visitor,
    collect_refusals: bool = False,
    replaces: UUID | None = None,
) -> None:
    """Have the files of `request` go straight to storage; call before its body is read.

    `replaces` is the id of the media file that gets a new version. Raises `LengthRequiredError` for
    a body in chunks, which forms cannot be parsed from.
    """
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthRequiredError
    request.upload_handlers = [
        IncomingUploadHandler(
            request, user=user, collect_refusals=collect_refusals, replaces=replaces
        )
    ]


def discard_unclaimed(request: HttpRequest) -> None:
    """End the uploads that no service has claimed; call when the request has been answered.

    Django closes the files of a request itself, but not those of a body it could not parse.
    """
    for handler in request.upload_handlers:
        if isinstance(handler, IncomingUploadHandler):
            handler.close()


def takes_files(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For a view whose form has fields for media: what comes as bytes goes straight to storage.

    Only that of somebody signed in; each file is judged alone, and the field tells of refusals.
    Each form counts as an upload (see `UploadRate`).
    """
    protected = csrf_protect(view)

    @csrf_exempt  # checked in `protected`, once uploads can stream
    @wraps(view)
    def take(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or not request.user.is_authenticated:
            return protected(request, *args, **kwargs)
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True)
        try:
            return protected(request, *args, **kwargs)
        finally:
            discard_unclaimed(request)

    return take
