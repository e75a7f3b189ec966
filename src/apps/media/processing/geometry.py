"""Sizes and crops as pure arithmetic. Knows recipes and numbers; never touches pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from apps.media.processing.types import Focal, Format, Recipe

# The largest side that each format can write (WebP: RFC 9649 §2.7; JPEG: T.81 B.2.2 allows
# 65535, libjpeg stops at 65500).
MAX_SIDE: dict[Format, int] = {"webp": 16_383, "jpeg": 65_500, "png": 100_000, "avif": 16_384}


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, upright."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def turned(self) -> Size:
        return Size(self.height, self.width)

    def within(self, width: int, height: int) -> Size:
        """The largest size of this shape that fits; never larger than this one, never empty."""
        scale = min(Fraction(width, self.width), Fraction(height, self.height), Fraction(1))
        return Size(max(1, round(self.width * scale)), max(1, round(self.height * scale)))

    def covering(self, width: int, height: int) -> Size:
        """The smallest size of this shape that covers the box; never larger than this one."""
        scale = max(Fraction(width, self.width), Fraction(height, self.height))
        if scale >= 1:
            return self
        return Size(max(width, round(self.width * scale)), max(height, round(self.height * scale)))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle inside an image, in pixels."""

    left: int
    top: int
    width: int
    height: int


def target_size(source: Size, recipe: Recipe) -> Size:
    """The size that `recipe` gives `source`: for `cover` the size of the crop."""
    if recipe.fit == "cover":
        return _cropped(source, recipe)
    side = MAX_SIDE[recipe.format]
    part = part_size(source, recipe)
    return part.within(min(recipe.width, side), min(recipe.height or side, side))


def _cropped(source: Size, recipe: Recipe) -> Size:
    """The recipe's shape, made smaller where the source is, so that nothing is enlarged."""
    source = part_size(source, recipe)
    return Size(recipe.width, recipe.height or recipe.width).within(source.width, source.height)


def decoding_size(source: Size, recipes: Iterable[Recipe]) -> Size:
    """The smallest size of the whole picture that every recipe can be made from."""
    needed = [_needed(source, recipe) for recipe in recipes]
    return max(needed, key=lambda size: size.pixels, default=source.within(1, 1))


def _needed(source: Size, recipe: Recipe) -> Size:
    size = target_size(source, recipe)
    if recipe.crop is None:
        return source.covering(size.width, size.height) if recipe.fit == "cover" else size
    part = part_size(source, recipe)
    shown = part.covering(size.width, size.height)
    scale = max(Fraction(shown.width, part.width), Fraction(shown.height, part.height))
    return Size(max(1, round(source.width * scale)), max(1, round(source.height * scale)))


def part_size(source: Size, recipe: Recipe) -> Size:
    """The size of what `recipe` shows of a picture of the size `source`."""
    box = part_box(source, recipe)
    return Size(box.width, box.height)


def part_box(source: Size, recipe: Recipe) -> Box:
    """The part of a picture of the size `source` that `recipe` shows; all of it without a crop."""
    if recipe.crop is None:
        return Box(0, 0, source.width, source.height)
    left, top, width, height = (Fraction(part, 1000) for part in recipe.crop)
    x, y = round(source.width * left), round(source.height * top)
    x, y = min(x, source.width - 1), min(y, source.height - 1)
    return Box(
        x,
        y,
        min(max(1, round(source.width * width)), source.width - x),
        min(max(1, round(source.height * height)), source.height - y),
    )


def crop_box(covered: Size, crop: Size, focal: Focal) -> Box:
    """Where to cut `crop` out of `covered` so that the focal point is as central as can be."""
    return Box(
        _offset(covered.width, crop.width, focal[0]),
        _offset(covered.height, crop.height, focal[1]),
        crop.width,
        crop.height,
    )


def _offset(whole: int, part: int, centre: float) -> int:
    return min(max(round(whole * centre - part / 2), 0), whole - part)
