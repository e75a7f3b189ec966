"""Reads fragmented MP4 files that we wrote: where each segment lies and how long it lasts.

Only what ISO/IEC 14496-12 calls boxes, never samples; the data between them is skipped over, so
that memory does not grow with the film.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apps.media.exceptions import CorruptFileError
from apps.media.processing.streamtypes import SEGMENT_SECONDS, Segment, Track

_HEADER = 8  # bytes of a box before its content
_LARGEST = (
    8 * 1024 * 1024
)  # bytes of a box that is read: the index of the longest fragment is 1 MiB
_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"})
_FULL = 4  # bytes of version and flags
# Flags of `tfhd` and `trun` (§8.8.7, §8.8.8): which fields are there.
_TFHD_FIELDS = ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4))
_DEFAULT_DURATION = 0x8
_TRUN_DATA_OFFSET, _TRUN_FIRST_FLAGS = 0x1, 0x4
_TRUN_DURATION, _TRUN_OFFSET = 0x100, 0x800
_TRUN_SAMPLE_FIELDS = (_TRUN_DURATION, 0x200, 0x400, _TRUN_OFFSET)
_ESDS_OBJECT_TYPE_AAC = "40"
_SLACK = 0.05  # seconds by which a segment may be short of the full length


@dataclass(frozen=True, slots=True)
class Fragment:
    """From one `moof` to the next: bytes, and ticks of the track."""

    start: int
    duration: int
    size: int


def read_track(path: Path, name: str, *, frame_rate: float = 0.0) -> Track:
    """The one track of the file, its fragments put together to segments of the usual length.

    Raises `CorruptFileError` when there is nothing in it: then nothing could be decoded.
    """
    with path.open("rb") as file:
        head, moov, fragments = _scan(file)
    if not fragments:
        raise CorruptFileError(f"nothing came out for {name}")
    timescale = _timescale(moov)
    width, height = _size(moov)
    return Track(
        name=name,
        path=path,
        codecs=_codecs(moov),
        head=head,
        segments=tuple(_segments(fragments, timescale)),
        width=width,
        height=height,
        frame_rate=frame_rate,
    )


def first_time(path: Path) -> float:
    """When the first sample of a track is shown, as players understand the file; seconds."""
    found: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        while b"moof" not in found:
            size, kind = _box_size(file.read(_HEADER), file)
            found[kind] = _content(file, size)
    start, _ = _timing(found[b"moof"], 0)
    offset = _first_offset(_first(found[b"moof"], b"trun"))
    return (start + offset) / _timescale(found[b"moov"])


def _scan(file: BinaryIO) -> tuple[int, bytes, list[Fragment]]:
    """The size of the head, the content of `moov`, and all fragments."""
    moov, fragments, head, at = b"", [], 0, 0
    default = 0
    while header := file.read(_HEADER):
        size, kind = _box_size(header, file)
        if kind == b"moov":
            moov = _content(file, size)
            head, default = at + size, _default_duration(moov)
        elif kind == b"moof":
            start, duration = _timing(_content(file, size), default)
            fragments.append(Fragment(start, duration, size))
        elif fragments:
            last = fragments[-1]
            fragments[-1] = Fragment(last.start, last.duration, last.size + size)
        at += size
        file.seek(at)
    return head, moov, fragments


def _box_size(header: bytes, file: BinaryIO) -> tuple[int, bytes]:
    if len(header) < _HEADER:
        raise CorruptFileError("a box ends early")
    size, kind = struct.unpack(">I4s", header)
    if size == 1:
        (size,) = struct.unpack(">Q", file.read(8))
        file.seek(-8, 1)
    if size < _HEADER:
        raise CorruptFileError("a box without size")
    return size, kind


def _content(file: BinaryIO, size: int) -> bytes:
    if size > _LARGEST:
        raise CorruptFileError("a huge box")
    return file.read(size - _HEADER)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All boxes in `data`, those in other boxes too, as kind and content, in order."""
    at = 0
    while at + _HEADER <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < _HEADER:
            return
        content = data[at + _HEADER : at + size]
        yield kind, content
        if kind in _PARENTS:
            yield from boxes(content)
        at += size


def _first(data: bytes, kind: bytes) -> bytes:
    found = next((content for name, content in boxes(data) if name == kind), None)
    if found is None:
        raise CorruptFileError(f"no {kind!r}")
    return found


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


# -- times -------------------------------------------------------------------------------------


