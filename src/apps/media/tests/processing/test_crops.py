"""A crop is the same value in the database, in a name and in what programs send."""

from __future__ import annotations

from typing import Any

import pytest

from apps.media.processing.crops import (
    Crop,
    crop_from,
    crop_from_text,
    cropped_name,
    split_name,
)


def test_a_crop_reads_as_it_was_written() -> None:
    crop = Crop(0.1, 0.2, 0.5, 0.25)
    assert str(crop) == "0100-0200-0500-0250"
    assert crop_from_text(str(crop)) == crop
    assert crop_from(crop.as_dict()) == crop


def test_what_differs_by_less_than_a_thousandth_is_the_same_crop() -> None:
    assert Crop(0.10004, 0.2, 0.5, 0.5) == Crop(0.1, 0.2, 0.5, 0.5)


def test_rounding_never_leads_outside() -> None:
    crop = Crop(0.3336, 0.6667, 0.6664, 0.3334)
    assert crop.left + crop.width <= 1
    assert crop.top + crop.height <= 1


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_no_crop(nothing: Any) -> None:
    assert crop_from(nothing) is None


@pytest.mark.parametrize(
    "value",
    [
        {"left": 0, "top": 0, "width": 0, "height": 1},
        {"left": 0.6, "top": 0, "width": 0.6, "height": 1},
        {"left": -0.1, "top": 0, "width": 0.6, "height": 1},
        {"left": 0, "top": 0, "width": 0.0001, "height": 1},
        {"left": 1, "top": 0, "width": 0.001, "height": 1},
        {"left": 0, "top": 0, "width": float("nan"), "height": 1},
        {"left": 0, "top": 0, "width": float("inf"), "height": 1},
        {"left": 0, "top": 0, "width": "wide", "height": 1},
        {"left": 0, "top": 0, "width": 1},
        {"left": 0, "top": 0, "width": 1, "height": 1, "angle": 3},
        "0100-0200-0500",
        "../etc/passwd",
        "0000-0000-0000-1000",
        [0, 0, 1, 1],
        7,
    ],
)
def test_what_is_no_crop_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="crop"):
        crop_from(value)


def test_a_name_carries_its_crop() -> None:
    crop = Crop(0.1, 0.2, 0.5, 0.25)
    name = cropped_name("square.webp", crop)
    assert name == "square@0100-0200-0500-0250.webp"
    assert split_name(name) == ("square.webp", crop)
    assert cropped_name("square.webp", None) == "square.webp"


@pytest.mark.parametrize(
    "name",
    [
        "square.webp",
        "square@.webp",
        "square@0100-0200-0500-02500.webp",
        "square@0900-0200-0500-0250.webp",
        "square@0100-0200-0000-0250.webp",
        "square@a@0100-0200-0500-0250.webp",
    ],
)
def test_other_names_carry_none(name: str) -> None:
    assert split_name(name) == (name, None)
