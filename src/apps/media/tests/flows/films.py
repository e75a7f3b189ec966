"""A film whose every frame carries its number, and the numbers that are in a film."""

from __future__ import annotations

import base64
import io
from fractions import Fraction
from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

from apps.media.tests.flows.servers import Site
from apps.media.tests.flows.state import Row

RATE = 25  # frames per second
BITS = 12  # of a frame's number, as black and white fields along the upper edge
GREY = 128


@cache
def numbered_film(seconds: int, *, width: int = 640, height: int = 360) -> bytes:
    """An MP4 in a format that is never taken as it is: each quality has to be encoded.

    The rest of each frame is restless, so that an encoder has something to do.
    """
    buffer = io.BytesIO()
    rng = np.random.default_rng(3)
    noise = rng.integers(60, 200, (height, width), np.uint8)
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", RATE, options={"qscale": "12", "flags": "+qscale"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 8_000_000
        for number in range(seconds * RATE):
            picture = np.roll(noise, (3 * number, 5 * number), (0, 1))
            picture[: height // 6] = _fields(number, width)
            frame = av.VideoFrame.from_ndarray(picture, "gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _fields(number: int, width: int) -> NDArray[np.uint8]:
    columns = np.arange(width) * BITS // width
    return np.where(number >> columns & 1, 235, 16).astype(np.uint8)


def numbers_in(film: bytes) -> list[int]:
    """The number of each frame, in the order in which they are shown."""
    with av.open(io.BytesIO(film)) as container:
        return [_number(frame) for frame in container.decode(video=0)]


def _number(frame: av.VideoFrame) -> int:
    row = frame.to_ndarray(format="gray")[frame.height // 12]
    middles = (np.arange(BITS) * 2 + 1) * frame.width // (2 * BITS)
    return int(sum(1 << bit for bit in range(BITS) if row[middles[bit]] > GREY))


def stored(site: Site, rendition: Row) -> bytes:
    """The bytes of a rendition, past all rules about who may have them."""
    return base64.b64decode(site.observer.ask("stored", rendition["storage"], rendition["key"]))
