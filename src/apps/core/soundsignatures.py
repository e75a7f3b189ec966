"""Recognises sound that is in no container of films: see `signatures`, whose rules hold here."""

# ruff: noqa: PLR2004 -- the numbers are the formats' own; a name for each would hide the layouts
from __future__ import annotations

import re


def aiff(head: bytes) -> str | None:
    """AIFF and AIFF-C: a form whose first chunk has a legible name."""
    if not head.startswith(b"FORM") or head[8:12] not in {b"AIFF", b"AIFC"}:
        return None
    chunk = head[12:16]
    is_legible = chunk.isascii() and chunk.decode("ascii").isprintable()
    return "audio/aiff" if len(chunk) == 4 and is_legible else None


# -- MP3, AAC, FLAC ---------------------------------------------------------------------------

_BIT_RATES_V1 = {  # kbit/s by layer (ISO 11172-3), index 1 to 14
    1: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_BIT_RATES_V2 = {  # MPEG-2 and 2.5 (ISO 13818-3)
    1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MPEG_1 = 3
_FRAME_SYNC = re.compile(rb"\xff[\xe2-\xff]")
_PADDING_AFTER_TAG = 8192  # bytes searched for the first frame: taggers leave padding there


def mpeg_audio(head: bytes) -> str | None:
    """MP3 or ADTS AAC by two consecutive frames, FLAC by STREAMINFO; each possibly behind ID3."""
    start = _after_id3(head)
    if start >= len(head):
        return "audio/mpeg"  # cover art fills the whole head: the tag is all there is to see
    if head.startswith((b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22"), start):
        return "audio/flac"
    if head.startswith(b"ADIF", start):
        return "audio/aac"
    found = _frames_at(head, start)
    return found if found or not start else _search_frames(head, start)


def _search_frames(head: bytes, start: int) -> str | None:
    for match in _FRAME_SYNC.finditer(head, start, start + _PADDING_AFTER_TAG):
        if found := _frames_at(head, match.start()):
            return found
    return None


def _frames_at(head: bytes, at: int) -> str | None:
    for mime, length_of in (("audio/mpeg", _mpeg_frame_length), ("audio/aac", _adts_frame_length)):
        length = length_of(head, at)
        following = at + length
        if length and length_of(head, following) and head[at + 1] == head[following + 1]:
            return mime
    return None


def _after_id3(head: bytes) -> int:
    """Where audio starts: behind any ID3v2 tags (id3.org, ID3v2.4 §3.1)."""
    at = 0
    while head.startswith(b"ID3", at) and at + 10 <= len(head):
        version, flags, *size = head[at + 3], head[at + 5], *head[at + 6 : at + 10]
        if version not in {2, 3, 4} or flags & 0x0F or max(size) > 0x7F:
            return at
        footer = 10 if flags & 0x10 else 0
        at += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]) + footer
    return at


def _mpeg_frame_length(head: bytes, at: int) -> int:
    """Bytes of the MPEG audio frame at `at`; 0 when there is none."""
    if at + 4 > len(head) or head[at] != 0xFF or head[at + 1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[at + 1] >> 3 & 3, 4 - (head[at + 1] >> 1 & 3)
    rate, sampling, padding = head[at + 2] >> 4, head[at + 2] >> 2 & 3, head[at + 2] >> 1 & 1
    if version == 1 or layer == 4 or not 0 < rate < 15 or sampling == 3:
        return 0
    bits = (_BIT_RATES_V1 if version == _MPEG_1 else _BIT_RATES_V2)[layer][rate - 1] * 1000
    hertz = _SAMPLE_RATES[version][sampling]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    slots = 72 if layer == 3 and version != _MPEG_1 else 144
    return slots * bits // hertz + padding


def _adts_frame_length(head: bytes, at: int) -> int:
    """Bytes of the ADTS frame at `at` (ISO 13818-7 §6.2); 0 when there is none."""
    if at + 7 > len(head) or head[at] != 0xFF or head[at + 1] & 0xF6 != 0xF0:
        return 0
    if head[at + 2] >> 2 & 0x0F > 12:  # sampling frequency index
        return 0
    length = (head[at + 3] & 3) << 11 | head[at + 4] << 3 | head[at + 5] >> 5
    return length if length > 7 else 0


# -- AC-3 -------------------------------------------------------------------------------------

_AC3_RATES = (
    32,
    40,
    48,
    56,
    64,
    80,
    96,
    112,
    128,
    160,
    192,
    224,
    256,
    320,
    384,
    448,
    512,
    576,
    640,
)
_AC3_HERTZ = (48_000, 44_100, 32_000)
_AC3_SAMPLES = 1536  # of a frame


def ac3(head: bytes) -> str | None:
    """ATSC A/52 §5: two consecutive frames, or one that is the whole file."""
    length = _ac3_frame_length(head, 0)
    is_ac3 = length and (length == len(head) or _ac3_frame_length(head, length))
    return "audio/ac3" if is_ac3 else None


def _ac3_frame_length(head: bytes, at: int) -> int:
    """Bytes of the AC-3 frame at `at`; 0 when there is none."""
    if at + 6 > len(head) or head[at : at + 2] != b"\x0b\x77":
        return 0
    sampling, size, version = head[at + 4] >> 6, head[at + 4] & 0x3F, head[at + 5] >> 3
    if sampling == 3 or size >= 2 * len(_AC3_RATES) or version > 10:
        return 0
    words = _AC3_RATES[size // 2] * 1000 * _AC3_SAMPLES // (_AC3_HERTZ[sampling] * 16)
    return 2 * (words + (size & 1 if sampling == 1 else 0))
