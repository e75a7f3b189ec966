"""The harmless part of what cameras write: made with what, when. Never where.

Reads tag texts that an engine found; decides what may be known. Nothing here may fail: metadata
is written by strangers' firmware, and a broken tag must not cost the picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from apps.media.processing.types import Scalar

# Exif 2.32 tag names, the only ones that are kept. Positions, owners and serial numbers are not.
KEPT_TAGS: dict[str, str] = {
    "Make": "camera_make",
    "Model": "camera",
    "LensModel": "lens",
    "DateTimeOriginal": "taken_at",
}
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
MAX_LENGTH = 100  # characters


def camera_facts(read: Callable[[str], str | None]) -> dict[str, Scalar]:
    """The kept facts; `read` gives the text of an Exif tag by name, or None."""
    facts: dict[str, Scalar] = {}
    for tag, name in KEPT_TAGS.items():
        text = _clean(read(tag) or "")
        if name == "taken_at":
            text = _iso_time(text)
        if text:
            facts[name] = text
    return facts


def _clean(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return printable.strip()[:MAX_LENGTH]


def _iso_time(text: str) -> str:
    """The camera's local time in ISO 8601, without a zone since Exif has none here."""
    match = _DATE.match(text)
    return "{}-{}-{}T{}:{}:{}".format(*match.groups()) if match else ""


def orientation_or_upright(value: object) -> int:
    """An Exif orientation; everything that is not 1 to 8 counts as upright."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004
