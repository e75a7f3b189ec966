"""Copies of a picture are alike, other pictures are not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from apps.media.processing.likeness import ALIKE, BITS, distance, likeness
from apps.media.processing.types import Recipe
from apps.media.tests import samples
from apps.media.tests.processing.conftest import Render

PHOTO = samples.photo(480, 360)


def of(image: Image.Image) -> str:
    """As `renditions` asks for it: of at most 100 pixels along the longer side."""
    small = image.convert("RGBA")
    small.thumbnail((100, 100))
    return likeness(np.asarray(small))


def _compressed(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=25)
    return Image.open(buffer)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half as large": lambda image: image.resize((240, 180)),
    "tiny": lambda image: image.resize((40, 30)),
    "another shape": lambda image: image.resize((480, 300)),
    "compressed": _compressed,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "grey": lambda image: image.convert("L"),
    "cut a little": lambda image: image.crop((5, 5, 475, 355)),
}


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES.keys())
def test_copies_are_alike(change: Callable[[Image.Image], Image.Image]) -> None:
    assert distance(of(PHOTO), of(change(PHOTO))) <= ALIKE


def test_other_pictures_are_not() -> None:
    seen = [of(samples.photo(240, 180, seed=seed)) for seed in range(1, 9)]
    apart = [distance(one, other) for at, one in enumerate(seen) for other in seen[:at]]
    assert min(apart) > ALIKE


def test_distance_counts_bits() -> None:
    assert distance("0000000000000000", "ffffffffffffffff") == BITS
    assert distance("00000000000000f0", "0000000000000070") == 1
    assert distance(of(PHOTO), of(PHOTO)) == 0


@pytest.mark.parametrize("color", ["white", "black", (0, 0, 0, 0)])
def test_one_colour_is_like_nothing(color: str | tuple[int, ...]) -> None:
    assert of(Image.new("RGBA", (64, 48), color)) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2)])
def test_odd_shapes_have_one_of_the_right_form(size: tuple[int, int]) -> None:
    assert len(of(samples.photo(*size))) in {0, 16}


def test_what_is_clear_is_white() -> None:
    """Invisible colours do not count."""
    shape = Image.new("L", PHOTO.size)
    shape.paste(255, (100, 50, 300, 200))
    on_red, on_blue = Image.new("RGB", PHOTO.size, "red"), Image.new("RGB", PHOTO.size, "blue")
    for image in (on_red, on_blue):
        image.paste(PHOTO, mask=shape)
        image.putalpha(shape)
    assert distance(of(on_red), of(on_blue)) <= 2


def test_rendering_gives_it(render: Render) -> None:
    rendered = render(samples.photo_jpeg(480, 360), "image/jpeg", (Recipe("w100.webp", 100),))
    assert distance(rendered.likeness, of(PHOTO)) <= ALIKE
