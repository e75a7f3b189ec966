"""A part of a picture that somebody chose: four fractions of the upright picture.

Kept in thousandths, so that what is stored, what stands in a rendition's name and what is compared
are always the same value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from apps.core.words import gettext_noop as _

STEPS = 1000
_WRITTEN = re.compile(r"(\d{4})-(\d{4})-(\d{4})-(\d{4})")


@dataclass(frozen=True, slots=True)
class Crop:
    """Fractions 0..1 of the upright picture's width (`left`, `width`) and height (`top`, `height`).

    Rounded to thousandths. Raises `ValueError` for what is empty or not inside the picture.
    """

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        for name in ("left", "top", "width", "height"):
            object.__setattr__(self, name, _rounded(getattr(self, name)))
        inside = min(astuple(self)) >= 0 and self.width > 0 and self.height > 0
        # Both ends are rounded: together they may come to a thousandth too much.
        if not inside or max(self.left + self.width, self.top + self.height) > 1 + 1.5 / STEPS:
            raise ValueError(_("a crop lies inside the picture and is not empty"))
        object.__setattr__(self, "width", _rounded(min(self.width, 1 - self.left)))
        object.__setattr__(self, "height", _rounded(min(self.height, 1 - self.top)))
        if not (self.width and self.height):
            raise ValueError(_("a crop lies inside the picture and is not empty"))

    def __str__(self) -> str:
        """As stored and as part of a name: `0100-0200-0500-0500`, in thousandths."""
        return "-".join(f"{round(part * STEPS):04d}" for part in astuple(self))

    def as_dict(self) -> dict[str, float]:
        return {
            "left": self.left,
            "top": self.top,
            "width": self.width,
            "height": self.height,
        }


def cropped_name(name: str, crop: Crop | None) -> str:
    """The name of the rendition that shows `crop` only: `square@0100-0200-0500-0500.webp`."""
    if crop is None:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem}@{crop}{dot}{ending}"


def split_name(name: str) -> tuple[str, Crop | None]:
    """What `cropped_name` made `name` of; a name that no crop gives stands for itself."""
    stem, dot, ending = name.rpartition(".")
    base, _, written = stem.partition("@")
    try:
        crop = crop_from_text(written)
    except ValueError:
        return name, None
    plain = f"{base}{dot}{ending}"
    return (plain, crop) if cropped_name(plain, crop) == name else (name, None)


def crop_from_text(text: str) -> Crop:
    """What `str` of a crop gives, read again. Raises `ValueError`."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(_("a crop is written as four numbers of four digits, in thousandths"))
    left, top, width, height = (int(part) / STEPS for part in match.groups())
    return Crop(left, top, width, height)


def crop_from(value: Any) -> Crop | None:
    """A crop out of what programs and forms send: one of these, its text, an object with `left`,
    `top`, `width` and `height`, or nothing. Raises `ValueError`."""
    if value is None or value == "":
        return None
    if isinstance(value, Crop):
        return value
    if isinstance(value, str):
        return crop_from_text(value)
    if isinstance(value, Mapping) and set(value) == {"left", "top", "width", "height"}:
        return Crop(**value)
    raise ValueError(_("a crop has left, top, width and height, and nothing else"))


def _rounded(value: Any) -> float:
    try:
        return round(float(value) * STEPS) / STEPS
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(_("the parts of a crop are numbers")) from error
