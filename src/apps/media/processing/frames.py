"""Single frames of a film, upright, in square pixels, in the colours of ordinary screens.

Only keyframes are looked for, and only the one that is wanted is decoded: a seek and a picture
cost a few hundredths of a second whatever the film is long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import av
import numpy as np
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageOps

from apps.media.exceptions import CorruptFileError
from apps.media.processing.containers import go_to, picture_stream
from apps.media.processing.geometry import Size
from apps.media.processing.recordings import first_frame
from apps.media.processing.tonemapping import HLG, PQ, to_screen
from apps.media.processing.types import Facts

_MOST_PACKETS = 2_000  # from a seek to the next keyframe
_LARGEST_MAPPED = 1_920  # pixels: a larger picture of high dynamic range is made smaller first

# Where posters are looked for, as shares of the film, the best guess first.
_PLACES = (0.15, 0.1, 0.3, 0.5, 0.05, 0.7, 0.9)
_GOOD_CONTRAST = 30.0  # standard deviation of 0..255: titles on black and fades have less
_JUDGED_SIDE = 64  # pixels
_MOST_DECODED, _JUDGED_EVERY = 300, 15  # frames, where no keyframe will do


@dataclass(frozen=True, slots=True)
class Film:
    """An opened film and how to show it. `start` is the timestamp of its beginning, seconds."""

    container: InputContainer
    stream: VideoStream
    size: Size
    rotation: int
    mirrored: bool
    duration: float
    start: float
    transfer: int

    @classmethod
    def of(cls, container: InputContainer, facts: Facts) -> Film:
        """Raises `CorruptFileError` without a picture."""
        stream = picture_stream(container)
        if stream is None or facts.video is None:
            raise CorruptFileError("there is no picture")
        return cls(
            container=container,
            stream=stream,
            size=Size(facts.width, facts.height),
            rotation=facts.video.rotation,
            mirrored=facts.video.mirrored,
            duration=facts.duration or 0.0,
            start=(container.start_time or 0) / av.time_base,
            transfer=int(stream.codec_context.color_trc or 0),
        )

    def time_of(self, frame: VideoFrame) -> float:
        """Seconds from the beginning."""
        return (frame.time or self.start) - self.start


def keyframe_at(film: Film, seconds: float) -> VideoFrame | None:
    """The keyframe at or before `seconds`, or the next one where nothing else can be found."""
    with suppress(av.FFmpegError):
        for packet in _packets_from(film, seconds):
            if packet.is_keyframe:
                frame = _only_frame(film.stream.codec_context, packet)
                if frame is not None:
                    return frame
    return None


def _packets_from(film: Film, seconds: float) -> Iterator[av.Packet[VideoStream]]:
    unit = film.stream.time_base
    assert unit is not None
    go_to(film.container, int((film.start + seconds) / unit), film.stream)
    return islice(film.container.demux(film.stream), _MOST_PACKETS)


def _only_frame(context: VideoCodecContext, packet: av.Packet[VideoStream]) -> VideoFrame | None:
    """Decodes one packet as if the film ended there, so that the picture comes out at once."""
    frames: list[VideoFrame] = []
    with suppress(av.FFmpegError):
        frames += context.decode(packet)
    with suppress(av.FFmpegError):
        frames += context.decode(None)
    context.flush_buffers()
    return frames[0] if frames else None


def frames_from(film: Film, seconds: float) -> Iterator[VideoFrame]:
    """All frames from the keyframe at or before `seconds` on; damaged ones are left out."""
    with suppress(av.FFmpegError):
        unit = film.stream.time_base or 1
        go_to(film.container, int((film.start + seconds) / unit), film.stream)
        for packet in film.container.demux(film.stream):
            with suppress(av.InvalidDataError):
                yield from film.stream.codec_context.decode(packet)


def image_of(film: Film, frame: VideoFrame, size: Size | None = None) -> Image.Image:
    """The frame as a picture of `size`, upright; else of the film's own size."""
    upright = size or film.size
    if film.transfer in {PQ, HLG}:
        upright = upright.within(_LARGEST_MAPPED, _LARGEST_MAPPED)
    stored = upright.turned if film.rotation in {90, 270} else upright
    image = _pixels(film, frame, stored)
    if film.mirrored:
        image = ImageOps.flip(image)
    return image.rotate(-film.rotation, expand=True) if film.rotation else image


def _pixels(film: Film, frame: VideoFrame, size: Size) -> Image.Image:
    if film.transfer in {PQ, HLG}:
        deep = frame.reformat(size.width, size.height, "rgb48le", interpolation="AREA", threads=1)
        return Image.fromarray(to_screen(deep.to_ndarray().astype(np.uint16), film.transfer))
    shown = frame.reformat(size.width, size.height, "rgb24", interpolation="AREA", threads=1)
    return Image.fromarray(shown.to_ndarray())


# -- the poster --------------------------------------------------------------------------------


def poster(film: Film, at: float | None = None) -> Image.Image:
    """What is seen `at` a moment, in seconds; without one, a picture that tells something: neither
    black nor blank if the film has any other.

    Raises `CorruptFileError` when none can be decoded.
    """
    if at is not None:
        chosen = _frame_at(film, at)
        if chosen is not None:
            return image_of(film, chosen)
    best, most = None, -1.0
    for frame in _candidates(film):
        contrast = _contrast(frame)
        if contrast > most:
            best, most = frame, contrast
        if most >= _GOOD_CONTRAST:
            break
    return image_of(film, best or first_frame(film.container, film.stream))


def _frame_at(film: Film, seconds: float) -> VideoFrame | None:
    """The frame that is on the screen then; the nearest one where the way there is too long."""
    last: VideoFrame | None = None
    for frame in islice(frames_from(film, seconds), _MOST_DECODED):
        if last is not None and film.time_of(frame) > seconds:
            break
        last = frame
    return last


def _candidates(film: Film) -> Iterator[VideoFrame]:
    for place in _PLACES:
        frame = keyframe_at(film, film.duration * place)
        if frame is not None:
            yield frame
    start = film.duration * _PLACES[0]
    yield from islice(frames_from(film, start), 0, _MOST_DECODED, _JUDGED_EVERY)


def _contrast(frame: VideoFrame) -> float:
    small = frame.reformat(_JUDGED_SIDE, _JUDGED_SIDE, "gray", interpolation="AREA", threads=1)
    return float(np.std(small.to_ndarray()))
