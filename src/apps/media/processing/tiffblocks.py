"""The directories of TIFF, which Exif has too: where a position stands, and how to take it out.

Works on bytes in place: nothing moves, since everything in a TIFF is found by its offset. Bounded
by the file: a directory is visited once, and one that leads out of the file is `CorruptFileError`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from apps.media.exceptions import CorruptFileError

Data = bytes | mmap
Patch = tuple[int, bytes]
"""Bytes to write over those at an offset."""

XMP, SUB_IFDS, EXIF, GPS, INTEROPERABILITY = 700, 330, 34_665, 34_853, 40_965
ORIENTATION = 274
_DIRECTORIES = {EXIF, GPS, INTEROPERABILITY}

# What a decoder needs of a picture (TIFF 6, its supplements, and ICC). All else tells a story.
PICTURE_TAGS = frozenset(
    {
        *range(254, 260), *range(262, 267), 273, 274, *range(277, 285), 284, *range(290, 294), 296,
        297, 301, *range(317, 326), *range(326, 329), 330, 332, 334, 336, 338, 339, 340, 341, 342,
        347, *range(512, 522), *range(529, 533), 34_675, 34_925, 50_674, 50_838,
    }
)  # fmt: skip
# Latitudes and longitudes of the camera and of what it looked at, the name of the area (Exif 2.32
# table 15); model tie points and transformation (GeoTIFF).
_PLACES = frozenset({2, 4, 20, 22, 28})
_MAP_TAGS = frozenset({33_922, 34_264})

_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
               16: 8, 17: 8, 18: 8}  # fmt: skip
MAX_DIRECTORIES = 5_000


@dataclass(frozen=True, slots=True)
class _Layout:
    """Byte order, and the widths in which classic TIFF and BigTIFF differ."""

    order: str
    count: str = "H"
    offset: str = "I"
    first: int = 4  # where the offset of the first directory stands

    def number(self, data: Data, at: int, kind: str) -> int:
        try:
            return int(struct.unpack_from(self.order + kind, data, at)[0])
        except struct.error as error:
            raise CorruptFileError(f"offset {at} is outside of the file") from error

    @property
    def entry_size(self) -> int:
        return 4 + 2 * struct.calcsize(self.offset)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry: its own offset, its tag, and where its value is."""

    at: int
    tag: int
    start: int
    size: int
    width: int  # bytes of one element

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class _Directory:
    at: int
    entries: tuple[_Entry, ...]
    next_at: int
    """Where the offset of the next directory stands."""


def _layout(data: Data) -> _Layout:
    head = data[:4]
    for order, mark in (("<", b"II*\0"), (">", b"MM\0*")):
        if head == mark:
            return _Layout(order)
    for order, mark in (("<", b"II+\0"), (">", b"MM\0+")):
        if head == mark:
            return _Layout(order, "Q", "Q", 8)
    raise CorruptFileError("no TIFF header")


def _directory(data: Data, layout: _Layout, at: int) -> _Directory:
    count = layout.number(data, at, layout.count)
    first = at + struct.calcsize(layout.count)
    end = first + count * layout.entry_size
    if end > len(data):
        raise CorruptFileError(f"the directory at {at} leads out of the file")
    entries = tuple(
        _entry(data, layout, entry_at) for entry_at in range(first, end, layout.entry_size)
    )
    return _Directory(at, entries, end)


def _entry(data: Data, layout: _Layout, at: int) -> _Entry:
    width = _TYPE_SIZES.get(layout.number(data, at + 2, "H"), 1)
    size = width * layout.number(data, at + 4, layout.offset)
    value_at = at + 4 + struct.calcsize(layout.offset)
    inside = size <= struct.calcsize(layout.offset)
    start = value_at if inside else layout.number(data, value_at, layout.offset)
    return _Entry(at, layout.number(data, at, "H"), start, size, width)


def _targets(data: Data, layout: _Layout, entry: _Entry) -> Iterator[int]:
    """The offsets that an entry of offsets holds."""
    kind = "Q" if entry.width == struct.calcsize("Q") else "I"
    for at in range(entry.start, min(entry.end, len(data) - 3), struct.calcsize(kind)):
        yield layout.number(data, at, kind)


