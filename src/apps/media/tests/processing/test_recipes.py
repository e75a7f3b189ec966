from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.media.processing.engines import ENGINES, engine_for
from apps.media.processing.recipes import (
    DEFAULT_RECIPES,
    RecipeSet,
    recipe_from_dict,
    recipes_for,
)
from apps.media.processing.types import Facts, Recipe


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


def test_other_types_get_nothing() -> None:
    assert names("text/plain", Facts(1, 1)) == []
    assert engine_for("text/plain") is None
    assert engine_for("image/svg+xml") is None


def test_every_default_recipe_passes_its_own_check() -> None:
    for recipe in (
        *DEFAULT_RECIPES.images, *DEFAULT_RECIPES.animations, *DEFAULT_RECIPES.documents,
    ):  # fmt: skip
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
    assert set(ENGINES.values()) == {"images", "bitmaps", "heif", "pdf"}
