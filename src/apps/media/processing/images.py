"""JPEG, PNG, GIF, WebP and TIFF by libvips.

The loader is chosen by the sniffed type, never by libvips from the content. Headers are checked
against the limits before a pixel is decoded; damaged files are errors, not grey areas.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from apps.media.exceptions import CorruptFileError, TooManyPixelsError, UnsupportedTypeError
from apps.media.processing import gifblocks, privacy
from apps.media.processing.geometry import Size, target_size
from apps.media.processing.libvips import prepare, pyvips, reading
from apps.media.processing.metadata import camera_facts, orientation_or_upright
from apps.media.processing.renditions import Original, as_srgb, render_all, shrunk
from apps.media.processing.types import Facts, Limits, Plan, Progress, Recipe, Rendered, Scalar

LOADERS: dict[str, str] = {
    "image/jpeg": "jpegload",
    "image/png": "pngload",
    "image/gif": "gifload",
    "image/webp": "webpload",
    "image/tiff": "tiffload",
}
ANIMATED_TYPES = frozenset({"image/gif", "image/webp"})

# Browsers show frames that ask for less than 20 ms for 100 ms; so does the duration here.
SHORTEST_DELAY, DELAY_INSTEAD = 20, 100  # milliseconds
_SIDEWAYS = 5  # Exif orientations from here on exchange width and height


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Facts from the header. Raises `CorruptFileError`, `TooManyPixelsError`."""
    with reading():
        header = checked_header(path, mime, limits)
        size = _upright_size(header)
        return Facts(
            width=size.width,
            height=size.height,
            frames=frames_of(header, mime),
            duration=_duration(header) if frames_of(header, mime) > 1 else None,
            metadata=_metadata(header) | {"has_position": int(privacy.has_position(path, mime))},
        )


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan. Raises what `probe` raises."""
    with reading():
        header = checked_header(path, mime, limits)
        moving = frames_of(header, mime) > 1
        original = Original(
            size=_upright_size(header),
            decode=partial(_decode, path, mime, header),
            animate=partial(_animate, path, mime, header) if moving else None,
        )
        copy = partial(privacy.write_clean, path, mime, orientation=orientation_of(header))
    return privacy.render_beside(
        plan,
        original.size,
        copy=copy,
        draw=lambda pictures: render_all(original, pictures, progress),
    )


# -- headers -----------------------------------------------------------------------------------


def _load(path: Path, mime: str, **options: Any) -> pyvips.Image:
    if mime not in LOADERS:
        raise UnsupportedTypeError(mime)
    load: Callable[..., pyvips.Image] = getattr(pyvips.Image, LOADERS[mime])
    return load(str(path), access="sequential", fail_on="error", **options)


def checked_header(path: Path, mime: str, limits: Limits) -> pyvips.Image:
    prepare()
    header = _load(path, mime)
    if mime == "image/gif" and not gifblocks.is_complete(path):
        raise CorruptFileError("the file ends before its trailer")
    pixels, frames = header.width * header.height, frames_of(header, mime)
    if pixels > limits.max_pixels:
        raise TooManyPixelsError(f"{header.width} x {header.height}")
    if frames > limits.max_frames or frames * pixels > limits.max_total_pixels:
        raise TooManyPixelsError(f"{frames} frames of {header.width} x {header.height}")
    return header


def _field(header: pyvips.Image, name: str) -> Any:
    return header.get(name) if header.get_typeof(name) else None


def frames_of(header: pyvips.Image, mime: str) -> int:
    return int(_field(header, "n-pages") or 1) if mime in ANIMATED_TYPES else 1


def pages_of(header: pyvips.Image) -> int:
    """How many pictures the file has, moving or not."""
    return int(_field(header, "n-pages") or 1)


def orientation_of(header: pyvips.Image) -> int:
    return orientation_or_upright(_field(header, "orientation"))


def _upright_size(header: pyvips.Image) -> Size:
    size = Size(header.width, header.height)
    return size.turned if orientation_of(header) >= _SIDEWAYS else size


def _duration(header: pyvips.Image) -> float:
    delays = _field(header, "delay") or []
    shown = (delay if delay >= SHORTEST_DELAY else DELAY_INSTEAD for delay in delays)
    return sum(shown) / 1000


def _metadata(header: pyvips.Image) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {
        "orientation": orientation_of(header),
        "has_alpha": int(header.hasalpha()),
        "color_space": str(header.interpretation),
    }
    return facts | camera_facts(partial(_exif_text, header))


def _exif_text(header: pyvips.Image, tag: str) -> str | None:
    """libvips writes `value (value, type, components, bytes)`; only the first part is meant."""
    for directory in ("exif-ifd0-", "exif-ifd2-"):
        text = _field(header, directory + tag)
        if isinstance(text, str):
            return text.rsplit(" (", 1)[0]
    return None


# -- pixels ------------------------------------------------------------------------------------


def _decode(path: Path, mime: str, header: pyvips.Image, size: Size) -> pyvips.Image:
    """The upright picture at `size`, in memory: shrunk while loading, turned when it is small."""
    orientation = orientation_of(header)
    stored = size.turned if orientation >= _SIDEWAYS else size
    image = _load(path, mime, **_shrink_on_load(header, mime, stored))
    picture = shrunk(image, stored).copy_memory()
    return turned_upright(picture, orientation)


def decode_whole(path: Path, mime: str, header: pyvips.Image, degrees: int = 0) -> pyvips.Image:
    """All pixels as they are stored, upright and then turned clockwise, in memory."""
    picture = turned_upright(_load(path, mime).copy_memory(), orientation_of(header))
    return picture.rot(f"d{degrees}") if degrees else picture


def _shrink_on_load(header: pyvips.Image, mime: str, stored: Size) -> dict[str, Any]:
    """The loader's own cheap reduction, leaving at least a third for the better filter."""
    ratio = min(header.width / stored.width, header.height / stored.height)
    factor = next((factor for factor in (8, 4, 2) if ratio >= factor * 1.5), 1)
    if mime == "image/jpeg":
        return {"shrink": factor}
    if mime == "image/webp":
        return {"scale": 1 / factor}
    return {}


