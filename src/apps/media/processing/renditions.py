"""From one decoded picture in memory to every rendition file, the placeholder and the colour.

Shared by all engines that end in pixels. Writes only into the plan's directory, only under the
recipes' names, and never any metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.media.exceptions import CorruptFileError
from apps.media.processing import placeholder
from apps.media.processing.geometry import Size, crop_box, decoding_size, part_box, target_size
from apps.media.processing.libvips import pyvips, reading
from apps.media.processing.likeness import likeness
from apps.media.processing.types import Focal, Output, Plan, Progress, Recipe, Rendered

CENTRE: Focal = (0.5, 0.5)
_OWN_TABLES, _PROGRESSIVE = 1, 2  # efforts of JPEG

Source = Callable[[Size], pyvips.Image]
"""Gives the upright sRGB picture, in memory, at a size that is asked for."""
Animate = Callable[[Recipe, Path], Size]
"""Writes a moving rendition, for engines that can; returns the size of its frames."""


@dataclass(frozen=True, slots=True)
class Original:
    """The upright size of what was uploaded, and how to get its pixels."""

    size: Size
    decode: Source
    animate: Animate | None = None


def render_all(original: Original, plan: Plan, progress: Progress) -> Rendered:
    """Makes all recipes from one decode. Raises `CorruptFileError` and `EngineAwayError`."""
    with reading():
        stills = [recipe for recipe in plan.recipes if not _moves(recipe, original)]
        picture = original.decode(decoding_size(original.size, stills))
        steps = len(plan.recipes) + 1
        progress(1 / steps)
        outputs: dict[str, Output] = {}
        for output in _made(original, picture, plan):
            outputs[output.name] = output
            progress((len(outputs) + 1) / steps)
        small = _placeholder_pixels(picture)
        return Rendered(
            outputs=tuple(outputs[recipe.name] for recipe in plan.recipes),
            placeholder=placeholder.thumbhash(small),
            color=placeholder.dominant_color(small),
            likeness=likeness(small),
        )


def _moves(recipe: Recipe, original: Original) -> bool:
    return recipe.animated and original.animate is not None


def _made(original: Original, picture: pyvips.Image, plan: Plan) -> Iterable[Output]:
    """Outputs as they get finished; pictures of one size are scaled once for all formats.

    One after another: jobs are what runs in parallel, and two encoders on one core's hyperthreads
    cost a tenth more CPU for the set (measured).
    """
    for group in _grouped(original, plan.recipes):
        yield from _save_group(picture, group, plan)
    for recipe in plan.recipes:
        if original.animate and recipe.animated:
            path = plan.out_dir / recipe.name
            yield _output(recipe, path, original.animate(recipe, path))


@dataclass(frozen=True, slots=True)
class _Group:
    """Still recipes that show the same pixels."""

    size: Size
    covers: bool
    crop: tuple[int, int, int, int] | None
    recipes: tuple[Recipe, ...]


def _grouped(original: Original, recipes: Iterable[Recipe]) -> list[_Group]:
    """The smallest first: the thumbnail is what a person waits for."""
    found: dict[tuple[Size, bool, Any], list[Recipe]] = {}
    for recipe in recipes:
        if not _moves(recipe, original):
            key = (target_size(original.size, recipe), recipe.fit == "cover", recipe.crop)
            found.setdefault(key, []).append(recipe)
    groups = [_Group(*key, tuple(members)) for key, members in found.items()]
    return sorted(groups, key=lambda group: group.size.pixels)


def _save_group(picture: pyvips.Image, group: _Group, plan: Plan) -> Iterable[Output]:
    if group.crop is not None:
        scaled = _cropped(_part(picture, group.recipes[0]), group.size, CENTRE)
    elif group.covers:
        scaled = _cropped(picture, group.size, plan.focal)
    else:
        scaled = _scaled(picture, group.size)
    scaled = scaled.copy_memory()
    for recipe in group.recipes:
        yield _save(scaled, recipe, plan.out_dir / recipe.name)


def _scaled(picture: pyvips.Image, size: Size) -> pyvips.Image:
    if (picture.width, picture.height) == (size.width, size.height):
        return picture
    return picture.thumbnail_image(size.width, height=size.height, size="force", no_rotate=True)


def _part(picture: pyvips.Image, recipe: Recipe) -> pyvips.Image:
    box = part_box(Size(picture.width, picture.height), recipe)
    return picture.crop(box.left, box.top, box.width, box.height)


def _cropped(picture: pyvips.Image, size: Size, focal: Focal | None) -> pyvips.Image:
    """Around the focal point, or where libvips finds the most to look at."""
    covered = Size(picture.width, picture.height).covering(size.width, size.height)
    scaled = _scaled(picture, covered)
    if focal is None:
        return scaled.smartcrop(size.width, size.height, interesting="attention")
    box = crop_box(covered, size, focal)
    return scaled.crop(box.left, box.top, box.width, box.height)


def _save(picture: pyvips.Image, recipe: Recipe, path: Path) -> Output:
    if recipe.format == "webp":
        picture.webpsave(str(path), Q=recipe.quality, effort=recipe.effort, keep="none")
    elif recipe.format == "jpeg":
        on_white = picture.flatten(background=[255.0] * 3) if picture.hasalpha() else picture
        on_white.jpegsave(
            str(path),
            Q=recipe.quality,
            optimize_coding=recipe.effort >= _OWN_TABLES,
            interlace=recipe.effort >= _PROGRESSIVE,
            keep="none",
        )
    elif recipe.format == "avif":
        picture.heifsave(
            str(path),
            compression="av1",
            Q=recipe.quality,
            effort=recipe.effort,
            bitdepth=8,
            keep="none",
        )
    else:
        picture.pngsave(str(path), keep="none")
    return _output(recipe, path, Size(picture.width, picture.height))


def _output(recipe: Recipe, path: Path, size: Size) -> Output:
    return Output(
        name=recipe.name,
        path=path,
        mime_type=recipe.mime_type,
        width=size.width,
        height=size.height,
        size=path.stat().st_size,
    )


def _placeholder_pixels(picture: pyvips.Image) -> placeholder.Pixels:
    side = placeholder.MAX_SIDE
    small = _scaled(picture, Size(picture.width, picture.height).within(side, side))
    opaque = small if small.hasalpha() else small.addalpha()
    return np.asarray(opaque.numpy(), dtype=np.uint8)


def as_srgb(image: pyvips.Image) -> pyvips.Image:
    """Three or four 8-bit bands of sRGB, whatever the colours were; without any metadata."""
    if image.interpretation != "srgb" or image.format != "uchar":
        image = image.colourspace("srgb")
    if image.bands not in {3, 4}:
        raise CorruptFileError(f"{image.bands} bands after conversion")
    return image.cast("uchar")


def shrunk(image: pyvips.Image, size: Size) -> pyvips.Image:
    """`image` at exactly `size`, colours managed: an embedded profile is applied, then gone.

    Without a profile none is asked for: converting sRGB to sRGB costs half a second here.
    """
    managed = {"output_profile": "srgb"} if image.get_typeof("icc-profile-data") else {}
    scaled = image.thumbnail_image(
        size.width, height=size.height, size="force", no_rotate=True, **managed
    )
    return as_srgb(scaled)
