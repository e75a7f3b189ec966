"""How long a recording really is, and how its frames and keyframes are spaced.

Read from packets and indexes, without decoding anything. Headers may promise anything; what counts
is what the file holds.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise

import av
from av.container import InputContainer
from av.stream import Stream

from apps.media.exceptions import CorruptFileError, TooLongError
from apps.media.processing.containers import go_to, picture_stream, sound_stream
from apps.media.processing.types import Limits

_SURVEYED_PACKETS = 20_000  # of a file without a full index; five minutes of an ordinary film
_TOLERATED = 1.0  # seconds by which the last packet's own length may be unknown
_SUSPICIOUS = 60.0  # seconds
_LATE = 0.2  # seconds that players bridge without a word
_NEAR_THE_END, _LOOKED_AT = 0.95, 50  # share of the recording; packets
_LEAST_BIT_RATE = 100  # bits per second: a quarter of silence in Opus
_UNEVEN_STEP, _UNEVEN_SHARE = 0.3, 0.01  # Matroska's milliseconds move steps by up to a tenth


@dataclass(slots=True)
class Survey:
    """What the packets tell. Times are seconds.

    `end` is where the data ends, None when not all of it was seen; `starts` are the decoding times
    of the picture's frames, `size` the bytes of these. `whole` is False when a list of edits hides
    frames, or the picture begins later than the recording or ends earlier.
    """

    end: float | None = None
    starts: list[float] = field(default_factory=list)
    keyframes: list[float] = field(default_factory=list)
    size: int = 0
    whole: bool = True

    @property
    def steps(self) -> list[float]:
        """From each frame to the next."""
        return _differences(self.starts)

    @property
    def is_uneven(self) -> bool:
        """More than a few frames come early or late."""
        steps = self.steps
        if not steps:
            return False
        usual = statistics.median(steps)
        uneven = sum(abs(step - usual) > usual * _UNEVEN_STEP for step in steps)
        return uneven > max(1, len(steps) * _UNEVEN_SHARE)

    @property
    def longest_gap(self) -> float:
        """Between points where playing can start; 0 when there is none or not at the beginning."""
        if not self.keyframes or not self.whole or self.keyframes[0] > self.starts[0]:
            return 0.0
        return self.keyframe_gap

    @property
    def keyframe_gap(self) -> float:
        """The same of a picture that need not be whole."""
        return max(_differences([*self.keyframes, *self.starts[-1:]]), default=0.0)

    @property
    def bit_rate(self) -> int:
        """Bits per second of the picture, 0 when unknown."""
        length = self.starts[-1] - self.starts[0] if self.starts else 0.0
        return round(self.size * 8 / length) if length > 0 else 0


def _differences(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times) if after > before]


def survey(container: InputContainer) -> Survey:
    """From the index where it has every packet, else from the first packets of the file.

    Leaves the container at an unknown place.
    """
    indexed = [stream for stream in _streams(container) if _is_fully_indexed(container, stream)]
    seen = _survey_index(container, indexed) if indexed else _survey_packets(container)
    if seen.starts and seen.starts[0] - _first_second(container) > _LATE:
        seen.whole = False
    if seen.starts and seen.end is not None:
        seen.whole &= not _ends_early(seen, seen.end + _first_second(container))
    return seen


def _ends_early(seen: Survey, end: float) -> bool:
    """Whether the sound goes on for longer than the last frame may be shown."""
    usual = seen.steps[-1] if seen.steps else 0.0
    return end - seen.starts[-1] > usual + _TOLERATED


def _streams(container: InputContainer) -> list[Stream]:
    found = (picture_stream(container), sound_stream(container))
    return [stream for stream in found if stream is not None]


def _is_fully_indexed(container: InputContainer, stream: Stream) -> bool:
    """Only the MP4 family keeps every sample in its header, if it is not in fragments: then the
    header counts no frames."""
    return container.format.name.startswith("mov") and stream.frames > 1


def _survey_index(container: InputContainer, streams: list[Stream]) -> Survey:
    """Samples beyond the end of the file do not count: a header may promise anything."""
    seen, ends = Survey(), [0.0]
    size = container.size
    first = _first_second(container)
    for stream in streams:
        unit = float(stream.time_base or 0)
        last = None
        for entry in stream.index_entries:
            if entry.pos + entry.size > size:
                break
            last = entry.timestamp * unit
            if stream.type == "video":
                _note(seen, last, is_key=entry.is_keyframe, size=entry.size)
                seen.whole &= not entry.is_discard
        if last is not None:
            ends.append(last + _step(stream, seen) - first)
    seen.end = max(ends)
    return seen


def _first_second(container: InputContainer) -> float:
    return (container.start_time or 0) / av.time_base


def _step(stream: Stream, seen: Survey) -> float:
    """How long the last sample lasts, roughly."""
    return seen.steps[-1] if stream.type == "video" and seen.steps else 0.0


def _note(seen: Survey, start: float, *, is_key: bool, size: int) -> None:
    seen.starts.append(start)
    seen.size += size
    if is_key:
        seen.keyframes.append(start)


def _survey_packets(container: InputContainer) -> Survey:
    seen, end, count = Survey(), 0.0, 0
    first = _first_second(container)
    for packet in islice(_packets(container), _SURVEYED_PACKETS):
        count += 1
        start = packet.dts if packet.dts is not None else packet.pts
        if start is None or packet.time_base is None:
            continue
        unit = float(packet.time_base)
        stop = max(start, packet.pts or start) + (packet.duration or 0)
        end = max(end, stop * unit - first)
        if packet.stream.type == "video":
            _note(seen, start * unit, is_key=packet.is_keyframe, size=packet.size)
    if count < _SURVEYED_PACKETS:
        seen.end = end
    return seen


def _packets(container: InputContainer) -> Iterator[av.Packet[Stream]]:
    """Until the end, or until the container is damaged."""
    try:
        for packet in container.demux(_streams(container)):
            if packet.size:
                yield packet
    except av.InvalidDataError:
        return


def seconds(container: InputContainer, seen: Survey, limits: Limits) -> float:
    """How long the recording is. Raises `CorruptFileError` and `TooLongError`.

    A header that promises more than twice what is there is damage; a smaller lie is corrected. A
    recording that was never finished has no length in its header.
    """
    claimed = container.duration / av.time_base if container.duration else 0.0
    length = claimed
    if seen.end is not None:
        _check_promise(claimed, seen.end)
        length = min(claimed or seen.end, seen.end + _TOLERATED)
    if claimed > _SUSPICIOUS and container.size * 8 / claimed < _LEAST_BIT_RATE:
        raise CorruptFileError(f"{claimed} s in {container.size} bytes")
    if length > limits.max_duration:
        raise TooLongError(f"{length:.0f} s")
    if not length or (seen.end is None and not _reaches(container, length)):
        length = _measured(container)
        _check_promise(claimed, length)
    if length > limits.max_duration:
        raise TooLongError(f"{length:.0f} s")
    return length


def _check_promise(claimed: float, there: float) -> None:
    if there < claimed / 2:
        raise CorruptFileError(f"{claimed} s are promised, {there} s are there")


def _reaches(container: InputContainer, length: float) -> bool:
    """Whether there is anything near the end that is promised."""
    try:
        container.seek(round((_first_second(container) + length * _NEAR_THE_END) * av.time_base))
    except av.FFmpegError:
        return False
    wanted = _first_second(container) + length / 2
    return any(_start_of(packet) >= wanted for packet in islice(_packets(container), _LOOKED_AT))


def length_there(container: InputContainer) -> float | None:
    """What the header says, as far as that is there; None where it says nothing. Seconds."""
    if not container.duration:
        return None
    claimed, end = container.duration / av.time_base, survey(container).end
    return claimed if end is None else min(claimed, end + _TOLERATED)


def shown_at(
    container: InputContainer, stream: Stream, moment: float, *, early: float = 0.0
) -> float | None:
    """Since when the frame has been on screen that is there at a `moment`, both in seconds from the
    beginning; looks from the keyframe on that is `early` seconds before. None where that cannot be
    told. Leaves the container at an unknown place."""
    wanted, found = _first_second(container) + moment, None
    try:
        go_to(container, int((wanted - early) / (stream.time_base or 1)), stream)
        for packet in container.demux(stream):
            start = _start_of(packet)
            if packet.size and start <= wanted:
                found = max(start, found or start)
            elif packet.dts is not None and float(packet.dts * (stream.time_base or 1)) > wanted:
                break
    except av.FFmpegError:
        return None
    return None if found is None else found - _first_second(container)


def _start_of(packet: av.Packet[Stream]) -> float:
    start = packet.pts if packet.pts is not None else packet.dts
    return float(start * packet.time_base) if start is not None and packet.time_base else 0.0


def _measured(container: InputContainer) -> float:
    """By reading all packets, of a file that does not say."""
    rewind(container)
    first, end = _first_second(container), 0.0
    for packet in _packets(container):
        length = float((packet.duration or 0) * (packet.time_base or 0))
        end = max(end, _start_of(packet) + length - first)
    return end


def rewind(container: InputContainer) -> None:
    go_to(container, container.start_time or 0)
