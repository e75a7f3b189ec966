"""Recognises binary containers by their structure: one small function per format.

Each takes the head of a file (at most 64 KiB, at least 12 bytes) and answers a mime or None. A
signature of two or three bytes is never enough: the fields after it have to make sense too, since
the answer decides which decoder gets the bytes. Never raises, never decodes; text is told
apart elsewhere (`texts`), zip-based formats in `archives`, sound in `soundsignatures`.
"""

# ruff: noqa: PLR2004 -- the numbers are the formats' own; a name for each would hide the layouts
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from struct import unpack_from

from apps.core.soundsignatures import ac3, aiff, mpeg_audio

Signature = Callable[[bytes], "str | None"]


# -- still images -----------------------------------------------------------------------------


def jpeg(head: bytes) -> str | None:
    """ITU T.81: SOI, then a marker that may start a stream, then a segment of 2 bytes or more."""
    if not head.startswith(b"\xff\xd8\xff"):
        return None
    marker = head[3]
    starts_stream = 0xC0 <= marker <= 0xCF or 0xDA <= marker <= 0xFE
    return "image/jpeg" if starts_stream and (head[4] << 8 | head[5]) >= 2 else None


def png(head: bytes) -> str | None:
    is_png = head.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    return "image/png" if is_png else None


def gif(head: bytes) -> str | None:
    is_gif = head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 13  # + screen descriptor
    return "image/gif" if is_gif else None


def tiff(head: bytes) -> str | None:
    """TIFF 6 and BigTIFF with a first directory behind the header."""
    if head.startswith((b"II*\0", b"MM\0*")):
        (offset,) = unpack_from("<I" if head[0] == 0x49 else ">I", head, 4)
        return "image/tiff" if offset >= 8 else None
    is_big = head.startswith((b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"))
    return "image/tiff" if is_big else None


_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_BMP_DEPTHS = frozenset({1, 2, 4, 8, 16, 24, 32})
_BMP_CORE_HEADER = 12  # OS/2 1.x: 16-bit width and height


def bmp(head: bytes) -> str | None:
    if not head.startswith(b"BM") or len(head) < 30:
        return None
    pixels_at, header_size = unpack_from("<II", head, 10)
    planes, depth = unpack_from("<HH", head, 22 if header_size == _BMP_CORE_HEADER else 26)
    plausible = header_size in _BMP_HEADERS and planes == 1 and depth in _BMP_DEPTHS
    return "image/bmp" if plausible and pixels_at >= 14 + header_size else None


def ico(head: bytes) -> str | None:
    """An icon directory whose first entry points behind the directory. Cursors are not taken."""
    if not head.startswith(b"\0\0\x01\0") or len(head) < 22:
        return None
    (count,) = unpack_from("<H", head, 4)
    size, offset = unpack_from("<II", head, 14)
    return "image/x-icon" if count and head[9] == 0 and size and offset >= 6 + 16 * count else None


_PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+\d{1,9}\s")


def pnm(head: bytes) -> str | None:
    return "image/x-portable-anymap" if _PNM.match(head) else None


# -- RIFF: WebP, AVI, WAV ---------------------------------------------------------------------


def riff(head: bytes) -> str | None:
    form, chunk = head[8:12], head[12:16]
    if head.startswith(b"RIFF"):
        if form == b"WEBP" and chunk in {b"VP8 ", b"VP8L", b"VP8X"}:
            return "image/webp"
        if form == b"AVI " and chunk == b"LIST":
            return "video/x-msvideo"
    if head.startswith((b"RIFF", b"RF64", b"BW64")) and form == b"WAVE" and chunk.isascii():
        return "audio/wav" if chunk.decode("ascii").isprintable() else None
    return None


# -- ISO base media: MP4, QuickTime, 3GP, HEIF, AVIF ------------------------------------------

_BRANDS: dict[bytes, str] = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"
    ),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1"), "image/heif"),
    b"qt  ": "video/quicktime",
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), "audio/mp4"),
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9"),
        "video/mp4",
    ),
    **dict.fromkeys((b"mp41", b"mp42", b"mp71", b"avc1", b"M4V ", b"M4VH", b"M4VP"), "video/mp4"),
    **dict.fromkeys((b"dash", b"cmfc", b"cmf2", b"MSNV", b"NDSC", b"NDSH", b"f4v "), "video/mp4"),
}
_LAST_BRAND_AT = 4096  # a brand list longer than this is no brand list


