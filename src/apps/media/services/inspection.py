"""What first bytes and headers can tell, told before a file is taken. Nothing is decoded here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import IO, BinaryIO

from apps.core.filetypes import FILE_TYPES
from apps.core.imageheaders import UnreadableHeaderError, image_size
from apps.core.sniffing import DisagreeingTypeError, UnknownTypeError, judge
from apps.media.conf import options
from apps.media.exceptions import (
    CorruptFileError,
    EmptyFileError,
    FileTooLargeError,
    TooManyPixelsError,
    TypeMismatchError,
    UnsupportedTypeError,
)
from apps.media.models import Upload
from apps.media.storage import store_of

HEAD_BYTES = 64 * 1024
# Whose header does not say cheaply which side is up.
MAY_BE_TURNED = frozenset({"image/tiff", "image/heic", "image/heif", "image/avif"})


@dataclass(frozen=True)
class Verdict:
    """What a file is by its first bytes. `size` is bytes; `width` and `height` are upright pixels,
    or None until the worker has looked."""

    mime_type: str
    media_type: str
    size: int = 0
    width: int | None = None
    height: int | None = None


def judge_type(head: bytes, *, name: str) -> Verdict:
    """Return the sniffed type; raises `UnsupportedTypeError`, `TypeMismatchError`."""
    try:
        mime_type = judge(head, name=name, allowed=options().accepted_types)
    except UnknownTypeError as error:
        raise UnsupportedTypeError(name) from error
    except DisagreeingTypeError as error:
        raise TypeMismatchError(name) from error
    return Verdict(mime_type=mime_type, media_type=FILE_TYPES[mime_type].kind)


def judge_unread(file: IO[bytes], *, name: str, size: int) -> None:
    """Raise what `size` (bytes) and the first bytes of `file` are reason enough for."""
    if not size:
        raise EmptyFileError(name)
    verdict = judge_type(file.read(HEAD_BYTES), name=name)
    if size > options().size_limit(verdict.media_type):
        raise FileTooLargeError(name, size)


def inspect_head(upload: Upload) -> Verdict:
    """Judge the promoted bytes of `upload`: size, type and pixels; raises `RejectedError`."""
    store = store_of(upload.storage)
    size = store.size_of(upload.final_key)
    if not size:
        raise EmptyFileError(upload.pk)
    with store.open_object(upload.final_key) as file:
        verdict = judge_type(file.read(HEAD_BYTES), name=upload.original_name)
        if size > options().size_limit(verdict.media_type):
            raise FileTooLargeError(upload.pk, size)
        if verdict.media_type == "image":
            file.seek(0)
            verdict = _measure(verdict, file)
    return replace(verdict, size=size)


def _measure(verdict: Verdict, file: BinaryIO) -> Verdict:
    """Refuse what the header says is too large; sizes it does not tell are the worker's matter."""
    try:
        found = image_size(file)
    except UnreadableHeaderError as error:
        raise CorruptFileError(error) from error
    if found is not None and found[0] * found[1] > options().max_pixels:
        raise TooManyPixelsError(found)
    if found is None or verdict.mime_type in MAY_BE_TURNED:
        return verdict
    return replace(verdict, width=found[0], height=found[1])
