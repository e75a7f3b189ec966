"""Whether the packets of an H.264 picture are built as they should be, without decoding them.

A browser gives up at the first packet that is not; an encoder's decoder goes on. So what is damaged
must not be copied. Nor must what is no keyframe for browsers, which start at IDR pictures only,
whatever the container says: with open groups of pictures nobody could seek.
"""

from __future__ import annotations

import re

import av
from av.container import InputContainer
from av.video.stream import VideoStream

_FORBIDDEN, _KIND = 0x80, 0x1F  # bits of a unit's first byte (ITU-T H.264 §7.3.1)
_KINDS = range(1, 24)  # those that may be in a file
_IDR = 5
_IDR_START = re.compile(rb"\x00\x00\x01[\x05\x25\x45\x65]")  # a start code, and any priority of it
_IN_RECORDS = 1  # first byte of a description of units with lengths (ISO/IEC 14496-15 §5.3.3)
_LENGTH_AT = 4  # in that description


def is_intact(container: InputContainer, stream: VideoStream) -> bool:
    """Looks at every packet; leaves the container at its end."""
    length_size = _length_size(stream.codec_context.extradata)
    try:
        for packet in container.demux(stream):
            if packet.size and (packet.is_corrupt or not _is_whole(packet, length_size)):
                return False
    except av.FFmpegError:
        return False
    return True


def _length_size(description: bytes | None) -> int:
    """Bytes of a length before each unit; 0 where start codes stand between them."""
    if not description or description[0] != _IN_RECORDS or len(description) <= _LENGTH_AT:
        return 0
    return (description[_LENGTH_AT] & 3) + 1


def _is_whole(packet: av.Packet[VideoStream], length_size: int) -> bool:
    data = memoryview(packet)
    if not length_size:
        begins = bytes(data[:3]) == b"\0\0\1" or bytes(data[:4]) == b"\0\0\0\1"
        return begins and (not packet.is_keyframe or bool(_IDR_START.search(data)))
    at, size, has_idr = 0, len(data), False
    while at + length_size < size:
        length = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if not length or not _is_possible(data[at]):
            return False
        has_idr |= data[at] & _KIND == _IDR
        at += length
    return at == size and (has_idr or not packet.is_keyframe)


def _is_possible(first: int) -> bool:
    return not first & _FORBIDDEN and first & _KIND in _KINDS
