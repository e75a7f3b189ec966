"""Cuts JPEG, PNG, WebP and GIF into parts: those that make the picture, and those that tell of it.

The lists of what is kept are closed. Cuts only by the containers' own lengths; decodes nothing.
Raises `CorruptFileError` where a part leads out of the file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from mmap import mmap
from typing import Literal
from zlib import crc32

from apps.media.exceptions import CorruptFileError

Kind = Literal["kept", "exif", "xmp", "other", "trailer"]


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` to `end`; `body` is where those of them begin that the kind is about."""

    start: int
    end: int
    kind: Kind = "kept"
    body: int = 0


def _fits(data: mmap, end: int) -> int:
    if end > len(data):
        raise CorruptFileError("a part leads out of the file")
    return end


def _rest(data: mmap, at: int) -> Iterator[Part]:
    if at < len(data):
        yield Part(at, len(data), "trailer", at)


# -- JPEG --------------------------------------------------------------------------------------

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_COMMENT = 0xFE
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_APPLICATION = range(0xE0, 0xF0)
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # not a stuffed byte, not a restart
_KEPT_SEGMENTS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_EXIF_MARK = b"Exif\0"
_XMP_MARKS = (b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0")


def jpeg_parts(data: mmap) -> Iterator[Part]:
    """ITU T.81 B.1: segments, and entropy-coded data up to the next marker."""
    if data[:2] != bytes((0xFF, _START)):
        raise CorruptFileError("no start of image")
    yield Part(0, 2)
    at = 2
    while marker := _MARKER.search(data, at):
        at, code = marker.start(), data[marker.start() + 1]
        if code == _END:
            yield Part(at, at + 2)
            yield from _rest(data, at + 2)
            return
        end = _fits(data, at + 2 if code in _ALONE else at + 2 + _length(data, at + 2))
        yield _segment(data, at, end, code)
        at = end
        if code == _SCAN:
            following = _MARKER.search(data, end)
            at = following.start() if following else len(data)
            yield Part(end, at)


def _length(data: mmap, at: int) -> int:
    _fits(data, at + 2)
    return data[at] << 8 | data[at + 1]


def _segment(data: mmap, at: int, end: int, code: int) -> Part:
    body = at + 4
    if code == _COMMENT:
        return Part(at, end, "other")
    if code not in _APPLICATION:
        return Part(at, end)
    head = data[body : min(end, body + 40)]
    if head.startswith(_KEPT_SEGMENTS.get(code, b"\0none")):
        return Part(at, end)
    if code == _APPLICATION[1] and head.startswith(_EXIF_MARK):
        return Part(at, end, "exif", body + 6)
    return Part(at, end, "xmp" if head.startswith(_XMP_MARKS) else "other", body)


def jpeg_exif(tiff: bytes) -> bytes:
    """An APP1 segment."""
    return b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(tiff)) + b"Exif\0\0" + tiff


# -- PNG ---------------------------------------------------------------------------------------

_KEPT_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT acTL "
    b"fcTL fdAT".split()
)
_PNG_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_RAW_EXIF = (b"Raw profile type exif\0", b"Raw profile type APP1\0", b"Raw profile type xmp\0")


def png_parts(data: mmap) -> Iterator[Part]:
    """PNG §5.3: length, type, data, checksum."""
    yield Part(0, _fits(data, 8))
    at, name = 8, b""
    while at < len(data) and name != b"IEND":
        _fits(data, at + 12)
        (length,), name = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        end = _fits(data, at + 12 + length)
        yield Part(at, end, _chunk_kind(data, at + 8, end, name), at + 8)
        at = end
    yield from _rest(data, at)


def _chunk_kind(data: mmap, body: int, end: int, name: bytes) -> Kind:
    if name in _KEPT_CHUNKS:
        return "kept"
    if name == b"eXIf":
        return "exif"
    if name in _PNG_TEXTS:
        head = data[body : min(end, body + 40)]
        if head.startswith(_RAW_EXIF):
            return "exif"
        return "xmp" if head.startswith(b"XML:com.adobe.xmp\0") else "other"
    return "other"


def png_exif(tiff: bytes) -> bytes:
    """An eXIf chunk."""
    chunk = b"eXIf" + tiff
    return struct.pack(">I", len(tiff)) + chunk + struct.pack(">I", crc32(chunk))