def iso_media(head: bytes) -> str | None:
    """ISO 14496-12 `ftyp` at offset 0, judged by its brands; else QuickTime from before `ftyp`."""
    if head[4:8] != b"ftyp":
        return _old_quicktime(head)
    (size,) = unpack_from(">I", head, 0)
    if size < 16 or size > _LAST_BRAND_AT:
        return None
    brands = [head[at : at + 4] for at in (8, *range(16, min(size, len(head) - 3), 4))]
    types = [found for brand in brands if (found := _brand_type(brand))]
    return _more_exact(types[0], types) if types else None


def _brand_type(brand: bytes) -> str | None:
    if brand.startswith(b"3gp"):
        return "video/3gpp"
    if brand.startswith(b"3g2"):
        return "video/3gpp2"
    return _BRANDS.get(brand)


# A brand that names a structure only: what it holds stands among the brands after it
# (ISO 23008-12 §10 for HEIF; iTunes writes "mp42" before "M4A ").
_NAMED_LATER = {
    "image/heif": ("image/avif", "image/heic"),
    "video/mp4": ("audio/mp4",),
}


def _more_exact(mime: str, types: list[str]) -> str:
    return next((exact for exact in _NAMED_LATER.get(mime, ()) if exact in types), mime)


def _old_quicktime(head: bytes) -> str | None:
    """`moov` or `mdat`, possibly behind padding atoms. Padding before an `ftyp` is refused: no
    writer makes it, and it is where second formats hide."""
    at = 0
    while at + 8 <= len(head):
        size, name = unpack_from(">I4s", head, at)
        if name in {b"moov", b"mdat"}:
            return "video/quicktime" if size in {0, 1} or size >= 8 else None
        if name not in {b"wide", b"free", b"skip", b"pnot"} or size < 8:
            return None
        at += size
    return None


# -- Matroska, WebM ---------------------------------------------------------------------------

_EBML_DOCTYPE = 0x4282
_EBML_HEADER_END = 4096  # real headers take some forty bytes
_DOCTYPES = {b"webm": "video/webm", b"matroska": "video/x-matroska"}


def ebml(head: bytes) -> str | None:
    """RFC 8794 §11.2: the DocType element inside the EBML header."""
    if not head.startswith(b"\x1aE\xdf\xa3"):
        return None
    size, at = _ebml_number(head, 4)
    end = min(at + size, len(head), _EBML_HEADER_END)
    while at < end:
        id_length = _vint_length(head[at])
        name = int.from_bytes(head[at : at + id_length], "big")
        size, at = _ebml_number(head, at + id_length)
        if name == _EBML_DOCTYPE:
            return _DOCTYPES.get(head[at : at + size].rstrip(b"\0"))
        at += size
    return None


def _vint_length(first: int) -> int:
    return 9 - first.bit_length()  # a zero byte gives 9, more than any valid number


def _ebml_number(head: bytes, at: int) -> tuple[int, int]:
    """A variable-size integer and the offset behind it; past the end it reads as 0."""
    if at >= len(head):
        return 0, at + 1
    length = _vint_length(head[at])
    value = int.from_bytes(head[at : at + length], "big")
    return value & ((1 << 7 * length) - 1), at + length


# -- Ogg --------------------------------------------------------------------------------------

_OGG_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
_OGG_VIDEO = (b"\x80theora", b"BBCD\0", b"OVP80")


