"""The boxes of HEIF and AVIF: what Exif and XMP they hold, and how to blank it where it stands.

Nothing moves, so that the offsets to the pictures stay right. How a picture is turned stands in
a property of its own (`irot`, `imir`), never in Exif. Bounded by the file; `CorruptFileError` for
boxes that lead out of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from apps.media.exceptions import CorruptFileError
from apps.media.processing.tiffblocks import Patch, exif_with

_KEPT_BOXES = frozenset((b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"idat"))
_TOLD_IN = frozenset((b"udta", b"uuid", b"meta"))  # of films, and of sequences of pictures
_TOLD_ITEMS = frozenset((b"Exif", b"mime", b"uri "))
_EMPTY_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
_EMPTY_EXIF = bytes(4) + exif_with(1)  # ISO 23008-12 A.2.1: an offset to the TIFF comes first
_MAX_BOXES = 10_000
_MAX_ITEMS = 20_000
_WIDE_NUMBERS = 3  # from this version of an entry on
_FILE, _IDAT = 0, 1  # ways to say where an item is (ISO 14496-12 §8.11.3)


@dataclass(frozen=True, slots=True)
class _Box:
    """`body` is where the content begins."""

    name: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is told of a picture: its type, and the (start, end) of its pieces."""

    name: bytes
    pieces: tuple[tuple[int, int], ...]


class _Reader:
    """Big-endian numbers one after another, within bounds."""

    def __init__(self, data: mmap, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self._end = end

    def number(self, size: int) -> int:
        return int.from_bytes(self.bytes(size), "big")

    def bytes(self, size: int) -> bytes:
        if self.at + size > self._end:
            raise CorruptFileError("a box ends too early")
        self.at += size
        return self._data[self.at - size : self.at]


def _boxes(data: mmap, start: int, end: int) -> Iterator[_Box]:
    at = start
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1 and at + 16 <= end:
            (size,), body = struct.unpack_from(">Q", data, at + 8), at + 16
        stop = at + size if size else end
        if stop > end or stop < body:
            raise CorruptFileError(f"box {name!r} leads out of the file")
        yield _Box(name, at, body, stop)
        at = stop
    raise CorruptFileError("too many boxes")


def told_items(data: mmap) -> Iterator[Item]:
    """The items that are no pictures: Exif, XMP, and what else is told."""
    for box in _boxes(data, 0, len(data)):
        if box.name == b"meta":
            yield from _items_of(data, {inner.name: inner for inner in _inside(data, box)})


def _inside(data: mmap, box: _Box) -> list[_Box]:
    """The boxes in a full box, which has a version and flags first."""
    return list(_boxes(data, box.body + 4, box.end))


def _items_of(data: mmap, meta: dict[bytes, _Box]) -> Iterator[Item]:
    if b"iinf" not in meta or b"iloc" not in meta:
        return
    names = {item: name for item, name in _item_names(data, meta[b"iinf"]) if name in _TOLD_ITEMS}
    idat = meta.get(b"idat")
    for item, way, pieces in _locations(data, meta[b"iloc"]):
        if item not in names:
            continue
        base = 0 if way == _FILE else idat.body if idat and way == _IDAT else None
        if base is None:
            raise CorruptFileError(f"an item is found in way {way}")
        yield Item(names[item], tuple(_placed(data, base, piece) for piece in pieces))


def _placed(data: mmap, base: int, piece: tuple[int, int]) -> tuple[int, int]:
    start, length = piece
    if not length or base + start + length > len(data):
        raise CorruptFileError("an item leads out of the file")
    return base + start, base + start + length


def _item_names(data: mmap, box: _Box) -> Iterator[tuple[int, bytes]]:
    """ISO 14496-12 §8.11.6."""
    reader = _Reader(data, box.body, box.end)
    version = reader.number(4) >> 24
    reader.number(4 if version else 2)
    for entry in _boxes(data, reader.at, box.end):
        inner = _Reader(data, entry.body, entry.end)
        item = inner.number(2 if inner.number(4) >> 24 < _WIDE_NUMBERS else 4)
        inner.number(2)
        yield item, inner.bytes(4)


def _locations(data: mmap, box: _Box) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Item, way, and its (offset, length) pieces (ISO 14496-12 §8.11.3)."""
    reader = _Reader(data, box.body, box.end)
    version = reader.number(1)
    reader.number(3)
    sizes, more = reader.number(1), reader.number(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    wide = 4 if version > 1 else 2
    for _ in range(min(reader.number(wide), _MAX_ITEMS)):
        item = reader.number(wide)
        way = reader.number(2) & 15 if version else _FILE
        reader.number(2)
        base, count, pieces = reader.number(base_size), reader.number(2), []
        for _ in range(count):
            reader.number(index_size)
            pieces.append((base + reader.number(offset_size), reader.number(length_size)))
        yield item, way, pieces


# -- cleaning ----------------------------------------------------------------------------------


def cleaning(data: mmap) -> Iterator[Patch]:
    """What to write over the file so that only pictures are left."""
    for item in told_items(data):
        yield from _blanked(item)
    for box in _boxes(data, 0, len(data)):
        if box.name not in _KEPT_BOXES:
            yield from _freed(box)
        elif box.name == b"moov":
            for inner in _told_in_film(data, box):
                yield from _freed(inner)
    yield from _end_blanked(data)


def _blanked(item: Item) -> Iterator[Patch]:
    """An Exif that says upright, an XMP without words, zeros: nothing for readers to fail on."""
    content = {b"Exif": _EMPTY_EXIF, b"mime": _EMPTY_XMP}.get(item.name, b"")
    filler = b" " if item.name == b"mime" else b"\0"
    for start, end in item.pieces:
        fitting = content if len(content) <= end - start else b""
        yield start, fitting.ljust(end - start, filler)
        content = b""


def boxes_beside(data: mmap) -> Iterator[tuple[int, int]]:
    """Where the boxes begin and end that hold no picture, and what is behind the last one."""
    end = 0
    for box in _boxes(data, 0, len(data)):
        end = box.end
        if box.name not in _KEPT_BOXES:
            yield box.body, box.end
        elif box.name == b"moov":
            yield from ((inner.start, inner.end) for inner in _told_in_film(data, box))
    yield end, len(data)


def _freed(box: _Box) -> Iterator[Patch]:
    yield box.start + 4, b"free"
    yield box.body, bytes(box.end - box.body)


def _told_in_film(data: mmap, box: _Box) -> Iterator[_Box]:
    for inner in _boxes(data, box.body, box.end):
        if inner.name in _TOLD_IN:
            yield inner
        elif inner.name == b"trak":
            yield from _told_in_film(data, inner)


def _end_blanked(data: mmap) -> Iterator[Patch]:
    """A few bytes behind the last box are no box."""
    end = max((box.end for box in _boxes(data, 0, len(data))), default=0)
    if end < len(data):
        yield end, bytes(len(data) - end)