def _timescale(moov: bytes) -> int:
    """Ticks per second (`mdhd`, §8.4.2)."""
    mdhd = _first(moov, b"mdhd")
    return _word(mdhd, _FULL + (16 if mdhd[0] else 8))


def _default_duration(moov: bytes) -> int:
    """Of a sample, where no fragment says (`trex`, §8.8.3)."""
    return _word(_first(moov, b"trex"), _FULL + 8)


def _timing(moof: bytes, default: int) -> tuple[int, int]:
    """Where a fragment starts and how long its samples last together."""
    tfdt = _first(moof, b"tfdt")
    start = int.from_bytes(tfdt[_FULL : _FULL + (8 if tfdt[0] else 4)], "big")
    default = _fragment_default(_first(moof, b"tfhd"), default)
    return start, sum(_run(trun, default) for kind, trun in boxes(moof) if kind == b"trun")


def _fragment_default(tfhd: bytes, default: int) -> int:
    flags, at = _word(tfhd, 0) & 0xFFFFFF, _FULL + 4
    for flag, length in _TFHD_FIELDS:
        if flag == _DEFAULT_DURATION and flags & flag:
            return _word(tfhd, at)
        at += length if flags & flag else 0
    return default


def _run(trun: bytes, default: int) -> int:
    """How long the samples of a `trun` last."""
    flags, count = _word(trun, 0) & 0xFFFFFF, _word(trun, _FULL)
    if not flags & _TRUN_DURATION:
        return count * default
    at = _samples_at(trun)
    step = 4 * sum(bool(flags & field) for field in _TRUN_SAMPLE_FIELDS)
    return sum(_word(trun, at + step * number) for number in range(count))


def _first_offset(trun: bytes) -> int:
    """From decoding to showing the first sample; may be negative in version 1."""
    flags, at = _word(trun, 0) & 0xFFFFFF, _samples_at(trun)
    if not flags & _TRUN_OFFSET:
        return 0
    at += 4 * sum(bool(flags & field) for field in _TRUN_SAMPLE_FIELDS if field < _TRUN_OFFSET)
    return int.from_bytes(trun[at : at + 4], "big", signed=bool(trun[0]))


def _samples_at(trun: bytes) -> int:
    flags = _word(trun, 0)
    return _FULL + 4 + 4 * bool(flags & _TRUN_DATA_OFFSET) + 4 * bool(flags & _TRUN_FIRST_FLAGS)


def _segments(fragments: list[Fragment], timescale: int) -> Iterator[Segment]:
    """Segments of at least the usual length; each lasts until the next one starts."""
    last = fragments[-1]
    ends = [fragment.start for fragment in fragments[1:]] + [last.start + last.duration]
    begin, size = fragments[0].start, 0
    enough = (SEGMENT_SECONDS - _SLACK) * timescale
    for fragment, end in zip(fragments, ends, strict=True):
        size += fragment.size
        if end - begin >= enough or fragment is last:
            yield Segment(duration=(end - begin) / timescale, size=size)
            begin, size = end, 0


# -- what the track is -------------------------------------------------------------------------


def _size(moov: bytes) -> tuple[int, int]:
    """Pixels, 0 for sound (`tkhd`, §8.3.2: the last eight bytes, in 1/65536)."""
    tkhd = _first(moov, b"tkhd")
    return _word(tkhd, len(tkhd) - 8) >> 16, _word(tkhd, len(tkhd) - 4) >> 16


def _codecs(moov: bytes) -> str:
    """RFC 6381 §3.3: profile, constraints and level of `avcC`, or the object types of `esds`."""
    stsd = _first(moov, b"stsd")
    at = stsd.find(b"avcC")
    if at > 0:
        return f"avc1.{stsd[at + 5 : at + 8].hex()}"
    at = stsd.find(b"esds")
    if at < 0:
        raise CorruptFileError("neither H.264 nor AAC came out")
    return f"mp4a.{_ESDS_OBJECT_TYPE_AAC}.{_aac_object_type(stsd[at + 4 + _FULL :])}"


def _aac_object_type(esds: bytes) -> int:
    """The first five bits of the decoder's own description (ISO/IEC 14496-3 §1.6.2.1)."""
    at = 0
    for tag, fixed in ((0x03, 3), (0x04, 13), (0x05, 0)):
        if at >= len(esds) or esds[at] != tag:
            raise CorruptFileError("an odd description of the sound")
        at += 1
        while esds[at] & 0x80:
            at += 1
        at += 1 + fixed
    return esds[at] >> 3
