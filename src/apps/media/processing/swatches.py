"""The dozen colours that people look for pictures by, and which of them a colour is."""

from __future__ import annotations

import colorsys

SWATCHES = "red orange yellow green teal blue purple pink brown black grey white".split()
DARK, PALE, BRIGHT = 0.16, 0.14, 0.9  # of value and saturation, 0–1
# Where each hue ends, in degrees.
_HUES = [
    (14, "red"),
    (42, "orange"),
    (66, "yellow"),
    (160, "green"),
    (196, "teal"),
    (256, "blue"),
    (292, "purple"),
    (340, "pink"),
    (361, "red"),
]
_BROWNS = {"red", "orange", "yellow"}
_BROWN_FROM = 10  # degrees: a dark red stays one
_BROWN_BELOW = 0.62  # of value: orange, when it is dark
_MUDDY = 0.4  # of saturation: skin, sand and wood are no orange


def swatch_of(color: str) -> str:
    """The name of the swatch nearest to `color` (`#rrggbb`); empty for none."""
    if not color:
        return ""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    if value < DARK:
        return "black"
    if saturation < PALE:
        return "white" if value > BRIGHT else "grey"
    degrees = hue * 360
    name = next(name for end, name in _HUES if degrees < end)
    is_muddy = value < _BROWN_BELOW or saturation < _MUDDY
    if name in _BROWNS and degrees > _BROWN_FROM and is_muddy and value < BRIGHT:
        return "brown"
    return name
