"""HEIC and AVIF read whole, for edits: as deep as they are, with all that they say of themselves.

HEVC is decoded by libheif's own wheel and AV1 by libvips; Exif, XMP and profile come from libvips,
which reads them of both. Either turns a picture upright by itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from apps.media.exceptions import TooManyPixelsError, UnsupportedTypeError
from apps.media.processing.bitmaps import check_pixels, reading_bitmap
from apps.media.processing.geometry import MAX_SIDE
from apps.media.processing.libvips import prepare, pyvips
from apps.media.processing.types import Limits

AVIF = "image/avif"
TYPES = frozenset({AVIF, "image/heic", "image/heif"})
_TOLD = ("exif", "xmp-data", "icc-profile-data", "bits-per-sample")
_HDR = frozenset({16, 18})  # transfer characteristics of ITU-T H.273: PQ and HLG


def decode_whole(path: Path, mime: str, limits: Limits, degrees: int = 0) -> pyvips.Image:
    """All pixels, upright and then turned clockwise, in memory. Raises `CorruptFileError`,
    `TooManyPixelsError`, and `UnsupportedTypeError` for several pictures and for those whose
    brightness AVIF would be told wrongly."""
    prepare()
    with reading_bitmap():
        opened = _opened(path, mime, limits)
    told = pyvips.Image.heifload(str(path), fail_on="error")
    picture = told.copy_memory() if mime == AVIF else _with_words(_decoded(opened), told)
    return picture.rot(f"d{degrees}") if degrees else picture


def save(picture: pyvips.Image, target: Path, *, quality: int) -> None:
    """As AVIF of the same depth. The least effort: 48 megapixels are a third of a minute, and more
    effort saves a tenth of the bytes."""
    bits = picture.get("bits-per-sample") if picture.get_typeof("bits-per-sample") else 8
    picture.heifsave(str(target), compression="av1", Q=quality, bitdepth=bits, effort=0)


def _opened(path: Path, mime: str, limits: Limits) -> pillow_heif.HeifFile:
    pillow_heif.options.DECODE_THREADS = 1
    opened = pillow_heif.open_heif(str(path), convert_hdr_to_8bit=False)
    check_pixels(opened.size, limits)
    if max(opened.size) > MAX_SIDE["avif"]:
        raise TooManyPixelsError(f"{opened.size} are too many for AVIF")
    if len(opened) > 1 or (mime == AVIF and _frames(path) > 1):
        raise UnsupportedTypeError(f"several pictures in one {mime}")
    colours = opened.info.get("nclx_profile") or {}
    if colours.get("transfer_characteristics") in _HDR:
        raise UnsupportedTypeError(f"HDR in {mime}")
    return opened


def _frames(path: Path) -> int:
    with Image.open(path, formats=["AVIF"]) as image:
        return int(getattr(image, "n_frames", 1))


def _decoded(opened: pillow_heif.HeifFile) -> pyvips.Image:
    with reading_bitmap():
        pixels = np.asarray(opened)
    space = "srgb" if pixels.dtype == np.uint8 else "rgb16"
    return pyvips.Image.new_from_array(pixels, interpretation=space)


def _with_words(picture: pyvips.Image, told: pyvips.Image) -> pyvips.Image:
    picture = picture.copy()
    for name in told.get_fields():
        if name.startswith(_TOLD):
            picture.set_type(told.get_typeof(name), name, told.get(name))
    return picture
