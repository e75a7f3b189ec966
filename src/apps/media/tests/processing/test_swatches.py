"""Which of the dozen colours a colour is."""

from __future__ import annotations

import pytest

from apps.media.processing.swatches import SWATCHES, swatch_of


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ("", ""),
        ("#000000", "black"),
        ("#ffffff", "white"),
        ("#808080", "grey"),
        ("#d02030", "red"),
        ("#5a1010", "red"),
        ("#f08020", "orange"),
        ("#f0d030", "yellow"),
        ("#30a040", "green"),
        ("#20a0a0", "teal"),
        ("#3060d0", "blue"),
        ("#8ab4e8", "blue"),
        ("#8040c0", "purple"),
        ("#f080b0", "pink"),
        ("#7a5230", "brown"),
        ("#c8a882", "brown"),
    ],
)
def test_named_as_people_would(color: str, name: str) -> None:
    assert swatch_of(color) == name


def test_every_colour_has_one_of_them() -> None:
    steps = range(0, 256, 17)
    found = {swatch_of(f"#{r:02x}{g:02x}{b:02x}") for r in steps for g in steps for b in steps}
    assert found == set(SWATCHES)
