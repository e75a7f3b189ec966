"""Which renditions are made of what: the default recipes, as data, and the choice among them.

Every browser in use reads WebP, so pages get five widths of it; JPEG at two widths is for e-mail,
previews in other programs and old readers. The numbers come from `make bench`: at these qualities
WebP is at every width at least as similar to the original as JPEG 80 on its generated photograph
and on five of seven real ones. The set costs less CPU than ten files at quality 80, and fewer bytes
on all but two of the eight. Smooth pictures ask for the most quality: a sky stayed 0.002 below at
1920 pixels, another photograph up to 0.002 below from 960 on. Effort 1 takes 5 % off smooth
pictures for a fifth more CPU than 0; effort 2 as much again, but adds bytes to noisy ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, cast, get_args

from apps.media.processing.crops import STEPS, Crop, split_name
from apps.media.processing.engines import engine_for
from apps.media.processing.types import Facts, Fit, Format, Recipe, When

# Width in pixels → WebP quality. Above 88 libwebp changes its ways: 89 often makes fewer bytes.
WIDTHS: Mapping[int, int] = MappingProxyType({320: 85, 640: 89, 960: 91, 1280: 90, 1920: 91})
FALLBACK_WIDTHS = (640, 1280)  # pixels, of JPEG
FALLBACK_QUALITY = 81
THUMBNAIL = Recipe("thumb.webp", 400, 400, fit="cover", quality=85, effort=1)


def _webp(width: int) -> Recipe:
    return Recipe(f"w{width}.webp", width, quality=WIDTHS[width], effort=1)


def _jpeg(width: int, name: str) -> Recipe:
    return Recipe(name, width, format="jpeg", quality=FALLBACK_QUALITY, effort=1)


DEFAULT_IMAGE_RECIPES: tuple[Recipe, ...] = (
    *(_webp(width) for width in WIDTHS),
    *(_jpeg(width, f"w{width}.jpg") for width in FALLBACK_WIDTHS),
    THUMBNAIL,
)
# At this quality as similar to the original as our WebP with a fifth fewer bytes, for a third more
# work at effort 0; effort 1 costs twice that for 3 % (measured). For those who ask.
ASKED_IMAGE_RECIPES: tuple[Recipe, ...] = (
    *(
        Recipe(f"w{width}.avif", width, format="avif", quality=78, effort=0, when="asked")
        for width in WIDTHS
    ),
    Recipe("w2560.webp", 2560, quality=88, effort=1, when="asked"),
)
# Effort 0: an animation is many pictures, and higher efforts cost seconds for few bytes.
DEFAULT_ANIMATION_RECIPES: tuple[Recipe, ...] = (
    Recipe("animated.webp", 640, quality=70, effort=0, animated=True),
)
DEFAULT_PAGE_RECIPES: tuple[Recipe, ...] = (
    _jpeg(1280, "preview.pdf.jpg"),
    _webp(640),
    THUMBNAIL,
)
TEXT = Recipe("text.txt", format="txt", product="text")
DEFAULT_FILM_RECIPES: tuple[Recipe, ...] = (
    _jpeg(1280, "poster.jpg"),
    _webp(320),
    _webp(640),
    _webp(1280),
    THUMBNAIL,
    Recipe("storyboard.jpg", 160, format="jpeg", quality=70, product="storyboard", when="later"),
    Recipe("storyboard.vtt", 160, format="vtt", product="storyboard", when="later"),
    Recipe("preview.mp4", 320, format="mp4", product="clip", when="later"),
)
DEFAULT_SOUND_RECIPES: tuple[Recipe, ...] = (
    Recipe("audio.m4a", format="m4a", product="sound", when="later"),
    Recipe("audio.opus", format="opus", product="sound", when="later"),
    Recipe("waveform.json", format="json", product="peaks", when="later"),
    Recipe("waveform.png", 1200, 200, format="png", product="waveform", when="later"),
)
DEFAULT_COVER_RECIPES: tuple[Recipe, ...] = (_jpeg(1280, "cover.jpg"), _webp(640), THUMBNAIL)
DEFAULT_READING_RECIPES: tuple[Recipe, ...] = (
    Recipe("preview.html", format="html", product="reading"),
    TEXT,
)
PAPER = Recipe("preview.pdf", format="pdf", product="paper")
CHAPTERS = Recipe("chapters.vtt", format="vtt", product="chapters")
CLEAN = Recipe("clean", format="same", product="clean")

_PAGE_NAME = re.compile(r"page-([1-9][0-9]{0,5})\.(jpg|webp)")
PAGE_WIDTH = 1280  # pixels


# What other apps show files by: made when a use asks for it, of all of the picture or of a crop.
USE_RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe("square.webp", 512, 512, fit="cover", quality=85, effort=1, when="asked"),
            Recipe("banner.webp", 1500, 500, fit="cover", quality=85, effort=1, when="asked"),
            Recipe("part.webp", 1280, quality=WIDTHS[1280], effort=1, when="asked"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class RecipeSet:
    """The recipes of an installation, by what they are for."""

    images: tuple[Recipe, ...] = (*DEFAULT_IMAGE_RECIPES, *ASKED_IMAGE_RECIPES)
    animations: tuple[Recipe, ...] = DEFAULT_ANIMATION_RECIPES
    pages: tuple[Recipe, ...] = DEFAULT_PAGE_RECIPES
    films: tuple[Recipe, ...] = DEFAULT_FILM_RECIPES
    sounds: tuple[Recipe, ...] = DEFAULT_SOUND_RECIPES
    covers: tuple[Recipe, ...] = DEFAULT_COVER_RECIPES
    readings: tuple[Recipe, ...] = DEFAULT_READING_RECIPES


DEFAULT_RECIPES = RecipeSet()


def recipes_for(
    mime: str, facts: Facts, recipe_set: RecipeSet = DEFAULT_RECIPES
) -> tuple[Recipe, ...]:
    """The recipes to make of a file of type `mime` without being asked, in order.

    An image gets no rendition wider than itself, except that the smallest `inside` recipe of each
    format is always made (at the image's own width when that is less), so that every picture has
    at least one rendition per format. Crops are always made. Pages of a document have no width of
    their own: all document recipes are made.
    """
    return tuple(recipe for recipe in _possible(mime, facts, recipe_set) if recipe.when != "asked")


def recipe_named(
    name: str, mime: str, facts: Facts, recipe_set: RecipeSet = DEFAULT_RECIPES
) -> Recipe | None:
    """The recipe of that name for such a file, made without being asked or not; else None."""
    found = (recipe for recipe in _possible(mime, facts, recipe_set) if recipe.name == name)
    return next(found, None) or _page_named(name, facts) or _use_named(name, mime)


def _possible(mime: str, facts: Facts, recipe_set: RecipeSet) -> tuple[Recipe, ...]:
    made = engine_for(mime)
    if made is None:
        return ()
    clean: tuple[Recipe, ...] = (CLEAN,) if facts.metadata.get("has_position") else ()
    if facts.duration and made in {"video", "audio"}:
        clean = _later(clean)  # a copy of all of it
    chapters = (CHAPTERS,) if facts.chapters else ()
    return (*_products(made, facts, recipe_set), *chapters, *clean)


def _products(engine: str, facts: Facts, recipe_set: RecipeSet) -> tuple[Recipe, ...]:
    if engine == "office":
        return _later((PAPER, *recipe_set.pages, TEXT))
    if engine == "pdf":
        return (*recipe_set.pages, *_later((TEXT,) if facts.metadata.get("has_text") else ()))
    if engine == "readings":
        return recipe_set.readings
    if engine in {"video", "audio"}:
        return _of_a_recording(facts, recipe_set)
    moving = recipe_set.animations if facts.animated else ()
    return (*_not_enlarging(recipe_set.images, facts.width), *moving)


def _of_a_recording(facts: Facts, recipe_set: RecipeSet) -> tuple[Recipe, ...]:
    if facts.video:
        return recipe_set.films
    covers = recipe_set.covers if facts.metadata.get("has_cover") else ()
    return (*covers, *recipe_set.sounds)


def _later(recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
    return tuple(replace(recipe, when="later") for recipe in recipes)


def _use_named(name: str, mime: str) -> Recipe | None:
    """What a use shows a picture by: `square.webp`, `banner@0000-0250-1000-0333.webp`."""
    plain, crop = split_name(name)
    made = USE_RECIPES.get(plain)
    if made is None or not mime.startswith("image/") or engine_for(mime) is None:
        return None
    if crop is None:
        return made
    parts = tuple(round(part * STEPS) for part in astuple(crop))
    return replace(made, name=name, crop=cast("tuple[int, int, int, int]", parts))


def is_for_uses(name: str) -> bool:
    """Whether a rendition of that name is one that only uses ask for."""
    return split_name(name)[0] in USE_RECIPES


def shows_all(name: str, crop: Crop | None) -> bool:
    """Whether a use by the recipe `name` shows all of a picture in its own shape, as the renditions
    do that every picture has."""
    recipe = USE_RECIPES.get(name)
    return crop is None and recipe is not None and recipe.fit == "inside"


def _page_named(name: str, facts: Facts) -> Recipe | None:
    """One page of a document as a picture: `page-12.jpg`, `page-12.webp`."""
    match = _PAGE_NAME.fullmatch(name)
    if match is None or int(match[1]) > facts.pages:
        return None
    made = _jpeg(PAGE_WIDTH, name) if match[2] == "jpg" else replace(_webp(PAGE_WIDTH), name=name)
    return replace(made, product="page", page=int(match[1]), when="asked")


def _not_enlarging(recipes: Iterable[Recipe], width: int) -> tuple[Recipe, ...]:
    recipes = tuple(recipes)
    smallest = _smallest_widths(recipes)
    return tuple(
        recipe
        for recipe in recipes
        if recipe.fit == "cover" or recipe.width <= max(width, smallest[recipe.format])
    )


def _smallest_widths(recipes: Iterable[Recipe]) -> dict[Format, int]:
    widths: dict[Format, int] = {}
    for recipe in recipes:
        if recipe.fit == "inside":
            widths[recipe.format] = min(recipe.width, widths.get(recipe.format, recipe.width))
    return widths


def recipe_from_dict(data: Mapping[str, Any]) -> Recipe:
    """A recipe out of settings. Raises `ValueError` that names the unknown or impossible part."""
    unknown = set(data) - {field.name for field in fields(Recipe)}
    if unknown:
        raise ValueError(f"unknown recipe keys: {', '.join(sorted(unknown))}")
    try:
        recipe = Recipe(**data)
    except TypeError as error:
        raise ValueError(f"recipe {dict(data)!r}: {error}") from error
    _check(recipe)
    return recipe


MAX_AVIF = 2_560  # pixels: wider ones take seconds each
# A name becomes a file name in the working directory and the last part of a URL.
PICTURE_FORMATS = frozenset({"webp", "jpeg", "png", "avif"})
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")


def _check(recipe: Recipe) -> None:
    problems = {
        "name": not recipe.name or recipe.name[0] == "." or set(recipe.name) - _NAME_CHARACTERS,
        "width": not _in_range(recipe.width, 1, MAX_AVIF if recipe.format == "avif" else 16_383),
        "height": recipe.height is not None and not _in_range(recipe.height, 1, 16_383),
        "fit": recipe.fit not in get_args(Fit),
        "format": recipe.format not in PICTURE_FORMATS,
        "product": recipe.product != "picture",
        "when": recipe.when not in get_args(When),
        "quality": not _in_range(recipe.quality, 1, 100),
        "effort": not _in_range(recipe.effort, 0, 2 if recipe.format == "avif" else 6),
        "animated": recipe.animated not in {True, False}
        or (recipe.animated and (recipe.format != "webp" or recipe.fit != "inside")),
    }
    wrong = [key for key, bad in problems.items() if bad]
    if wrong:
        raise ValueError(f"recipe {recipe.name!r}: impossible {', '.join(wrong)}")


def _in_range(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and low <= value <= high
