"""Whether a GIF is all there. Walks its blocks (GIF89a §12-27) and skips over what they hold.

libvips plays as many frames as have arrived and calls that a success; a broken upload must not
pass as a shorter film.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_EXTENSION, _IMAGE, _TRAILER = b"\x21", b"\x2c", b"\x3b"
_SCREEN, _DESCRIPTOR = 13, 9  # bytes: header with screen descriptor; image descriptor
_TABLE_FLAG, _TABLE_SIZE = 0x80, 0x07


def is_complete(path: Path) -> bool:
    """True when the blocks lead to the trailer; anything may follow it."""
    with path.open("rb") as file:
        screen = file.read(_SCREEN)
        if len(screen) < _SCREEN:
            return False
        _skip_table(file, screen[10])
        while (kind := file.read(1)) != _TRAILER:
            if not _skip_block(file, kind):
                return False
    return True


def _skip_block(file: BinaryIO, kind: bytes) -> bool:
    """False at the end of the file and at what is no block."""
    if kind == _IMAGE:
        descriptor = file.read(_DESCRIPTOR)
        if len(descriptor) < _DESCRIPTOR:
            return False
        _skip_table(file, descriptor[8])
    elif kind != _EXTENSION:
        return False
    file.seek(1, os.SEEK_CUR)  # the code size of an image, the label of an extension
    return _skip_sub_blocks(file)


def _skip_table(file: BinaryIO, flags: int) -> None:
    if flags & _TABLE_FLAG:
        file.seek(3 * 2 ** ((flags & _TABLE_SIZE) + 1), os.SEEK_CUR)


def _skip_sub_blocks(file: BinaryIO) -> bool:
    while length := file.read(1):
        if length == b"\0":
            return True
        file.seek(length[0], os.SEEK_CUR)
    return False
