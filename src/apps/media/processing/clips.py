"""Clips: some moments of a film, silent and small, to show what it is before it is played."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from apps.media.exceptions import CorruptFileError
from apps.media.processing.frames import Film, frames_from, image_of
from apps.media.processing.geometry import Size
from apps.media.processing.types import Progress, Recipe

_RATE = 15  # frames per second
_MOMENTS, _MOMENT = 6, 0.75  # how many, and seconds of each
_MARGIN = 0.05  # of the film at either end: titles
_OPTIONS = {"crf": "28", "preset": "fast", "threads": "1", "profile": "high"}


def render_clip(film: Film, recipe: Recipe, path: Path, progress: Progress) -> None:
    """Writes an MP4 that plays while it loads. Moments begin at keyframes.

    Raises `CorruptFileError` when nothing can be decoded.
    """
    size = clip_size(film, recipe)
    written = 0
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as clip:
        stream = clip.add_stream("libx264", rate=_RATE, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        for image in _images(film, size, progress):
            frame = av.VideoFrame.from_ndarray(np.asarray(image))
            frame.pts, frame.time_base = written, Fraction(1, _RATE)
            clip.mux(stream.encode(frame))
            written += 1
        if not written:
            raise CorruptFileError("no picture can be decoded")
        clip.mux(stream.encode(None))


def clip_size(film: Film, recipe: Recipe) -> Size:
    """Even, as H.264 wants it."""
    size = film.size.within(recipe.width, recipe.width)
    return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))


def _images(film: Film, size: Size, progress: Progress) -> Iterator[Image.Image]:
    starts = _starts(film.duration)
    length = film.duration if len(starts) == 1 else _MOMENT
    for number, start in enumerate(starts):
        yield from _moment(film, start, length, size)
        progress((number + 1) / len(starts))


def _starts(duration: float) -> list[float]:
    """Spread over the film; a short one is shown as it is."""
    if duration <= _MOMENTS * _MOMENT:
        return [0.0]
    first, room = duration * _MARGIN, duration * (1 - 2 * _MARGIN) - _MOMENT
    return [first + room * number / (_MOMENTS - 1) for number in range(_MOMENTS)]


def _moment(film: Film, start: float, length: float, size: Size) -> Iterator[Image.Image]:
    """`length` seconds from the keyframe at or before `start`, at the clip's rate."""
    begin, shown = None, 0
    for frame in frames_from(film, start):
        now = film.time_of(frame)
        begin = now if begin is None else begin
        while shown <= (now - begin) * _RATE and shown < length * _RATE:
            yield image_of(film, frame, size)
            shown += 1
        if now - begin >= length:
            return
