"""A new original out of an old one: turned, cut, and otherwise as it was.

Depth, colours, profile and what the camera wrote are kept. A JPEG that is only turned keeps all of
its bytes but those that say which side is up; other pixels are written by the format's lossless way
where it has one, else in high quality.
"""

from __future__ import annotations

import mmap
import shutil
from pathlib import Path
from typing import Any

from apps.media.exceptions import CorruptFileError, UnsupportedTypeError
from apps.media.processing import heifpictures, imageparts, images, tiffblocks
from apps.media.processing.crops import STEPS
from apps.media.processing.edits import RESULTS, Edited, EditPlan
from apps.media.processing.libvips import pyvips, reading
from apps.media.processing.types import Limits, Progress

JPEG = "image/jpeg"
QUALITY = 95  # of what cannot be written without loss
_HEAD = 4096  # bytes in which a WebP says how it is packed
_QUARTER = 90
_CIRCLES = ((1, 6, 3, 8), (2, 7, 4, 5))  # Exif orientations, each a quarter turn after the last
_STALE = ("orientation", "jpeg-thumbnail-data", "thumbnail-data")


def edit(path: Path, mime: str, *, plan: EditPlan, limits: Limits, progress: Progress) -> Edited:
    """Writes the edited picture. Raises `CorruptFileError`, `TooManyPixelsError`, and
    `UnsupportedTypeError` for what moves or has several pages."""
    if mime not in RESULTS:
        raise UnsupportedTypeError(mime)
    target = plan.out_dir / plan.name
    if mime in heifpictures.TYPES:
        return _edit_heif(path, mime, plan, limits, progress)
    with reading():
        header = images.checked_header(path, mime, limits)
        if images.frames_of(header, mime) > 1 or images.pages_of(header) > 1:
            raise UnsupportedTypeError(f"several pictures in one {mime}")
        wanted = turned(images.orientation_of(header), plan.turn)
        if mime == JPEG and plan.crop is None and _retold(path, target, wanted):
            return Edited(is_lossless=True)
        picture = _cut(images.decode_whole(path, mime, header, plan.turn), plan)
        progress(0.5)
        return Edited(is_lossless=_save(picture, path, mime, target))


def _edit_heif(path: Path, mime: str, plan: EditPlan, limits: Limits, progress: Progress) -> Edited:
    with reading():
        whole = heifpictures.decode_whole(path, mime, limits, plan.turn)
        picture = _without_stale(_cut(whole, plan))
        progress(0.5)
        heifpictures.save(picture, plan.out_dir / plan.name, quality=QUALITY)
    return Edited(is_lossless=False)


def turned(orientation: int, degrees: int) -> int:
    """The Exif orientation of a picture of that orientation after a turn clockwise."""
    circle = next(circle for circle in _CIRCLES if orientation in circle)
    return circle[(circle.index(orientation) + degrees // _QUARTER) % len(circle)]


def _cut(picture: pyvips.Image, plan: EditPlan) -> pyvips.Image:
    if plan.crop is None:
        return picture
    left, top, width, height = plan.crop
    x, y = left * picture.width // STEPS, top * picture.height // STEPS
    wide = min(max(1, round(width * picture.width / STEPS)), picture.width - x)
    high = min(max(1, round(height * picture.height / STEPS)), picture.height - y)
    return picture.extract_area(x, y, wide, high)


def _save(picture: pyvips.Image, path: Path, mime: str, target: Path) -> bool:
    """Whether that lost nothing."""
    picture = _without_stale(picture)
    if mime == JPEG:
        picture.jpegsave(str(target), Q=QUALITY, optimize_coding=True)
        return False
    if mime == "image/png":
        picture.pngsave(str(target), compression=6)
        return True
    if mime == "image/tiff":
        picture.tiffsave(str(target), compression="deflate", predictor="horizontal")
        return True
    is_lossless = _is_lossless_webp(path)
    options: dict[str, Any] = {"lossless": True} if is_lossless else {"Q": QUALITY}
    picture.webpsave(str(target), effort=4, **options)
    return is_lossless


def _without_stale(picture: pyvips.Image) -> pyvips.Image:
    picture = picture.copy()
    for name in _STALE:
        if picture.get_typeof(name):
            picture.remove(name)
    for name in [name for name in picture.get_fields() if name.endswith("-Orientation")]:
        picture.remove(name)
    return picture


def _is_lossless_webp(path: Path) -> bool:
    with path.open("rb") as file:
        return b"VP8L" in file.read(_HEAD)


def _retold(path: Path, target: Path, orientation: int) -> bool:
    """A copy of a JPEG that says anew which side is up; False where it cannot be told so."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        parts = imageparts.jpeg_parts(data)
        exif = next((part for part in parts if part.kind == "exif"), None)
        told = None if exif is None else data[exif.body : exif.end]
    if told is None:
        head = imageparts.jpeg_exif(tiffblocks.exif_with(orientation))
        with path.open("rb") as source, target.open("xb") as made:
            made.write(source.read(2) + head)
            shutil.copyfileobj(source, made)
        return True
    assert exif is not None
    try:
        patch = tiffblocks.orienting(told, orientation)
    except CorruptFileError:
        return False
    if patch is None:
        return False
    shutil.copyfile(path, target)
    with target.open("r+b") as copy:
        copy.seek(exif.body + patch[0])
        copy.write(patch[1])
    return True
