"""What archives hold, piece by piece, in memory and within a budget; nothing is written.

Reads zip (APPNOTE 6.3), gzip (RFC 1952) and tar (POSIX ustar) as the most forgiving unpacker does:
names, checksums and claimed sizes are not believed, damage ends one entry and not the whole, and a
directory of a million entries takes no memory. That is why `zipfile` and `tarfile` do not serve:
both load and check first. Entries that are encrypted or packed by rarer methods are left out.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import unpack_from
from typing import BinaryIO

from apps.media.processing.macros import OLE_MARK, module_sources
from apps.media.processing.types import MIB

PIECE = MIB  # bytes read at once
PACKED_PIECE = 64 * 1024  # likewise where they are to be unpacked
UNPACKED_PIECE = 256 * 1024  # bytes unpacked at once, at most

Pieces = Iterator[bytes]


class _DamagedError(Exception):
    """The archive is not what it says at this place."""


@dataclass(slots=True)
class Budget:
    """How much may still be unpacked. `whole` turns false once anything has been left out.

    `cpu_until` is a reading of the process's CPU clock, in seconds.
    """

    entries: int
    size: int
    cpu_until: float
    whole: bool = True

    @property
    def spent(self) -> bool:
        return self.entries <= 0 or self.size <= 0 or time.process_time() >= self.cpu_until


def pieces_of(file: BinaryIO) -> Pieces:
    """The file itself, from its beginning."""
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


def is_packed(head: bytes) -> bool:
    """Whether something that begins so is an archive; one that only ends as one is not seen."""
    return head.startswith((_LOCAL_MARK, _GZIP_MARK)) or _tar_size(head[:_BLOCK]) is not None


def entries(file: BinaryIO, budget: Budget) -> Iterator[Pieces]:
    """The contents of every entry, one after the other; none for what is no archive.

    Each is to be used up, or left, before the next. A file may be several archives at once.
    """
    kinds: tuple[Callable[[BinaryIO, Budget], Iterator[Pieces]], ...]
    kinds = (_zip_entries, _gzip_entries, _tar_entries, _macro_entries)
    for kind in kinds:
        try:
            for pieces in kind(file, budget):
                if budget.spent:
                    budget.whole = False
                    return
                budget.entries -= 1
                yield _within(pieces, budget)
        except _DamagedError:
            budget.whole = False


def _within(pieces: Pieces, budget: Budget) -> Pieces:
    try:
        for piece in pieces:
            yield piece
            budget.size -= len(piece)
            if budget.spent:
                budget.whole = False
                return
    except (_DamagedError, zlib.error):
        budget.whole = False


def _read_at(file: BinaryIO, at: int, size: int) -> bytes:
    """Exactly `size` bytes. Raises `_DamagedError` when there are fewer."""
    if not 0 <= at <= _size(file) - size:
        raise _DamagedError
    file.seek(at)
    return file.read(size)


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _raw(file: BinaryIO, at: int, size: int, at_once: int = PIECE) -> Pieces:
    """Up to `size` bytes; fewer where the file ends before."""
    while size > 0:
        file.seek(at)
        piece = file.read(min(size, at_once))
        if not piece:
            return
        yield piece
        at += len(piece)
        size -= len(piece)


# -- deflate -----------------------------------------------------------------------------------

_BARE, _GZIPPED = -15, 31  # what zlib calls window bits: a bare stream, one with gzip's header


def _inflated(packed: Pieces, form: int) -> Pieces:
    """Never more than `UNPACKED_PIECE` at once. Raises `zlib.error` after the last good byte.

    An empty piece comes where members hold nothing, so that whoever counts sees the work.
    """
    unpacker = zlib.decompressobj(form)
    for piece in packed:
        data = piece
        while data:
            before = unpacker.copy()
            try:
                yield unpacker.decompress(data, UNPACKED_PIECE)
            except zlib.error:
                yield from _before_damage(before, data)
                raise
            data = unpacker.unconsumed_tail
            if unpacker.eof:
                if form == _BARE:
                    return
                data = unpacker.unused_data.lstrip(b"\0")  # RFC 1952 §2.2: members in a row
                unpacker = zlib.decompressobj(form)
    yield unpacker.flush()


def _before_damage(unpacker: zlib._Decompress, data: bytes) -> Pieces:
    """zlib drops what it has when it stumbles; byte by byte it gives it."""
    for at in range(len(data)):
        try:
            yield unpacker.decompress(data[at : at + 1])
        except zlib.error:
            return


# -- zip ---------------------------------------------------------------------------------------

_LOCAL_MARK, _ENTRY_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64_MARK, _LOCATOR64_MARK = b"PK\x06\x06", b"PK\x06\x07"
_LOCAL, _ENTRY, _END, _END64, _LOCATOR64 = 30, 46, 22, 56, 20  # bytes without names and comments
_LONGEST_COMMENT = 0xFFFF
_IN_EXTRA = 0xFFFF_FFFF  # the number stands in the zip64 field instead
_EXTRA64 = 1
_ENCRYPTED = 1  # flag bit
_STORED, _DEFLATED = 0, 8


def _zip_entries(file: BinaryIO, budget: Budget) -> Iterator[Pieces]:
    """Follows the directory at the end, as unpackers do; anything may precede the archive."""
    directory = _zip_directory(file)
    if directory is None:
        return
    at, end, shift = directory
    while at + _ENTRY <= end:
        header = _read_at(file, at, _ENTRY)
        if not header.startswith(_ENTRY_MARK):
            raise _DamagedError
        name, extra, comment = unpack_from("<3H", header, 28)
        fields = _read_at(file, at + _ENTRY + name, extra)
        content = _zip_content(file, header, fields, shift)
        if content is None:
            budget.whole = False
        else:
            yield content
        at += _ENTRY + name + extra + comment


def _zip_directory(file: BinaryIO) -> tuple[int, int, int] | None:
    """Where the directory begins and ends, and how far everything is from where it says."""
    size = _size(file)
    tail_at = max(0, size - _END - _LONGEST_COMMENT)
    tail = _read_at(file, tail_at, size - tail_at)
    found = tail.rfind(_END_MARK)
    if found < 0 or len(tail) - found < _END:
        return None
    end = tail_at + found
    length, offset = unpack_from("<2L", tail, found + 12)
    end64 = end - _LOCATOR64 - _END64
    if end64 >= 0 and _read_at(file, end - _LOCATOR64, 4) == _LOCATOR64_MARK:
        record = _read_at(file, end64, _END64)
        if record.startswith(_END64_MARK):
            end = end64
            length, offset = unpack_from("<2Q", record, 40)
    return end - length, end, end - length - offset


def _zip_content(file: BinaryIO, header: bytes, extra: bytes, shift: int) -> Pieces | None:
    """The content of an entry of the directory; None for what cannot be read here."""
    flags, method = unpack_from("<2H", header, 8)
    if flags & _ENCRYPTED or method not in {_STORED, _DEFLATED}:
        return None
    packed, unpacked = unpack_from("<2L", header, 20)
    (offset,) = unpack_from("<L", header, 42)
    wide = _zip64_numbers(extra)
    # In this order and only those that are needed: APPNOTE §4.5.3.
    unpacked, packed, offset = (
        next(wide, number) if number == _IN_EXTRA else number
        for number in (unpacked, packed, offset)
    )
    return _zip_data(file, (offset + shift, offset), packed, method)


def _is_local(file: BinaryIO, at: int) -> bool:
    return 0 <= at <= _size(file) - _LOCAL and _read_at(file, at, 4) == _LOCAL_MARK


def _zip64_numbers(extra: bytes) -> Iterator[int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = unpack_from("<2H", extra, at)
        if kind == _EXTRA64:
            for number in range(at + 4, min(at + 4 + length, len(extra)) - 7, 8):
                yield unpack_from("<Q", extra, number)[0]
            return
        at += 4 + length


def _zip_data(file: BinaryIO, places: tuple[int, int], size: int, method: int) -> Pieces:
    at = next((at for at in places if _is_local(file, at)), None)
    if at is None:
        raise _DamagedError
    name, extra = unpack_from("<2H", _read_at(file, at, _LOCAL), 26)
    at += _LOCAL + name + extra
    if method == _STORED:
        yield from _raw(file, at, size)
    else:
        yield from _inflated(_raw(file, at, size, PACKED_PIECE), _BARE)


# -- gzip --------------------------------------------------------------------------------------

_GZIP_MARK = b"\x1f\x8b\x08"


def _gzip_entries(file: BinaryIO, budget: Budget) -> Iterator[Pieces]:
    """One entry: all members in a row."""
    del budget
    size = _size(file)
    if size > len(_GZIP_MARK) and _read_at(file, 0, len(_GZIP_MARK)) == _GZIP_MARK:
        yield _inflated(_raw(file, 0, size, PACKED_PIECE), _GZIPPED)


# -- tar ---------------------------------------------------------------------------------------

_BLOCK = 512
_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)
_BINARY = 0x80  # GNU: a number in base 256


def _tar_entries(file: BinaryIO, budget: Budget) -> Iterator[Pieces]:
    """Whatever has a header, long names and the like too: it costs nothing."""
    del budget
    at, end = 0, _size(file)
    while at + _BLOCK <= end:
        size = _tar_size(_read_at(file, at, _BLOCK))
        if size is None:
            return
        yield _raw(file, at + _BLOCK, size)
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK


def _tar_size(header: bytes) -> int | None:
    """The size of the entry; None for what is no header."""
    if len(header) < _BLOCK:
        return None
    blanked = header[: _CHECKSUM.start] + b" " * 8 + header[_CHECKSUM.stop :]
    if _tar_number(header[_CHECKSUM]) != sum(blanked):
        return None
    return _tar_number(header[_SIZE])


def _tar_number(field: bytes) -> int | None:
    if field[0] & _BINARY:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return None


# -- macros ------------------------------------------------------------------------------------

_LARGEST_PROJECT = 16 * MIB  # bytes; Office itself gives up long before


def _macro_entries(file: BinaryIO, budget: Budget) -> Iterator[Pieces]:
    """One entry: the source of all modules, since what belongs together may be in several."""
    size = _size(file)
    if size < len(OLE_MARK) or _read_at(file, 0, len(OLE_MARK)) != OLE_MARK:
        return
    if size > _LARGEST_PROJECT:
        budget.whole = False
        return
    yield module_sources(_read_at(file, 0, size))
