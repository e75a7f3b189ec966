"""What has to be known of a film before ffmpeg is called for its tracks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from apps.media.processing.containers import demuxer_for, opened, picture_stream, sound_stream
from apps.media.processing.geometry import Size
from apps.media.processing.nalunits import is_intact
from apps.media.processing.surveys import rewind, survey

# Before the start of a stretch that much is decoded and dropped: the frame that is on screen when
# the stretch starts may be older. Seconds.
RUN_UP = 1.0
# In a broadcast, seeking ends anywhere, and decoding starts at the next keyframe.
_BROADCASTS = frozenset({"mpeg", "mpegts"})
_LONGEST_RUN_UP = 60.0
_LEAST_BIT_RATE = 1_000_000  # where a container does not tell
_MOST_CHANNELS = 2


@dataclass(frozen=True, slots=True)
class Source:
    """Numbers of its streams, None for what it lacks; seconds, pixels, bits per second.

    `transfer` is the characteristic of ITU-T H.273, `plain_sound` says that the sound may be taken
    as it is, `intact` that the picture may.
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

    @property
    def is_broadcast(self) -> bool:
        return demuxer_for(self.mime) in _BROADCASTS


def look(path: Path, mime: str, *, closely: bool) -> Source:
    """Opens the film; `closely` goes through all packets of its picture. Raises what `opened`
    does."""
    with opened(path, mime) as container:
        picture, sound = picture_stream(container), sound_stream(container)
        context = picture.codec_context if picture else None
        return Source(
            path=path,
            mime=mime,
            picture=picture.index if picture else None,
            sound=sound.index if sound else None,
            duration=container.duration / av.time_base if container.duration else None,
            size=Size(context.width, context.height) if context else Size(0, 0),
            bit_rate=max(context.bit_rate or 0, _LEAST_BIT_RATE) if context else 0,
            transfer=int(context.color_trc or 0) if context else 0,
            plain_sound=sound is not None and _is_plain(sound, mime),
            run_up=_run_up(container, mime),
            intact=not closely or picture is None or _is_intact(container, picture),
        )


def _is_intact(container: InputContainer, picture: av.VideoStream) -> bool:
    rewind(container)
    return is_intact(container, picture)


def _run_up(container: InputContainer, mime: str) -> float:
    if demuxer_for(mime) not in _BROADCASTS:
        return RUN_UP
    return min(_LONGEST_RUN_UP, survey(container).longest_gap + 2 * RUN_UP)


def _is_plain(sound: av.AudioStream, mime: str) -> bool:
    """AAC that every browser plays, from a container that keeps its timestamps exactly."""
    return (
        sound.codec_context.name == "aac"
        and sound.profile == "LC"
        and sound.codec_context.channels <= _MOST_CHANNELS
        and demuxer_for(mime) == "mov"
    )
