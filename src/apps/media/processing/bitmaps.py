"""AVIF, BMP, ICO and portable anymaps by Pillow, whose decoders libvips lacks or does slower.

Only the one sniffed format is offered to Pillow. Pixels go on to libvips for scaling and writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import AvifImagePlugin, IcoImagePlugin, Image, UnidentifiedImageError

from apps.media.exceptions import CorruptFileError, MediaError, TooManyPixelsError
from apps.media.processing import privacy
from apps.media.processing.geometry import Size
from apps.media.processing.images import turned_upright
from apps.media.processing.libvips import prepare, pyvips
from apps.media.processing.metadata import camera_facts, orientation_or_upright
from apps.media.processing.renditions import Original, render_all, shrunk
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered, Scalar

FORMATS: dict[str, str] = {
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/x-icon": "ICO",
    "image/x-portable-anymap": "PPM",
}
# Loaded with this module, and so before the fork, instead of in every child.
Image.preinit()
_PLUGINS = (AvifImagePlugin, IcoImagePlugin)

_ORIENTATION = 0x0112
_EXIF_TAGS = {"Make": 0x010F, "Model": 0x0110, "LensModel": 0xA434, "DateTimeOriginal": 0x9003}
_EXIF_DIRECTORY = 0x8769
_SIDEWAYS = 5


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Facts from the header. Raises `CorruptFileError`, `TooManyPixelsError`."""
    with reading_bitmap(), _opened(path, mime, limits) as image:
        return facts_of(image, path, mime)


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan. Raises what `probe` raises."""
    with reading_bitmap(), _opened(path, mime, limits) as image:
        return render_opened(image, partial(privacy.write_clean, path, mime), plan, progress)


def render_opened(
    image: Image.Image, copy: privacy.Copy, plan: Plan, progress: Progress
) -> Rendered:
    """Copies by `copy`; decodes the image only where the plan has other recipes."""

    def draw(pictures: Plan) -> Rendered:
        image.load()
        return render_pixels(image, pictures, progress)

    return privacy.render_beside(plan, _upright_size(image), copy=copy, draw=draw)


@contextmanager
def _opened(path: Path, mime: str, limits: Limits) -> Iterator[Image.Image]:
    Image.MAX_IMAGE_PIXELS = None  # the limits are checked here, by header, with our own error
    with Image.open(path, formats=[FORMATS[mime]]) as image:
        check_pixels(image.size, limits)
        yield image


def check_pixels(size: tuple[int, int], limits: Limits) -> None:
    """Raises `TooManyPixelsError`, or `CorruptFileError` for a picture without area."""
    width, height = size
    if width < 1 or height < 1:
        raise CorruptFileError(f"{width} x {height}")
    if width * height > limits.max_pixels:
        raise TooManyPixelsError(f"{width} x {height}")


@contextmanager
def reading_bitmap() -> Iterator[None]:
    """Around every use of a decoder: Pillow's plugins raise nearly anything on damaged files."""
    try:
        yield
    except (MediaError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise CorruptFileError(error) from error
    except Exception as error:  # the edge to third-party parsers
        raise CorruptFileError(repr(error)) from error


def facts_of(image: Image.Image, path: Path, mime: str) -> Facts:
    """Facts of an opened, not yet decoded image."""
    size = _upright_size(image)
    facts: dict[str, Scalar] = {
        "orientation": _orientation(image),
        "has_alpha": int(_has_alpha(image)),
        "color_space": image.mode,
        "has_position": int(privacy.has_position(path, mime)),
    }
    return Facts(size.width, size.height, metadata=facts | camera_facts(partial(_exif_text, image)))


def _exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # the edge to a parser of strangers' firmware; pixels matter more
        return Image.Exif()


def _orientation(image: Image.Image) -> int:
    return orientation_or_upright(_exif(image).get(_ORIENTATION))


def _exif_text(image: Image.Image, tag: str) -> str | None:
    exif = _exif(image)
    try:
        value = exif.get(_EXIF_TAGS[tag]) or exif.get_ifd(_EXIF_DIRECTORY).get(_EXIF_TAGS[tag])
    except Exception:  # the same edge: directories are parsed on demand
        return None
    return value if isinstance(value, str) else None


def _upright_size(image: Image.Image) -> Size:
    size = Size(*image.size)
    return size.turned if _orientation(image) >= _SIDEWAYS else size


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def render_pixels(image: Image.Image, plan: Plan, progress: Progress) -> Rendered:
    """Makes every recipe of a decoded Pillow image, upright and with its profile applied."""
    prepare()
    original = Original(_upright_size(image), partial(_to_libvips, image))
    return render_all(original, plan, progress)


def _to_libvips(image: Image.Image, size: Size) -> pyvips.Image:
    orientation = _orientation(image)
    pixels = pyvips.Image.new_from_array(np.asarray(_eight_bit(image)), interpretation="srgb")
    profile = image.info.get("icc_profile")
    if profile:
        pixels = pixels.copy()
        pixels.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    stored = size.turned if orientation >= _SIDEWAYS else size
    return turned_upright(shrunk(pixels, stored).copy_memory(), orientation)


def _eight_bit(image: Image.Image) -> Image.Image:
    """RGB or RGBA with 8 bits; deep greys are scaled, which Pillow's own conversion would clip."""
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.float64)
        image = Image.fromarray((grey / max(float(grey.max()), 65_535) * 255).astype(np.uint8))
    return image.convert("RGBA" if _has_alpha(image) else "RGB")
