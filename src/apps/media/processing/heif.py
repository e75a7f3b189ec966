"""HEIC and HEIF from phones: HEVC is decoded by libheif's own wheel, the rest is as for bitmaps.

libvips' wheel opens such files but has no HEVC decoder. libheif turns pictures upright itself.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pillow_heif
from PIL import Image

from apps.media.exceptions import CorruptFileError
from apps.media.processing import privacy
from apps.media.processing.bitmaps import check_pixels, facts_of, reading_bitmap, render_opened
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Facts from the header. Raises `CorruptFileError`, `TooManyPixelsError`."""
    with reading_bitmap():
        return facts_of(_opened(path, limits), path, mime)


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan from the primary picture. Raises what `probe` raises."""
    with reading_bitmap():
        copy = partial(privacy.write_clean, path, mime)
        return render_opened(_opened(path, limits), copy, plan, progress)


def _opened(path: Path, limits: Limits) -> Image.Image:
    """The primary picture, not yet decoded; libheif has no pixel limit worth trusting."""
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)
    with path.open("rb") as file:
        if not file.read(12)[4:8] == b"ftyp":
            raise CorruptFileError("no ftyp box")
    image = Image.open(path, formats=["HEIF"])
    check_pixels(image.size, limits)
    return image
