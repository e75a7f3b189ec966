"""Draws pictures that look and compress like photographs, quickly.

Detail on every scale is what makes a photograph hard to encode: large shapes are drawn small and
scaled up, fine grain is added at full size.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.float32]
GRAIN_TILE = 512
BASE_WIDTH = 1000


def landscape(width: int, height: int, *, seed: int) -> Image.Image:
    """Return an RGB picture of sky, hills and water, `width` x `height` pixels."""
    rng = np.random.default_rng(seed)
    base_height = round(BASE_WIDTH * height / width)
    base = paint(BASE_WIDTH, base_height, rng)
    large = Image.fromarray(base).resize((width, height), Image.Resampling.BICUBIC)
    return add_grain(large, rng)


def paint(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture without its grain: (height, width, 3), 0 to 255."""
    picture = sky(width, height, rng)
    horizon = round(height * 0.62)
    for depth in range(4):
        paint_ridge(picture, horizon=horizon, depth=depth, rng=rng)
    paint_water(picture, horizon=horizon, rng=rng)
    clipped: NDArray[np.uint8] = np.clip(picture * 255, 0, 255).astype(np.uint8)
    return clipped


def sky(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Return an evening sky with clouds and a low sun, values from 0 to 1."""
    top = np.array([0.15, 0.25, 0.50]) + rng.uniform(-0.08, 0.12, 3)
    bottom = np.array([1.0, 0.72, 0.5])
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    clouds = octaves(width, height, rng)[:, :, None]
    picture = top * (1 - fall) + bottom * fall + 0.35 * clouds**2 * (1 - 0.5 * fall)
    x, y = rng.uniform(0.2, 0.8) * width, height * 0.45
    rows, columns = np.ogrid[:height, :width]
    distance = np.hypot(columns - x, rows - y) / height
    glow = np.exp(-distance * 7)[:, :, None] * np.array([1.0, 0.85, 0.55])
    result: Pixels = (picture + glow).astype(np.float32)
    return result


def octaves(width: int, height: int, rng: np.random.Generator) -> Pixels:
    """Return noise with detail on six scales, values from 0 to 1."""
    total = np.zeros((height, width), np.float32)
    for level in range(6):
        cells = 2 ** (level + 2)
        coarse = rng.random((cells, cells), np.float32)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(smooth) / 2 ** (level + 1)
    return total


def paint_ridge(picture: Pixels, *, horizon: int, depth: int, rng: np.random.Generator) -> None:
    """Draw one row of hills; a greater `depth` is nearer, darker and lower."""
    height, width = picture.shape[:2]
    steps = np.cumsum(rng.normal(0, 1, width // 4))
    profile = np.interp(np.linspace(0, 1, width), np.linspace(0, 1, steps.size), steps)
    relief = (profile - profile.min()) / (np.ptp(profile) + 1e-6)
    crest = horizon - relief * height * (0.30 - 0.06 * depth)
    inside = (np.arange(height)[:, None] > crest[None, :]) & (np.arange(height)[:, None] <= horizon)
    light = np.array([0.42, 0.40, 0.52]) * (1 - 0.22 * depth)
    texture = 0.75 + 0.5 * octaves(width, height, rng)[:, :, None]
    picture[inside] = (light * texture)[inside]


def paint_water(picture: Pixels, *, horizon: int, rng: np.random.Generator) -> None:
    """Mirror what is above the horizon, broken by waves."""
    height, width = picture.shape[:2]
    rows = np.arange(horizon + 1, height)
    waves = rng.normal(0, 1, (rows.size, 1)) * np.linspace(1, 6, rows.size)[:, None]
    mirrored = np.clip(2 * horizon - rows, 0, horizon - 1)
    columns = (np.arange(width)[None, :] + waves).astype(int) % width
    ripples = 0.7 + 0.25 * octaves(width, height, rng)[rows, :, None]
    picture[rows] = picture[mirrored[:, None], columns] * ripples * np.array([0.8, 0.9, 1.0])


def add_grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return `image` with the noise of a sensor, one tile of it repeated."""
    pixels = np.asarray(image).astype(np.int16)
    height, width = pixels.shape[:2]
    tile = rng.normal(0, 6, (GRAIN_TILE, GRAIN_TILE)).astype(np.int16)
    repeats = (math.ceil(height / GRAIN_TILE), math.ceil(width / GRAIN_TILE))
    pixels += np.tile(tile, repeats)[:height, :width, None]
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def drawing(width: int, height: int) -> Image.Image:
    """Return an RGBA poster: flat discs and a line of text on a transparent ground."""
    rng = np.random.default_rng(5)
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    canvas = ImageDraw.Draw(image, "RGBA")
    for _ in range(60):
        x, y, radius = rng.integers((0, 0, 30), (width, height, 220))
        colour = (*(int(c) for c in rng.integers(40, 255, 3)), 200)
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    font = ImageFont.load_default(size=height // 6)
    canvas.text((width // 2, height // 2), "open water", "white", font, "mm", stroke_width=0)
    return image


def animation(width: int, height: int, *, frames: int) -> list[Image.Image]:
    """Return the frames of a disc that rises and sets over moving bars."""
    return [moment(width, height, turn=2 * math.pi * n / frames) for n in range(frames)]


def moment(width: int, height: int, *, turn: float) -> Image.Image:
    """Return one frame; `turn` is its angle in radians."""
    image = Image.new("RGB", (width, height), (24, 44, 84))
    canvas = ImageDraw.Draw(image)
    x, y = width * (0.5 + 0.3 * math.cos(turn)), height * (0.5 - 0.3 * math.sin(turn))
    canvas.ellipse((x - 40, y - 40, x + 40, y + 40), fill=(250, 190, 90))
    for bar in range(12):
        shift = 14 * math.sin(turn + bar / 2)
        top = height * 0.6 + bar * height / 30 + shift
        canvas.rectangle((0, top, width, top + 5), fill=(40, 120 + 8 * bar, 170))
    return image
