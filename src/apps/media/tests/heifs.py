"""HEIC and AVIF as phones write them, made by their property."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from apps.media.tests import samples

FORMATS = {"image/heic": "HEIF", "image/avif": "AVIF"}
# In a process of its own: one that has evaluated anything with libvips must not be forked again.
_WRITE_DEEP = """
import sys, pyvips
ramp = pyvips.Image.xyz(64, 48)[0].linear(1023 / 63, 0).cast("ushort") * 64
grey = ramp.bandjoin([ramp, ramp]).cast("ushort").copy(interpretation="rgb16")
grey.heifsave(sys.argv[1], compression="av1", bitdepth=10, effort=0)
"""


def heif_of(picture: Image.Image, mime: str, *, orientation: int = 1, **options: Any) -> bytes:
    """`picture` with the marks of a camera; `orientation` as Exif counts them, in a box."""
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[samples.MODEL_TAG] = "Camera 3000"
    exif[samples.ORIENTATION_TAG] = orientation
    exif.get_ifd(samples.GPS_TAG).update({1: "N", 2: (48.0, 51.0, 30.0)})
    file = io.BytesIO()
    picture.save(file, FORMATS[mime], quality=90, exif=exif.tobytes(), **options)
    return file.getvalue()


def glaring_heic() -> bytes:
    """Its brightness is that of PQ (ITU-R BT.2100)."""
    source = pillow_heif.from_pillow(samples.corners(64, 48))
    file = io.BytesIO()
    source.save(file, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9)
    return file.getvalue()


def moving_avif() -> bytes:
    file = io.BytesIO()
    first, other = samples.photo(64, 48), samples.corners(64, 48)
    first.save(file, "AVIF", save_all=True, append_images=[other])
    return file.getvalue()


def deep_heif(mime: str, directory: Path) -> bytes:
    """A grey ramp of ten bits."""
    path = directory / "deep"
    if mime == "image/avif":
        subprocess.run([sys.executable, "-c", _WRITE_DEEP, str(path)], check=True)
        return path.read_bytes()
    ramp = np.tile(np.linspace(0, 65_535, 64, dtype=np.uint16)[None, :, None], (48, 1, 3))
    pillow_heif.encode("RGB;16", (64, 48), ramp.tobytes(), str(path), format="HEIF")
    return path.read_bytes()
