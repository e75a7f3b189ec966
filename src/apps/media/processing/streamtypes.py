"""The words of streaming: rungs of a ladder, tracks and their segments.

A track is one fragmented MP4 file: its head, then segments that can be played from the first byte
of each. Players fetch segments as byte ranges of it. Immutable values only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

SEGMENT_SECONDS = 4
LEAD_SECONDS = 1.0
"""Added to every timestamp of every track, so that the priming of AAC does not go below zero."""

Way = Literal["encode", "copy", "sound"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One quality of a ladder. Pixels, upright and even; `bit_rate` is the most bits per second."""

    name: str
    width: int
    height: int
    bit_rate: int


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What of a film to turn into tracks, and how.

    `encode` makes every rung from one decode, of `duration` seconds from `start` (None: to the
    end), with `frame_rate` (a fraction) frames per second. `copy` takes picture and sound as they
    are, without encoding, in two tracks. `sound` makes the one AAC track. A rung's track is called
    by the rung's name, the copied one `copy`, the sound `sound`; each is
    `out_dir / f"{name}.mp4"`. `threads` 0 lets the encoder choose.
    """

    out_dir: Path
    ffmpeg: str
    way: Way
    rungs: tuple[Rung, ...] = ()
    frame_rate: str = ""
    start: float = 0.0
    duration: float | None = None
    tone_map: bool = False
    deinterlace: bool = False
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a track: seconds and bytes."""

    duration: float
    size: int


@dataclass(frozen=True, slots=True)
class Track:
    """One file of a stream. `head` is the bytes before the first segment; `codecs` as RFC 6381
    has them; width, height and `frame_rate` are 0 for sound."""

    name: str
    path: Path
    codecs: str
    head: int
    segments: tuple[Segment, ...]
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0

    @property
    def size(self) -> int:
        return self.head + sum(segment.size for segment in self.segments)

    @property
    def duration(self) -> float:
        return sum(segment.duration for segment in self.segments)

    @property
    def average_bit_rate(self) -> int:
        """Bits per second over all segments."""
        return _bit_rate(self.size - self.head, self.duration)

    @property
    def peak_bit_rate(self) -> int:
        """The peak segment bit rate of RFC 8216 §4.1: of the heaviest run of segments that last
        about the target duration. A short last segment, mostly its keyframe, is no peak."""
        longest = max((segment.duration for segment in self.segments), default=0.0)
        rates = _rates_of_runs(self.segments, max(1, math.ceil(longest)))
        return max(rates, default=self.average_bit_rate)


@dataclass(frozen=True, slots=True)
class Streamed:
    """All tracks of one run, and what it cost; see `types.Rendered`."""

    tracks: tuple[Track, ...]
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class MuxPlan:
    """Put finished tracks of ours into one MP4 `out_dir / name` that plays while it loads."""

    out_dir: Path
    ffmpeg: str
    name: str
    sound: Path | None = None


def _rates_of_runs(segments: Sequence[Segment], target: int) -> Iterator[int]:
    """Bits per second of all runs that last between half and one and a half times `target`."""
    for first in range(len(segments)):
        size, seconds = 0, 0.0
        for segment in islice(segments, first, None):
            size, seconds = size + segment.size, seconds + segment.duration
            if seconds > target * 1.5:
                break
            if seconds >= target * 0.5:
                yield _bit_rate(size, seconds)


def _bit_rate(size: int, seconds: float) -> int:
    return round(8 * size / seconds) if seconds else 0