# -- WebP --------------------------------------------------------------------------------------

_WEBP_KINDS: Mapping[bytes, Kind] = {
    **dict.fromkeys((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"), "kept"),
    b"EXIF": "exif",
    b"XMP ": "xmp",
}
_SAYS_EXIF, _SAYS_XMP = 0x08, 0x04  # flags of VP8X
_FLAGS_AT = 20


def webp_parts(data: mmap) -> Iterator[Part]:
    """RFC 9649 §2.3: chunks with a length, padded to an even one."""
    yield Part(0, _fits(data, 12))
    (size,) = struct.unpack_from("<I", data, 4)
    at, last = 12, min(8 + size, len(data))
    while at + 8 <= last:
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        end = min(_fits(data, at + 8 + length) + length % 2, len(data))
        has_mark = data[at + 8 : at + 14] == b"Exif\0\0"
        yield Part(at, end, _WEBP_KINDS.get(name, "other"), at + (14 if has_mark else 8))
        at = end
    yield from _rest(data, at)


def webp_exif(tiff: bytes) -> bytes:
    """An EXIF chunk; the TIFF of `tiffblocks.exif_with` has an even length."""
    return b"EXIF" + struct.pack("<I", len(tiff)) + tiff


def webp_fixed(head: bytes, size: int, *, has_exif: bool) -> bytes:
    """The first bytes again, with the new size of the file and the flags as they are now."""
    fixed = bytearray(head)
    struct.pack_into("<I", fixed, 4, size - 8)
    if fixed[12:16] == b"VP8X" and len(fixed) > _FLAGS_AT:
        fixed[_FLAGS_AT] &= ~(_SAYS_EXIF | _SAYS_XMP)
        fixed[_FLAGS_AT] |= _SAYS_EXIF if has_exif else 0
    return bytes(fixed)


# -- GIF ---------------------------------------------------------------------------------------

_KEPT_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1")
_GIF_COMMENT, _GIF_APPLICATION = 0xFE, 0xFF
_TABLE_FLAG, _TABLE_SIZE = 0x80, 0x07


def gif_parts(data: mmap) -> Iterator[Part]:
    """GIF89a §12-27: blocks; of the extensions only those that players act upon."""
    at = _fits(data, 13)
    at = _fits(data, at + _table_size(data[10]))
    yield Part(0, at)
    while at < len(data):
        code = data[at : at + 1]
        if code == b"\x3b":
            yield Part(at, at + 1)
            at += 1
            break
        end, kind = _gif_block(data, at, code)
        yield Part(at, end, kind, at)
        at = end
    yield from _rest(data, at)


def _gif_block(data: mmap, at: int, code: bytes) -> tuple[int, Kind]:
    if code == b"\x2c":
        _fits(data, at + 10)
        return _after_sub_blocks(data, at + 10 + _table_size(data[at + 9]) + 1), "kept"
    if code != b"\x21":
        raise CorruptFileError("no block")
    _fits(data, at + 2)
    return _after_sub_blocks(data, at + 2), _extension_kind(data, at)


def _extension_kind(data: mmap, at: int) -> Kind:
    label, name = data[at + 1], data[at + 3 : at + 14]
    if label == _GIF_COMMENT:
        return "other"
    if label != _GIF_APPLICATION or name.startswith(_KEPT_APPLICATIONS):
        return "kept"
    return "xmp" if name == b"XMP DataXMP" else "other"


def _table_size(flags: int) -> int:
    return 3 << (flags & _TABLE_SIZE) + 1 if flags & _TABLE_FLAG else 0


def _after_sub_blocks(data: mmap, at: int) -> int:
    while True:
        length = data[_fits(data, at + 1) - 1]
        at = _fits(data, at + 1 + length)
        if not length:
            return at


Cut = Callable[[mmap], Iterator[Part]]
CUTS: Mapping[str, Cut] = {
    "image/jpeg": jpeg_parts,
    "image/png": png_parts,
    "image/webp": webp_parts,
    "image/gif": gif_parts,
}
EXIF_BLOCKS: Mapping[str, Callable[[bytes], bytes]] = {
    "image/jpeg": jpeg_exif,
    "image/png": png_exif,
    "image/webp": webp_exif,
}
