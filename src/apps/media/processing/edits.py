"""How a picture is turned and cut, as data: what was asked for, and where the result goes.

A turn comes first: the crop is of the picture as it is seen after it.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from pathlib import Path

from apps.core.words import gettext_noop as _
from apps.media.processing.crops import STEPS, Crop, crop_from_text

TURNS = (0, 90, 180, 270)
# What a picture of a type becomes. Formats that cannot be written without loss stay what they are;
# HEVC is decoded but not written here, and becomes the format next to it.
RESULTS = {
    "image/avif": "image/avif",
    "image/heic": "image/avif",
    "image/heif": "image/avif",
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/webp": "image/webp",
    "image/tiff": "image/tiff",
}
_WRITTEN = re.compile(r"r(000|090|180|270)(?:@([0-9-]{19}))?")


@dataclass(frozen=True, slots=True)
class Edit:
    """Degrees clockwise, and the part that is kept. Raises `ValueError`."""

    turn: int = 0
    crop: Crop | None = None

    def __post_init__(self) -> None:
        if self.turn not in TURNS:
            raise ValueError(_("a picture is turned by 0, 90, 180 or 270 degrees"))

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self.turn) or (self.crop is not None and self.crop != Crop(0, 0, 1, 1))

    def __str__(self) -> str:
        """As the subject of a job: `r090@0100-0200-0500-0500`."""
        return f"r{self.turn:03d}" + (f"@{self.crop}" if self.crop else "")


def edit_from_text(text: str) -> Edit:
    """What `str` of an edit gives, read again. Raises `ValueError`."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return Edit(int(match[1]), crop_from_text(match[2]) if match[2] else None)


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What an engine needs to know: it writes `out_dir / name`. The crop is in thousandths."""

    out_dir: Path
    turn: int
    crop: tuple[int, int, int, int] | None = None
    name: str = "edited"

    @classmethod
    def of(cls, edit: Edit, out_dir: Path) -> EditPlan:
        crop = tuple(round(part * STEPS) for part in astuple(edit.crop)) if edit.crop else None
        return cls(out_dir, edit.turn, crop)


@dataclass(frozen=True, slots=True)
class Edited:
    """The new picture; `is_lossless` says that every pixel kept is what it was."""

    is_lossless: bool
    path: Path = Path()
    mime_type: str = ""
