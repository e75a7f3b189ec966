from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.media.processing.geometry import Box, Size, crop_box, decoding_size, target_size
from apps.media.processing.types import Recipe

sides = st.integers(1, 20_000)


@pytest.mark.parametrize(
    ("source", "recipe", "expected"),
    [
        (Size(6000, 4000), Recipe("a", 1920), Size(1920, 1280)),
        (Size(500, 400), Recipe("a", 640), Size(500, 400)),
        (Size(4000, 6000), Recipe("a", 640, 640), Size(427, 640)),
        (Size(6000, 1), Recipe("a", 320), Size(320, 1)),
        (Size(100, 40_000), Recipe("a", 320), Size(41, 16_383)),
        (Size(6000, 4000), Recipe("a", 400, 400, fit="cover"), Size(400, 400)),
        (Size(300, 200), Recipe("a", 400, 400, fit="cover"), Size(200, 200)),
        (Size(300, 900), Recipe("a", 800, 400, fit="cover"), Size(300, 150)),
    ],
)
def test_target_size(source: Size, recipe: Recipe, expected: Size) -> None:
    assert target_size(source, recipe) == expected


@given(sides, sides, sides, st.sampled_from(["inside", "cover"]))
def test_nothing_is_ever_enlarged_or_empty(width: int, height: int, wanted: int, fit: str) -> None:
    recipe = Recipe("a", wanted, wanted if fit == "cover" else None, fit=fit)  # type: ignore[arg-type]
    size = target_size(Size(width, height), recipe)
    assert 1 <= size.width <= width
    assert 1 <= size.height <= height


@given(sides, sides, st.integers(1, 2000), st.integers(1, 2000))
def test_one_decode_is_enough_for_every_recipe(width: int, height: int, a: int, b: int) -> None:
    source = Size(width, height)
    recipes = [Recipe("a", a), Recipe("b", b, b, fit="cover"), Recipe("c", b, format="jpeg")]
    decoded = decoding_size(source, recipes)
    for recipe in recipes:
        size = target_size(source, recipe)
        assert size.width <= decoded.width
        assert size.height <= decoded.height


@pytest.mark.parametrize(
    ("crop", "width", "expected"),
    [
        ((0, 0, 500, 1000), 300, Size(300, 300)),
        ((250, 500, 500, 250), 300, Size(300, 75)),
        ((0, 0, 100, 100), 300, Size(120, 60)),  # nothing is enlarged
    ],
)
def test_a_part_keeps_its_shape(
    crop: tuple[int, int, int, int], width: int, expected: Size
) -> None:
    source, recipe = Size(1200, 600), Recipe("a", width, crop=crop)
    assert target_size(source, recipe) == expected
    decoded = decoding_size(source, [recipe])
    assert decoded.width * crop[2] >= expected.width * 1000


@pytest.mark.parametrize(
    ("focal", "expected"),
    [
        ((0.5, 0.5), Box(100, 0, 400, 400)),
        ((0.0, 0.0), Box(0, 0, 400, 400)),
        ((1.0, 1.0), Box(200, 0, 400, 400)),
        ((0.4, 0.9), Box(40, 0, 400, 400)),
    ],
)
def test_crop_box_keeps_the_focal_point_inside(focal: tuple[float, float], expected: Box) -> None:
    assert crop_box(Size(600, 400), Size(400, 400), focal) == expected
