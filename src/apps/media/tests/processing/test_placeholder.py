from __future__ import annotations

import base64
import math

import numpy as np
import pytest

from apps.media.processing.placeholder import dominant_color, thumbhash
from apps.media.tests import samples


def rgba(width: int, height: int, *, alpha: int = 255) -> np.ndarray:
    image = samples.photo(width, height).convert("RGBA")
    image.putalpha(alpha)
    return np.asarray(image)


def decoded_average(encoded: str) -> tuple[float, float, float]:
    """The average colour that the published decoder takes from the header."""
    header = int.from_bytes(base64.b64decode(encoded)[:3], "little")
    light, p, q = (header & 63) / 63, (header >> 6 & 63) / 31.5 - 1, (header >> 12 & 63) / 31.5 - 1
    blue = light - 2 / 3 * p
    red = (3 * light - blue + q) / 2
    return red, red - q, blue


def term_by_term(channel: np.ndarray, column: int, row: int) -> float:
    """One cosine term as the format's description writes it."""
    height, width = channel.shape
    total = sum(
        channel[y, x]
        * math.cos(math.pi / width * column * (x + 0.5))
        * math.cos(math.pi / height * row * (y + 0.5))
        for y in range(height)
        for x in range(width)
    )
    return float(total) / channel.size


@pytest.mark.parametrize(
    ("width", "height", "alpha", "length"),
    [(100, 75, 255, 21), (75, 100, 255, 21), (100, 100, 255, 24), (100, 75, 90, 24)],
)
def test_length_and_orientation(width: int, height: int, alpha: int, length: int) -> None:
    value = base64.b64decode(thumbhash(rgba(width, height, alpha=alpha)))
    assert abs(len(value) - length) <= 1
    assert bool(value[4] & 0x80) == (width > height)
    assert bool(value[2] & 0x80) == (alpha < 255)


def test_the_average_colour_survives() -> None:
    pixels = rgba(60, 40)
    expected = pixels[..., :3].mean(axis=(0, 1)) / 255
    assert decoded_average(thumbhash(pixels)) == pytest.approx(expected, abs=0.04)


def test_the_first_wave_is_the_formats_own() -> None:
    pixels = rgba(30, 20)
    light = pixels[..., :3].astype(float).sum(axis=2) / 3 / 255
    value = base64.b64decode(thumbhash(pixels))
    scale = (int.from_bytes(value[:3], "little") >> 18 & 31) / 31
    first = ((value[5] & 15) / 7.5 - 1) * scale
    assert first == pytest.approx(term_by_term(light, 1, 0), abs=scale / 10 + 0.02)


@pytest.mark.parametrize("color", [(0, 0, 0, 255), (255, 255, 255, 255), (9, 9, 9, 0)])
def test_flat_and_clear_pictures(color: tuple[int, int, int, int]) -> None:
    flat = np.full((3, 7, 4), color, dtype=np.uint8)
    assert base64.b64decode(thumbhash(flat))


def test_dominant_color_is_the_most_common_not_the_mean() -> None:
    pixels = np.zeros((10, 10, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    pixels[:7] = (250, 10, 10, 255)
    assert dominant_color(pixels) == "#fa0a0a"


def test_clear_pixels_have_no_colour() -> None:
    assert dominant_color(np.zeros((4, 4, 4), dtype=np.uint8)) == "#ffffff"
