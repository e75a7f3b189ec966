"""Waveforms: the lowest and the highest sample of each short stretch, as numbers and as a picture.

ffmpeg finds the extremes while it decodes for other purposes (see `extremes_filter`) and says them
line by line; what is kept of them is bounded, however long the sound is.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.media.processing.libvips import prepare, pyvips, reading
from apps.media.processing.types import Recipe

MOST_PAIRS = 2_000  # even: neighbours are joined when there are more
_USUAL_PAIRS = 1_500
_FEWEST_SAMPLES = 64  # per pair; a short sound gets fewer pairs instead
_COLOR = (100, 116, 139)  # seen on white and on black
_THINNEST = 1.0  # pixels: silence is a line

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Waveform:
    """Pairs of lowest and highest samples, -128..127, over all channels."""

    sample_rate: int
    samples_per_pair: int
    pairs: tuple[Pair, ...]


# -- collecting --------------------------------------------------------------------------------


def samples_per_pair(duration: float, sample_rate: int) -> int:
    """How many samples to join so that a sound of so many seconds makes about 1500 pairs.

    Never more than a second's, so that a duration that was claimed too long costs little.
    """
    wanted = round(duration * sample_rate / _USUAL_PAIRS)
    return max(_FEWEST_SAMPLES, min(wanted, sample_rate))


def extremes_filter(sample_rate: int, samples: int) -> str:
    """The part of a filter graph that writes the extremes of each stretch to standard output.

    Of all channels together: a mix of them would hide what is in opposite phase.
    """
    return (
        f"aformat=sample_fmts=flt:sample_rates={sample_rate},asetnsamples=n={samples}:p=0,"
        "astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=Min_level+Max_level,"
        "ametadata=mode=print:file=-:direct=1"
    )


class Collector:
    """Takes the lines of `extremes_filter`; holds at most `MOST_PAIRS` pairs."""

    def __init__(self, sample_rate: int, samples: int) -> None:
        self._sample_rate = sample_rate
        self._samples = samples
        self._pairs: list[Pair] = []
        self._stretches = 1  # that a pair stands for
        self._in_last = 1  # of them, how many the last pair has
        self._low = 0
        self.seconds = 0.0  # how far the lines have come

    def take(self, line: str) -> None:
        """Any line; those of others are ignored."""
        name, _, value = line.partition("=")
        if line.startswith("frame:"):
            self.seconds = _number(line.rpartition("pts_time:")[2], self.seconds)
        elif name == "lavfi.astats.Overall.Min_level":
            self._low = _level(value)
        elif name == "lavfi.astats.Overall.Max_level":
            self._add((self._low, _level(value)))

    def waveform(self) -> Waveform:
        return Waveform(self._sample_rate, self._samples * self._stretches, tuple(self._pairs))

    def _add(self, pair: Pair) -> None:
        if self._in_last < self._stretches:
            self._pairs[-1] = _joined(self._pairs[-1], pair)
            self._in_last += 1
            return
        if len(self._pairs) == MOST_PAIRS:
            self._pairs = list(map(_joined, self._pairs[::2], self._pairs[1::2]))
            self._stretches *= 2
        self._pairs.append(pair)
        self._in_last = 1


def _joined(one: Pair, other: Pair) -> Pair:
    return min(one[0], other[0]), max(one[1], other[1])


def _level(text: str) -> int:
    """-1.0..1.0 as a signed byte. Real files hold floats beyond that, and what is no number."""
    return max(-128, min(127, round(_number(text, 0.0) * 128)))


def _number(text: str, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise


# -- writing -----------------------------------------------------------------------------------


def save_numbers(waveform: Waveform, path: Path) -> None:
    """As JSON in version 2 of audiowaveform's data format, which players read."""
    data = {
        "version": 2,
        "channels": 1,
        "sample_rate": waveform.sample_rate,
        "samples_per_pixel": waveform.samples_per_pair,
        "bits": 8,
        "length": len(waveform.pairs),
        "data": [level for pair in waveform.pairs for level in pair],
    }
    path.write_text(json.dumps(data, separators=(",", ":")))


def save_picture(waveform: Waveform, recipe: Recipe, path: Path) -> None:
    """In one colour on a clear ground, `recipe.width` × `recipe.height`."""
    prepare()
    with reading():
        pixels = _drawn(waveform, recipe.width, recipe.height or recipe.width)
        picture: Any = pyvips.Image.new_from_array(pixels, interpretation="srgb")
        if recipe.format == "webp":
            picture.webpsave(str(path), lossless=True, effort=recipe.effort, keep="none")
        else:
            picture.pngsave(str(path), keep="none")


def _drawn(waveform: Waveform, width: int, height: int) -> npt.NDArray[np.uint8]:
    """RGBA rows; a pixel is as opaque as much of it the wave covers."""
    levels = np.array(waveform.pairs, dtype=np.float64).reshape(-1, 2)
    starts = np.arange(width) * len(levels) // width  # of each column's pairs
    bottom = _depth(np.minimum.reduceat(levels[:, 0], starts), height)
    top = _depth(np.maximum.reduceat(levels[:, 1], starts), height)
    missing = np.maximum(_THINNEST - (bottom - top), 0) / 2
    rows = np.arange(height)[:, np.newaxis]
    covered = np.minimum(bottom + missing, rows + 1) - np.maximum(top - missing, rows)
    pixels = np.empty((height, width, 4), dtype=np.uint8)
    pixels[..., :3] = _COLOR
    pixels[..., 3] = np.rint(np.clip(covered, 0, 1) * 255)
    return pixels


def _depth(levels: npt.NDArray[np.float64], height: int) -> npt.NDArray[np.float64]:
    """Pixels below the upper edge."""
    return (1 - levels / 128) / 2 * height
