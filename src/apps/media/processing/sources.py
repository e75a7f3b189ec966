"""What has to be known of a film before ffmpeg is called for its tracks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from apps.media.processing.containers import demuxer_for, opened, picture_stream, sound_stream
from apps.media.processing.geometry import Size
from apps.media.processing.nalunits import is_intact
from apps.media.processing.surveys import length_there, rewind, shown_at, survey

# Before the start of a stretch that much is decoded and dropped: the frame that is on screen when
# the stretch starts may be older. Seconds.
RUN_UP = 1.0
# In a broadcast, seeking ends anywhere, and decoding starts at the next keyframe.
_BROADCASTS = frozenset({"mpeg", "mpegts"})
_LONGEST_RUN_UP = 60.0
_LEAST_BIT_RATE = 1_000_000  # where a container does not tell
_MOST_CHANNELS = 2
# How late a sound may begin, which players bridge, and how early a stream may end; seconds.
_LATE, _EARLY = 0.2, 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Numbers of its streams, None for what it lacks; seconds, pixels, bits per second.

    `transfer` is the characteristic of ITU-T H.273, `plain_sound` says that the sound may be taken
    as it is, `intact` that the picture may; `holds` that the picture ends before the film, so that
    its last frame stays.
    """

    path: Path
    mime: str
    picture: int | None
    sound: int | None
    duration: float | None
    size: Size
    bit_rate: int
    transfer: int
    plain_sound: bool
    run_up: float
    intact: bool
    holds: bool

    @property
    def is_broadcast(self) -> bool:
        return demuxer_for(self.mime) in _BROADCASTS


def look(
    path: Path, mime: str, *, closely: bool, start: float = 0.0, to_end: bool = True
) -> Source:
    """Opens the film, of which what follows `start` is wanted, `to_end` or not; `closely` goes
    through all packets of its picture. Raises what `opened` does."""
    with opened(path, mime) as container:
        picture, sound = picture_stream(container), sound_stream(container)
        context = picture.codec_context if picture else None
        claimed = container.duration / av.time_base if container.duration else None
        duration = length_there(container) if to_end else claimed
        return Source(
            path=path,
            mime=mime,
            picture=picture.index if picture else None,
            sound=sound.index if sound else None,
            duration=duration,
            size=Size(context.width, context.height) if context else Size(0, 0),
            bit_rate=max(context.bit_rate or 0, _LEAST_BIT_RATE) if context else 0,
            transfer=int(context.color_trc or 0) if context else 0,
            plain_sound=sound is not None and _is_plain(sound, mime) and _lasts(container, sound),
            run_up=_run_up(container, mime, start),
            holds=to_end and _holds(container, duration),
            intact=not closely or picture is None or _is_intact(container, picture),
        )


def _is_intact(container: InputContainer, picture: av.VideoStream) -> bool:
    rewind(container)
    return is_intact(container, picture)


def _run_up(container: InputContainer, mime: str, start: float) -> float:
    """As long as it takes from the frame that is on screen at `start`, which may be long ago."""
    is_broadcast = demuxer_for(mime) in _BROADCASTS
    least = RUN_UP
    if is_broadcast:
        least = min(_LONGEST_RUN_UP, survey(container).keyframe_gap + 2 * RUN_UP)
    is_within = start > 0 and (not container.duration or start < container.duration / av.time_base)
    picture = picture_stream(container) if is_within else None
    if picture is None:
        return least
    shown = shown_at(container, picture, start, early=least if is_broadcast else 0.0)
    if shown is None:
        shown = shown_at(container, picture, start, early=start)
    return least if shown is None else least + start - shown


def _holds(container: InputContainer, duration: float | None) -> bool:
    picture = picture_stream(container)
    if picture is None or duration is None:
        return False
    shown = shown_at(container, picture, duration)
    return shown is not None and duration - shown > _EARLY


def _is_plain(sound: av.AudioStream, mime: str) -> bool:
    """AAC that every browser plays, from a container that keeps its timestamps exactly."""
    return (
        sound.codec_context.name == "aac"
        and sound.profile == "LC"
        and sound.codec_context.channels <= _MOST_CHANNELS
        and demuxer_for(mime) == "mov"
    )


def _lasts(container: InputContainer, sound: av.AudioStream) -> bool:
    """From the beginning of the film to its end: players wait where one track has nothing."""
    if not (sound.duration and sound.time_base and container.duration):
        return False
    first = (container.start_time or 0) / av.time_base
    begin = float((sound.start_time or 0) * sound.time_base) - first
    length = float(sound.duration * sound.time_base)
    return begin <= _LATE and begin + length >= container.duration / av.time_base - _EARLY
