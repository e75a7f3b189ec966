"""The source text of Office macros, unpacked: MS-OVBA §2.4.1, from its description there.

The file system around it (MS-CFB) is not followed: modules are found by how each begins, which
costs nothing and cannot be led astray by a lying directory. A module in scattered sectors is read
up to where it breaks off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import unpack_from

OLE_MARK = bytes.fromhex("d0cf11e0a1b11ae1")
CHUNK = 4096  # bytes that one chunk unpacks to

_MODULE = re.compile(rb"\x01(?=.[\xb0-\xbf]\x00Attribut)", re.DOTALL)
_HEADER = 2
_SIGNATURE = 0b011
_TOKENS = 8  # under one flag byte


def module_sources(data: bytes) -> Iterator[bytes]:
    """The text of all modules one after the other, in pieces of at most `CHUNK` bytes."""
    for module in _MODULE.finditer(data):
        yield from _chunks(data, module.end())


def _chunks(data: bytes, at: int) -> Iterator[bytes]:
    while at + _HEADER <= len(data):
        (header,) = unpack_from("<H", data, at)
        if header >> 12 & 0b111 != _SIGNATURE:
            return
        end = at + (header & 0xFFF) + 3
        body = data[at + _HEADER : end]
        yield _unpacked(body) if header >> 15 else body
        at = end


def _unpacked(body: bytes) -> bytes:
    """One chunk. Ends early at what makes no sense."""
    out = bytearray()
    at = 0
    while at < len(body) and len(out) < CHUNK:
        flags = body[at]
        at += 1
        for token in range(_TOKENS):
            if at >= len(body):
                break
            if not flags >> token & 1:
                out.append(body[at])
                at += 1
                continue
            if at + 2 > len(body) or not _copy(out, unpack_from("<H", body, at)[0]):
                return bytes(out)
            at += 2
    return bytes(out[:CHUNK])


def _copy(out: bytearray, token: int) -> bool:
    """Repeats what came before; the longer the text so far, the more bits say how far back."""
    offset_bits = max(4, (len(out) - 1).bit_length()) if out else 4
    length_bits = 16 - offset_bits
    offset = (token >> length_bits) + 1
    if offset > len(out):
        return False
    for _ in range((token & (1 << length_bits) - 1) + 3):
        out.append(out[-offset])
    return True
