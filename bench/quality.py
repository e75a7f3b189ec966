"""How close a rendition is to the picture it was made from: SSIM, in numpy.

Wang et al. 2004: luma, Gaussian window of 11 pixels with sigma 1.5, K 0.01 and 0.03. The measure
of all is a Lanczos reduction of the original, upright and in sRGB.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps

Plane = npt.NDArray[np.float32]

_REACH = 5
_WINDOW = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / 1.5) ** 2).astype(np.float32)
_WINDOW /= _WINDOW.sum()
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Likeness:
    """One encoded picture: its SSIM and its bytes."""

    ssim: float
    size: int


@dataclass(frozen=True, slots=True)
class AtWidth:
    """What there is at one width: Pillow's JPEG and WebP as peers write them, and ours."""

    width: int
    peer_jpeg: Likeness
    peer_webp: Likeness
    webp: Likeness
    jpeg: Likeness | None


def compare(photograph: Path, made: Path, *, widths: Iterable[int], quality: int) -> list[AtWidth]:
    """The renditions in `made` beside what Pillow makes of the same reduction.

    Widths that the photograph does not have are left out: nothing is enlarged.
    """
    original = _upright_srgb(photograph)
    return [
        _at_width(original, made, width, quality) for width in widths if width <= original.width
    ]


def _at_width(original: Image.Image, made: Path, width: int, quality: int) -> AtWidth:
    ours = made / f"w{width}.webp"
    with Image.open(ours) as opened:
        reference = original.resize(opened.size, Image.Resampling.LANCZOS)
    plane = _luma(reference)
    jpeg = made / f"w{width}.jpg"
    return AtWidth(
        width,
        peer_jpeg=_likeness(plane, _encoded(reference, "JPEG", quality)),
        peer_webp=_likeness(plane, _encoded(reference, "WEBP", quality)),
        webp=_likeness(plane, ours.read_bytes()),
        jpeg=_likeness(plane, jpeg.read_bytes()) if jpeg.exists() else None,
    )


def _upright_srgb(photograph: Path) -> Image.Image:
    with Image.open(photograph) as opened:
        profile = opened.info.get("icc_profile")
        image = ImageOps.exif_transpose(opened).convert("RGB")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    return image


def _encoded(image: Image.Image, format_: str, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, quality=quality)
    return buffer.getvalue()


def _likeness(plane: Plane, encoded: bytes) -> Likeness:
    with Image.open(io.BytesIO(encoded)) as image:
        return Likeness(ssim(plane, _luma(image.convert("RGB"))), len(encoded))


def _luma(image: Image.Image) -> Plane:
    return np.asarray(image.convert("L"), dtype=np.float32)


def _blurred(plane: Plane) -> Plane:
    rows = sum(w * plane[i : plane.shape[0] - 2 * _REACH + i] for i, w in enumerate(_WINDOW))
    return sum(w * rows[:, i : plane.shape[1] - 2 * _REACH + i] for i, w in enumerate(_WINDOW))


def ssim(first: Plane, second: Plane) -> float:
    """The mean structural similarity of two planes of one shape, 0..255."""
    mean_1, mean_2 = _blurred(first), _blurred(second)
    spread_1 = _blurred(first * first) - mean_1**2
    spread_2 = _blurred(second * second) - mean_2**2
    together = _blurred(first * second) - mean_1 * mean_2
    similar = (2 * mean_1 * mean_2 + _C1) * (2 * together + _C2)
    return float((similar / ((mean_1**2 + mean_2**2 + _C1) * (spread_1 + spread_2 + _C2))).mean())