def ogg(head: bytes) -> str | None:
    """RFC 3533: the codec of each logical stream stands in its own beginning-of-stream page."""
    found = None
    for packet in _first_packets(head):
        if packet.startswith(_OGG_VIDEO):
            return "video/ogg"
        if packet.startswith(_OGG_AUDIO):
            found = "audio/ogg"
    return found


def _first_packets(head: bytes) -> Iterator[bytes]:
    at = 0
    while head.startswith(b"OggS\0", at) and at + 27 <= len(head) and head[at + 5] & 2:
        lacing = head[at + 27 : at + 27 + head[at + 26]]
        start = at + 27 + len(lacing)
        yield head[start : start + 8]
        at = start + sum(lacing)


# -- MPEG systems -----------------------------------------------------------------------------

_TS_PACKETS = 4  # consecutive packets that have to begin with the sync byte


def mpeg_transport(head: bytes) -> str | None:
    """ISO 13818-1 §2.4.3: 188-byte packets, or 192 with a time code first (M2TS)."""
    for step, first in ((188, 0), (192, 4)):
        packets = range(first, first + step * _TS_PACKETS, step)
        if len(head) > packets[-1] + 3 and all(_is_ts_packet(head, at) for at in packets):
            return "video/mp2t"
    return None


def _is_ts_packet(head: bytes, at: int) -> bool:
    has_content = head[at + 3] & 0x30 != 0  # adaptation_field_control 0 is reserved
    return head[at] == 0x47 and has_content


def mpeg_program(head: bytes) -> str | None:
    """A pack header of MPEG-2 ('01') or MPEG-1 ('0010') with its marker bit."""
    if not head.startswith(b"\0\0\x01\xba"):
        return None
    is_pack = head[4] & 0xC4 == 0x44 or head[4] & 0xF1 == 0x21
    return "video/mpeg" if is_pack else None


# -- Windows Media, Flash ----------------------------------------------------------------------

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PICTURE = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ASF_SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_ASF_CODEC_AT = 81  # bytes from the kind of a stream to what its picture is coded in
_ASF_OWN_CODECS = (b"WMV", b"WVC1", b"WVP2", b"WMVA", b"MSS")


def asf(head: bytes) -> str | None:
    """Advanced Systems Format §3.3: what its first stream with a picture, or else a sound, is."""
    if not head.startswith(_ASF_HEADER):
        return None
    picture = head.find(_ASF_PICTURE)
    if picture < 0:
        return "audio/x-ms-wma" if _ASF_SOUND in head else "application/vnd.ms-asf"
    is_own = head.startswith(_ASF_OWN_CODECS, picture + _ASF_CODEC_AT)
    return "video/x-ms-wmv" if is_own else "video/x-ms-asf"


def flv(head: bytes) -> str | None:
    """Video File Format §E.2: version 1, no reserved flag, and the header's own length."""
    is_flv = head.startswith(b"FLV\x01") and not head[4] & 0xFA and head[5:9] == b"\0\0\0\x09"
    return "video/x-flv" if is_flv else None


# -- the rest ---------------------------------------------------------------------------------


def gzip(head: bytes) -> str | None:
    """RFC 1952 §2.3: deflate, reserved flags clear."""
    is_gzip = head.startswith(b"\x1f\x8b\x08") and not head[3] & 0xE0
    return "application/gzip" if is_gzip else None


# Types that are refused: knowing their names makes the refusal helpful, and keeps a more lenient
# rule (a PDF behind a little junk) from claiming the file.
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x7fELF", "application/x-executable"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
)


def refused(head: bytes) -> str | None:
    return next((mime for magic, mime in _REFUSED if head.startswith(magic)), None)


# Tried in this order; the frequent and the cheap first. Those without a magic number come last.
SIGNATURES: tuple[Signature, ...] = (
    jpeg,
    png,
    iso_media,
    riff,
    aiff,
    gif,
    ebml,
    tiff,
    ogg,
    asf,
    flv,
    gzip,
    bmp,
    ico,
    mpeg_program,
    refused,
    pnm,
    mpeg_audio,
    ac3,
    mpeg_transport,
)
