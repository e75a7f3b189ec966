"""The picture that is attached to a recording: found, checked, rendered.

Taggers put anything there. Only what is a picture by its own bytes counts, and only if it decodes
within the limits: a broken cover must not cost the sound.
"""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path

from PIL import Image, WebPImagePlugin

from apps.core.sniffing import sniff
from apps.media.exceptions import CorruptFileError, RejectedError
from apps.media.processing.bitmaps import check_pixels, reading_bitmap, render_pixels
from apps.media.processing.containers import is_cover, opened
from apps.media.processing.privacy import picture_has_position
from apps.media.processing.types import Limits, Plan, Progress, Rendered

# All are read by Pillow's own decoders.
FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
}
_PLUGINS = (WebPImagePlugin,)  # loaded before the fork, as bitmaps does with the others
_GLANCE = (64, 64)  # pixels: as small as JPEG may decode to show that it is whole
_PACKETS_BEFORE_COVERS = 32  # libav gives attached pictures first


def has_cover(path: Path, mime: str, limits: Limits) -> bool:
    """Whether a recording has a picture that can be shown."""
    return any(_is_whole(data, limits) for data in _attached_pictures(path, mime))


def covers_tell_position(path: Path, mime: str) -> bool:
    """Whether a picture that is attached to a recording says where it was taken."""
    pictures = _attached_pictures(path, mime)
    return any(picture_has_position(data, sniff(data) or "") for data in pictures)


def render_cover(
    path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress
) -> Rendered:
    """Makes every recipe of the plan of the first cover that decodes.

    Raises `CorruptFileError` when there is none.
    """
    for data in _attached_pictures(path, mime):
        if _is_whole(data, limits):
            with reading_bitmap():
                image = _decoded(data, limits)
            return render_pixels(image, plan, progress)
    raise CorruptFileError("no cover that can be decoded")


def _attached_pictures(path: Path, mime: str) -> list[bytes]:
    """As they are in the file, in order."""
    with opened(path, mime) as container:
        covers = {stream.index for stream in container.streams.video if is_cover(stream)}
        if not covers:
            return []
        packets = islice(container.demux(), _PACKETS_BEFORE_COVERS)
        return [bytes(packet) for packet in packets if packet.stream.index in covers]


def _is_whole(data: bytes, limits: Limits) -> bool:
    try:
        with reading_bitmap():
            _decoded(data, limits, draft=True)
    except RejectedError:
        return False
    return True


def _decoded(data: bytes, limits: Limits, *, draft: bool = False) -> Image.Image:
    """By the decoder of what the bytes are."""
    name = FORMATS.get(sniff(data) or "")
    if name is None:
        raise CorruptFileError("the cover is no picture that is known here")
    image = Image.open(io.BytesIO(data), formats=[name])
    check_pixels(image.size, limits)
    if draft:
        image.draft("RGB", _GLANCE)
    image.load()
    return image