def _pictures(data: Data, layout: _Layout) -> Iterator[_Directory]:
    """All directories of pictures, also those below others; none twice."""
    waiting, seen = [layout.number(data, layout.first, layout.offset)], {0}
    while waiting:
        at = waiting.pop()
        if at in seen or at >= len(data):  # nobody reads what is not there
            continue
        seen.add(at)
        if len(seen) > MAX_DIRECTORIES:
            raise CorruptFileError("too many directories")
        directory = _directory(data, layout, at)
        yield directory
        waiting.append(layout.number(data, directory.next_at, layout.offset))
        for entry in directory.entries:
            if entry.tag == SUB_IFDS:
                waiting.extend(_targets(data, layout, entry))


# -- positions ---------------------------------------------------------------------------------


def tells_position(data: Data) -> bool:
    """Whether a TIFF, or the one within Exif, says where. What is broken may well say so to another
    reader: then the tag for positions is enough, wherever its number appears."""
    try:
        layout = _layout(data)
        return any(_has_place(data, layout, found) for found in _pictures(data, layout))
    except CorruptFileError:
        return any(data.find(struct.pack(order + "H", GPS)) >= 0 for order in "<>")


def _has_place(data: Data, layout: _Layout, directory: _Directory) -> bool:
    tags = {entry.tag: entry for entry in directory.entries}
    exif = _child(data, layout, tags[EXIF]) if EXIF in tags else None
    pointers = [entry for entry in (*directory.entries, *(exif or ())) if entry.tag == GPS]
    is_map = not tags.keys().isdisjoint(_MAP_TAGS)
    return is_map or any(_is_place(data, layout, entry) for entry in pointers)


def _child(data: Data, layout: _Layout, pointer: _Entry) -> tuple[_Entry, ...] | None:
    """The entries of the directory that an entry points to; None where it cannot be read."""
    try:
        at = next(_targets(data, layout, pointer))
        return _directory(data, layout, at).entries
    except (CorruptFileError, StopIteration):
        return None


def _is_place(data: Data, layout: _Layout, pointer: _Entry) -> bool:
    entries = _child(data, layout, pointer)
    return entries is None or any(entry.tag in _PLACES for entry in entries)


def xmp_texts(data: Data) -> Iterator[bytes]:
    """The XMP packets of a TIFF file."""
    for directory in _pictures(data, _layout(data)):
        for entry in directory.entries:
            if entry.tag == XMP:
                yield data[entry.start : entry.end]


# -- cleaning ----------------------------------------------------------------------------------


def cleaning(data: Data) -> Iterator[Patch]:
    """What to write over a TIFF file so that only the pictures are left."""
    layout = _layout(data)
    for directory in _pictures(data, layout):
        kept = [entry for entry in directory.entries if entry.tag in PICTURE_TAGS]
        if len(kept) == len(directory.entries):
            continue
        for entry in directory.entries:
            if entry.tag not in PICTURE_TAGS:
                yield from _wiped(data, layout, entry)
        yield directory.at, _rewritten(data, layout, directory, kept)


def _wiped(data: Data, layout: _Layout, entry: _Entry) -> Iterator[Patch]:
    """Zeros over the value of an entry, and over the directory that it may point to."""
    if entry.tag in _DIRECTORIES:
        for child in _child(data, layout, entry) or ():
            yield from _wiped(data, layout, child)
            yield child.at, bytes(layout.entry_size)
    if entry.start < layout.first:
        raise CorruptFileError("a value lies over the header")
    if entry.start < len(data):
        yield entry.start, bytes(min(entry.size, len(data) - entry.start))


def _rewritten(data: Data, layout: _Layout, directory: _Directory, kept: list[_Entry]) -> bytes:
    """The directory with fewer entries, as long as before."""
    head = struct.pack(layout.order + layout.count, len(kept))
    entries = b"".join(data[entry.at : entry.at + layout.entry_size] for entry in kept)
    offset_size = struct.calcsize(layout.offset)
    following = data[directory.next_at : directory.next_at + offset_size]
    whole = directory.next_at + offset_size - directory.at
    return (head + entries + following).ljust(whole, b"\0")


# -- Exif --------------------------------------------------------------------------------------


def exif_with(orientation: int) -> bytes:
    """The TIFF of an Exif block that says nothing but how to turn the picture."""
    entry = struct.pack(">HHIHH", ORIENTATION, 3, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def orienting(data: Data, orientation: int) -> Patch | None:
    """What to write where so that a TIFF is turned by that orientation; None where it says nothing
    of it yet. Raises `CorruptFileError`."""
    layout = _layout(data)
    first = layout.number(data, layout.first, layout.offset)
    for entry in _directory(data, layout, first).entries:
        if entry.tag == ORIENTATION and entry.width == struct.calcsize("H"):
            return entry.start, struct.pack(f"{layout.order}H", orientation)
    return None
