from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from apps.media.processing import recipes
from apps.media.processing.engines import ENGINES, SCANNER, STREAMER, engine_for
from apps.media.processing.recipes import (
    DEFAULT_RECIPES,
    RecipeSet,
    recipe_from_dict,
    recipe_named,
    recipes_for,
)
from apps.media.processing.types import AudioFacts, Facts, Recipe, VideoFacts, When


def names(mime: str, facts: Facts) -> list[str]:
    return [recipe.name for recipe in recipes_for(mime, facts)]


def test_a_large_image_gets_all_widths_and_two_to_fall_back_on() -> None:
    assert names("image/jpeg", Facts(6000, 4000)) == [
        "w320.webp", "w640.webp", "w960.webp", "w1280.webp", "w1920.webp",
        "w640.jpg", "w1280.jpg", "thumb.webp",
    ]  # fmt: skip


def test_nothing_wider_than_the_image() -> None:
    assert names("image/png", Facts(700, 500)) == [
        "w320.webp", "w640.webp", "w640.jpg", "thumb.webp",
    ]  # fmt: skip


def test_a_tiny_image_still_gets_one_of_each_format() -> None:
    assert names("image/png", Facts(16, 16)) == ["w320.webp", "w640.jpg", "thumb.webp"]


def test_animations_also_keep_moving() -> None:
    assert names("image/gif", Facts(100, 100, frames=2))[-1] == "animated.webp"
    assert "animated.webp" not in names("image/gif", Facts(100, 100))


def test_documents_get_a_preview_whatever_their_size() -> None:
    assert "preview.pdf.jpg" in names("application/pdf", Facts(100, 100, pages=3))


def test_films_get_stills_at_once_and_the_rest_later() -> None:
    picture = VideoFacts("h264", "High", "yuv420p", 640, 360, "30/1")
    made = recipes_for("video/mp4", Facts(640, 360, duration=9.0, video=picture))
    by_time = {when: {one.name for one in made if one.when == when} for when in get_args(When)}
    assert {"poster.jpg", "thumb.webp"} <= by_time["first"]
    assert by_time["later"] == {"storyboard.jpg", "storyboard.vtt", "preview.mp4"}
    assert not by_time["asked"]


def test_sound_gets_pictures_only_of_its_cover() -> None:
    sound = AudioFacts("mp3", 2, 44_100)
    assert "thumb.webp" not in names("audio/mpeg", Facts(0, 0, audio=sound))
    with_cover = Facts(0, 0, audio=sound, metadata={"has_cover": 1})
    assert {"cover.jpg", "thumb.webp", "audio.m4a"} <= set(names("audio/mpeg", with_cover))


def test_what_has_a_position_gets_a_clean_copy() -> None:
    facts = Facts(100, 100, metadata={"has_position": 1})
    assert "clean" in names("image/jpeg", facts)
    assert "clean" not in names("image/jpeg", Facts(100, 100))


def test_other_types_get_nothing() -> None:
    assert names("application/zip", Facts(0, 0)) == []
    assert engine_for("application/zip") is None


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("page-1.jpg", True), ("page-12.webp", True), ("page-13.jpg", False),
        ("page-0.jpg", False), ("page-01.jpg", False), ("page-1.png", False), ("text.txt", False),
    ],
)  # fmt: skip
def test_pages_are_made_when_asked_for(name: str, made: bool) -> None:
    assert bool(recipe_named(name, "application/pdf", Facts(100, 100, pages=12))) is made


def test_nothing_that_waits_to_be_asked_is_made_by_itself() -> None:
    assert recipe_named("w640.avif", "image/jpeg", Facts(6000, 4000)) is not None
    assert "w640.avif" not in names("image/jpeg", Facts(6000, 4000))


def test_every_picture_recipe_passes_its_own_check() -> None:
    for recipe in (*DEFAULT_RECIPES.images, *DEFAULT_RECIPES.animations, *DEFAULT_RECIPES.pages):
        data = {name: getattr(recipe, name) for name in Recipe.__slots__}
        assert recipe_from_dict(data) == recipe


def test_own_recipes_replace_the_defaults() -> None:
    own = RecipeSet(images=(Recipe("only.webp", 100),))
    assert recipes_for("image/png", Facts(50, 50), own) == own.images


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "a"},
        {"name": "../a.webp", "width": 10},
        {"name": ".webp", "width": 10},
        {"name": "A.webp", "width": 10},
        {"name": "a.webp", "width": 0},
        {"name": "a.webp", "width": "10"},
        {"name": "a.webp", "width": 10, "format": "svg"},
        {"name": "a.webp", "width": 10, "fit": "fill"},
        {"name": "a.webp", "width": 10, "quality": 101},
        {"name": "a.webp", "width": 10, "effort": 7},
        {"name": "a.jpg", "width": 10, "format": "jpeg", "animated": True},
        {"name": "a.avif", "width": 10, "format": "avif", "effort": 3},
        {"name": "a.avif", "width": 2561, "format": "avif"},
        {"name": "a.mp4", "width": 10, "format": "mp4"},
        {"name": "a.webp", "width": 10, "product": "sound"},
        {"name": "a.webp", "width": 10, "when": "never"},
        {"name": "a.webp", "width": 10, "colour": "red"},
    ],
)
def test_impossible_recipes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="recipe"):
        recipe_from_dict(wrong)


def test_the_fingerprint_changes_with_every_part() -> None:
    base = Recipe("a.webp", 100, 100)
    changes: list[dict[str, Any]] = [
        {"width": 101}, {"height": None}, {"fit": "cover"}, {"format": "png"},
        {"quality": 1}, {"effort": 6}, {"animated": True},
    ]  # fmt: skip
    prints = {replace(base, **change).fingerprint for change in changes} | {base.fingerprint}
    assert len(prints) == len(changes) + 1
    assert base.fingerprint == Recipe("a.webp", 100, 100).fingerprint
    assert len(base.fingerprint) == 12


def test_the_table_names_existing_engine_modules_only() -> None:
    folder = Path(recipes.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in {*ENGINES.values(), STREAMER, SCANNER})
