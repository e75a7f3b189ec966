"""Pixel dimensions of an image from its header, cheaply enough for a request.

For limits that have to hold *before* anything is decoded. Never decodes, never follows a client's
offsets without a bound: a hostile header costs at most `MAX_HEADER_BYTES` and `MAX_OPERATIONS`.
PNG, GIF, WebP, BMP, PNM and ICO keep their size at a fixed place and are read here; the ones that
need a walk (JPEG, TIFF, HEIF, AVIF) are left to `imagesize`. Its rotation path is on for JPEG only,
where one segment of 64 KiB bounds it; for HEIF its loops are not bounded by the bytes they read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from os import SEEK_SET
from typing import BinaryIO

import imagesize  # type: ignore[import-untyped]

Size = tuple[int, int]

MAX_HEADER_BYTES = 256 * 1024  # all that a walk through a header may read
MAX_OPERATIONS = 16384  # reads and seeks; a 48-tile phone HEIC takes about 500
_HEAD_BYTES = 65536


class UnreadableHeaderError(ValueError):
    """The header is broken beyond doubt: no decoder could open this image."""


def image_size(fp: BinaryIO) -> Size | None:
    """(width, height) in pixels; None where the header cannot tell.

    Upright for JPEG; as stored for the others, of which TIFF, HEIF and AVIF may yet be turned.
    For GIF the larger of the screen and the first frame, for ICO the largest image. `fp` is read
    from byte 0 and left at an undefined position. Raises `UnreadableHeaderError` only where the
    image is certainly broken (JPEG without a frame header, zero width, missing fields).
    """
    fp.seek(0)
    head = fp.read(_HEAD_BYTES)
    for matches, read in _FIXED:
        if matches(head):
            return _read_fixed(head, read)
    return _walk(fp, head)


def _read_fixed(head: bytes, read: Callable[[bytes], Size]) -> Size:
    try:
        width, height = read(head)
    except struct.error as error:
        raise UnreadableHeaderError("the header ends too early") from error
    return _checked(width, height)


def _checked(width: int, height: int) -> Size:
    if width <= 0 or height <= 0:
        raise UnreadableHeaderError(f"impossible dimensions {width} x {height}")
    return width, height


# -- formats with the size at a known place ---------------------------------------------------


_PNG_FIELDS_END = 24  # signature, IHDR head, width, height


def _png(head: bytes) -> Size:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _gif(head: bytes) -> Size:
    """Decoders grow the canvas to the first frame: a small screen may hide a huge frame."""
    width, height = struct.unpack_from("<HH", head, 6)
    at = _gif_first_frame(head)
    if at is None:
        return width, height
    left, top, frame_width, frame_height = struct.unpack_from("<HHHH", head, at + 1)
    return max(width, left + frame_width), max(height, top + frame_height)


def _gif_first_frame(head: bytes) -> int | None:
    """Offset of the first image descriptor (GIF89a §20), None when it is not in the head."""
    (flags,) = struct.unpack_from("B", head, 10)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while head.startswith(b"!", at):
        at = _skip_gif_blocks(head, at + 2)
    complete = head.startswith(b",", at) and at + 9 <= len(head)
    return at if complete else None


def _skip_gif_blocks(head: bytes, at: int) -> int:
    while at < len(head) and head[at]:
        at += 1 + head[at]
    return at + 1


def _webp(head: bytes) -> Size:
    chunk = head[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        return width, int.from_bytes(head[27:30], "little") + 1
    if chunk == b"VP8L" and head[20:21] == b"\x2f":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF  # the upper two bits ask for upscaling
    raise UnreadableHeaderError("WebP without a frame header")


_BMP_CORE_HEADER = 12  # OS/2 1.x: 16-bit fields


def _bmp(head: bytes) -> Size:
    (header_size,) = struct.unpack_from("<I", head, 14)
    width, height = struct.unpack_from(
        "<HH" if header_size == _BMP_CORE_HEADER else "<ii", head, 18
    )
    return abs(width), abs(height)  # negative height: rows from the top


_PNM_GAP = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(rb"P[1-6]" + _PNM_GAP + rb"(\d{1,9})" + _PNM_GAP + rb"(\d{1,9})")


def _pnm(head: bytes) -> Size:
    fields = _PNM.match(head)
    if fields is None:
        raise UnreadableHeaderError("PNM without width and height")
    return int(fields[1]), int(fields[2])


def _ico(head: bytes) -> Size:
    sizes = list(_ico_sizes(head))
    if not sizes:
        raise UnreadableHeaderError("icon without images")
    return max(sizes, key=lambda size: size[0] * size[1])


def _ico_sizes(head: bytes) -> Iterator[Size]:
    """What the directory says, and what the embedded images say: the directory may lie."""
    (count,) = struct.unpack_from("<H", head, 4)
    for entry in range(6, min(6 + 16 * count, len(head) - 15), 16):
        yield head[entry] or 256, head[entry + 1] or 256
        (offset,) = struct.unpack_from("<I", head, entry + 12)
        if head.startswith(b"\x89PNG", offset) and offset + _PNG_FIELDS_END <= len(head):
            yield _png(head[offset : offset + _PNG_FIELDS_END])


_FIXED: tuple[tuple[Callable[[bytes], object], Callable[[bytes], Size]], ...] = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", _webp),
    (lambda head: head.startswith(b"BM"), _bmp),
    (re.compile(rb"P[1-6][\s#]").match, _pnm),
    (lambda head: head.startswith(b"\0\0\x01\0"), _ico),
)


# -- formats that need a walk -----------------------------------------------------------------


def _walk(fp: BinaryIO, head: bytes) -> Size | None:
    is_jpeg = head.startswith(b"\xff\xd8")
    if not is_jpeg and not _is_walkable(head):
        return None
    reader = _BoundedReader(fp)
    # Its errors come back as (-1, -1); so do ours, hence the question to the reader.
    width, height = imagesize.get(reader, exif_rotation=is_jpeg)
    if reader.exhausted:
        return None
    if is_jpeg:
        return _checked(width, height)
    return (width, height) if width > 0 and height > 0 else None


def _is_walkable(head: bytes) -> bool:
    return head[4:8] == b"ftyp" or head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))


class _BoundedReader:
    """Passes reads and seeks on until a header has had its share, then fails them all."""

    def __init__(self, fp: BinaryIO) -> None:
        self._fp = fp
        self._bytes_left = MAX_HEADER_BYTES
        self._operations_left = MAX_OPERATIONS
        self.exhausted = False

    def read(self, size: int = -1) -> bytes:
        self._spend(size)
        data = self._fp.read(size)
        self._bytes_left -= len(data)
        return data

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._spend(0)
        return self._fp.seek(offset, whence)

    def _spend(self, size: int) -> None:
        self._operations_left -= 1
        if self._operations_left < 0 or not 0 <= size <= self._bytes_left:
            self.exhausted = True
            raise EOFError("the header is larger than any real one")
