"""The records of a ZIP archive whose files are stored as they are (APPNOTE 6.3.10).

Their lengths follow from names, sizes and offsets alone, so that the size of an archive and the
place of every byte in it are known before one file is read. Checksums stand behind the files
(general purpose bit 3), names are UTF-8 (bit 11). What needs more than 32 bits gets Zip64 records.

No library was found that can begin in the middle of an archive, or leave out a file of which
the size was promised.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

LIMIT32 = 0xFFFFFFFF
LIMIT16 = 0xFFFF
_FLAGS = 1 << 3 | 1 << 11
_VERSION, _VERSION64 = 20, 45
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_EXTRA64 = 0x0001

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")


@dataclass(frozen=True)
class Entry:
    """A file at `offset` of an archive. `name` is UTF-8, `size` bytes, `modified` by `dos_time`."""

    name: bytes
    size: int
    modified: int
    offset: int

    @property
    def is_large(self) -> bool:
        return self.size >= LIMIT32


def dos_time(moment: datetime) -> int:
    """A moment as archives keep it: UTC, from 1980, in steps of two seconds."""
    at = moment.astimezone(UTC)
    year = min(max(at.year - 1980, 0), 127)
    date = year << 9 | at.month << 5 | at.day
    return date << 16 | at.hour << 11 | at.minute << 5 | at.second // 2


def local_header(entry: Entry) -> bytes:
    """What stands before the bytes of a file; their size and checksum follow behind them."""
    extra = struct.pack("<2H2Q", _EXTRA64, 16, 0, 0) if entry.is_large else b""
    held = LIMIT32 if entry.is_large else 0
    time, date = entry.modified & LIMIT16, entry.modified >> 16
    version = _VERSION64 if entry.is_large else _VERSION
    lengths = (len(entry.name), len(extra))
    head = _LOCAL.pack(b"PK\3\4", version, _FLAGS, 0, time, date, 0, held, held, *lengths)
    return head + entry.name + extra


def descriptor(entry: Entry, crc: int) -> bytes:
    """What stands behind the bytes of a file."""
    sizes = "2Q" if entry.is_large else "2L"
    return struct.pack(f"<4sL{sizes}", b"PK\7\x08", crc, entry.size, entry.size)


def length_of(entry: Entry) -> int:
    """Bytes of the file with what stands around it."""
    around = _LOCAL.size + len(entry.name) + (20 + 24 if entry.is_large else 16)
    return around + entry.size


def central_entry(entry: Entry, crc: int) -> bytes:
    """The line of a file in the directory at the end."""
    wide = [value for value in (entry.size, entry.offset) if value >= LIMIT32]
    if entry.is_large:
        wide.insert(0, entry.size)  # both sizes: as stored, and as it is
    extra = struct.pack(f"<2H{len(wide)}Q", _EXTRA64, 8 * len(wide), *wide) if wide else b""
    size, offset = min(entry.size, LIMIT32), min(entry.offset, LIMIT32)
    version = _VERSION64 if wide else _VERSION
    head = _CENTRAL.pack(
        b"PK\1\2",
        _UNIX | _VERSION64,
        version,
        _FLAGS,
        0,
        entry.modified & LIMIT16,
        entry.modified >> 16,
        crc,
        size,
        size,
        len(entry.name),
        len(extra),
        0,
        0,
        0,
        _MODE,
        offset,
    )
    return head + entry.name + extra


def central_length(entry: Entry) -> int:
    """Bytes of its line in the directory."""
    wide = 2 * entry.is_large + (entry.offset >= LIMIT32)
    return _CENTRAL.size + len(entry.name) + (4 + 8 * wide if wide else 0)


def end_records(*, count: int, size: int, offset: int) -> bytes:
    """The end of an archive whose directory has `count` lines, `size` bytes, and is at `offset`."""
    end64 = _END64.pack(
        b"PK\6\6",
        _END64.size - 12,
        _UNIX | _VERSION64,
        _VERSION64,
        0,
        0,
        count,
        count,
        size,
        offset,
    )
    locator = _LOCATOR64.pack(b"PK\6\7", 0, offset + size, 1)
    held = (min(count, LIMIT16), min(count, LIMIT16), min(size, LIMIT32), min(offset, LIMIT32))
    return end64 + locator + _END.pack(b"PK\5\6", 0, 0, *held, 0)


END_LENGTH = _END64.size + _LOCATOR64.size + _END.size