_TURNS: dict[int, tuple[str, str | None]] = {  # Exif orientation → rotation, then mirroring
    2: ("d0", "horizontal"),
    3: ("d180", None),
    4: ("d0", "vertical"),
    5: ("d90", "horizontal"),
    6: ("d90", None),
    7: ("d270", "horizontal"),
    8: ("d270", None),
}


def turned_upright(picture: pyvips.Image, orientation: int) -> pyvips.Image:
    """`picture` (in memory) as its Exif orientation wants it shown, in memory again."""
    if orientation not in _TURNS:
        return picture
    angle, mirror = _TURNS[orientation]
    turned = picture.rot(angle)
    return (turned.flip(mirror) if mirror else turned).copy_memory()


def _animate(path: Path, mime: str, header: pyvips.Image, recipe: Recipe, target: Path) -> Size:
    """All frames as one WebP, upright, with the delays and the loop count of the source."""
    size, orientation = target_size(_upright_size(header), recipe), orientation_of(header)
    stored = size.turned if orientation >= _SIDEWAYS else size
    frames = _load(path, mime, n=-1)
    if stored.width < header.width or stored.height < header.height:
        frames = frames.thumbnail_image(
            stored.width, height=stored.height, size="force", no_rotate=True
        )
    if frames.get_typeof("icc-profile-data"):
        frames = frames.icc_transform("srgb", embedded=True, input_profile="srgb")
    frames = _turned_frames(as_srgb(frames), orientation)
    frames.webpsave(str(target), Q=recipe.quality, effort=recipe.effort, keep="none")
    return size


def _turned_frames(frames: pyvips.Image, orientation: int) -> pyvips.Image:
    """Each frame upright; they come, and go, one below the other."""
    if orientation not in _TURNS:
        return frames
    height, strip = frames.get("page-height"), frames.copy_memory()
    tops = range(0, strip.height, height)
    turned = [turned_upright(strip.crop(0, top, strip.width, height), orientation) for top in tops]
    joined = pyvips.Image.arrayjoin(turned, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", turned[0].height)
    return joined
