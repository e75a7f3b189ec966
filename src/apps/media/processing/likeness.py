"""How alike two pictures are to the eye: 64 bits that survive resizing and recompression.

The signs of the lowest frequencies of a small grey picture (a perceptual hash by cosine transform,
Zauner 2010). Arithmetic only; knows no decoder and no file.
"""

from __future__ import annotations

from statistics import median

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

BITS = 64
ALIKE = 10  # bits; copies of one picture differ in fewer, different pictures in some 32

_SIDE = 32  # of the grey picture that is transformed
_KEPT = 8  # frequencies along each side
_LEAST_CONTRAST = 1.0  # of 255: below it there is nothing but noise to compare
_LUMA = (0.299, 0.587, 0.114)  # Rec. 601, as JPEG


def likeness(pixels: Pixels) -> str:
    """Sixteen hex digits for `pixels`, which are (height, width, 4) RGBA and seen on white.

    Empty for a picture of one colour, which would be like every other one.
    """
    grey = _squared(_grey(pixels))
    if float(grey.std()) < _LEAST_CONTRAST:
        return ""
    cosines = _cosines()
    waves = (cosines @ grey @ cosines.T).ravel()
    waves[0] = 0  # how bright the whole is does not matter
    bits = waves > median(waves[1:])  # numpy's imports much, and that in each child anew
    return np.packbits(bits).tobytes().hex()


def distance(one: str, other: str) -> int:
    """In how many of the 64 bits two likenesses differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _grey(pixels: Pixels) -> Floats:
    rgba = pixels.astype(np.float64)
    alpha = rgba[..., 3:] / 255
    return np.asarray((rgba[..., :3] * alpha + 255 * (1 - alpha)) @ np.array(_LUMA))


def _squared(grey: Floats) -> Floats:
    """The picture as a small square, each of its pixels the mean of those it covers."""
    height, width = grey.shape
    return _means(height) @ grey @ _means(width).T


def _means(length: int) -> Floats:
    """The share of each of `length` pixels in each of `_SIDE` equal stretches."""
    edges = np.linspace(0, length, _SIDE + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    at = np.arange(length)
    covered = np.clip(np.minimum(ends, at + 1) - np.maximum(starts, at), 0, None)
    return np.asarray(covered * _SIDE / length)


def _cosines() -> Floats:
    positions = (np.arange(_SIDE) + 0.5) * np.pi / _SIDE
    return np.cos(np.arange(_KEPT)[:, None] * positions)
