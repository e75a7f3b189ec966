"""Makes a short film with sound, and a recording of surf, for the samples."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from launch import scenes

RATE = 25  # pictures per second
HERTZ = 44_100  # samples of sound per second
ROUND = 4  # seconds in which the disc goes round once
PIECE = 1_024  # samples of sound that an AAC frame holds
LOUDEST = 0.3


def film(path: Path, *, seconds: int, width: int, height: int) -> None:
    """Write an MP4 of H.264 and AAC: the scene of the animation, over the sound of surf."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        picture = container.add_stream("libx264", RATE, options={"preset": "veryfast"})
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", HERTZ, layout="mono")
        for frame in pictures(seconds * RATE, width, height):
            container.mux(picture.encode(frame))
        for piece in pieces(surf(seconds)):
            container.mux(sound.encode(piece))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))


def pictures(count: int, width: int, height: int) -> Iterator[av.VideoFrame]:
    """Yield the frames of the scene, which repeats itself."""
    for number in range(count):
        turn = 2 * math.pi * number / (ROUND * RATE)
        frame = av.VideoFrame.from_image(scenes.moment(width, height, turn=turn))
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        yield frame


def surf(seconds: int) -> NDArray[np.float32]:
    """Return noise that swells and falls, values from -1 to 1."""
    rng = np.random.default_rng(7)
    time = np.arange(seconds * HERTZ) / HERTZ
    swell = 0.6 + 0.4 * np.sin(2 * math.pi * time / ROUND)
    noise = np.convolve(rng.normal(0, 1, time.size), np.ones(12) / 12, mode="same")
    result: NDArray[np.float32] = (LOUDEST * swell * noise).clip(-1, 1).astype(np.float32)
    return result


def pieces(samples: NDArray[np.float32]) -> Iterator[av.AudioFrame]:
    """Yield the sound as frames."""
    for start in range(0, samples.size, PIECE):
        part = samples[None, start : start + PIECE]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = HERTZ, start, Fraction(1, HERTZ)
        yield frame


def recording(path: Path, *, seconds: int) -> None:
    """Write the sound of surf as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HERTZ)
        file.writeframes((surf(seconds) * 32_767).astype("<i2").tobytes())
