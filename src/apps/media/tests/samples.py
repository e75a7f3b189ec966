"""Sample files by property, made on the spot: small, deterministic, nobody's copyright.

Every maker returns bytes. Only Pillow and pdfium are used, never libvips: a process that has
evaluated libvips must not be forked, and tests fork.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageDraw

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

GPS_TAG, ORIENTATION_TAG, MODEL_TAG, DATE_TAG = 0x8825, 0x0112, 0x0110, 0x9003
PASSWORD = "secret"


def photo(width: int, height: int, *, seed: int = 7) -> Image.Image:
    """A picture with the statistics of a photograph.

    Things of all sizes that cover one another ("dead leaves", Lee and others 2001), each octave of
    texture as strong as the next (power falling with the square of the frequency), a little grain.
    """
    return _photo(width, height, seed).copy()


@lru_cache(maxsize=64)
def _photo(width: int, height: int, seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    leaves = _leaves(rng, width, height)
    texture = rng.standard_normal((height, width), dtype=np.float32) * 2
    cells = 4
    while cells < max(width, height) // 2:
        texture += 6 * _noise(rng, width, height, cells)
        cells *= 2
    return Image.merge(
        "RGB", [Image.fromarray(_bytes(np.asarray(band) + texture)) for band in leaves.split()]
    )


def _bytes(layer: Floats) -> Pixels:
    return np.clip(layer, 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, width: int, height: int, cells: int) -> Floats:
    """Soft blots, `cells` of them along the longer side."""
    rows = max(2, min(cells * height // max(width, height), height))
    columns = max(2, min(cells * width // max(width, height), width))
    small = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _leaves(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Ellipses of all sizes, the number of each falling with the cube of its size."""
    image = Image.new("RGB", (width, height), (120, 130, 140))
    draw = ImageDraw.Draw(image)
    longest = max(width, height)
    reaches = longest / 6 * np.sqrt(1 / np.linspace(1, 3_000, 1_500))
    for reach in reaches:
        x, y = rng.random() * width, rng.random() * height
        across, down = reach * rng.uniform(0.5, 1), reach * rng.uniform(0.5, 1)
        color = tuple(int(value) for value in rng.normal(120, 45, 3).clip(0, 255))
        draw.ellipse((x - across, y - down, x + across, y + down), fill=color)
    return image


def _saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def photo_jpeg(width: int = 800, height: int = 600, **options: Any) -> bytes:
    return _saved(photo(width, height), "JPEG", **({"quality": 92} | options))


def photo_png(width: int = 800, height: int = 600) -> bytes:
    return _saved(photo(width, height), "PNG", compress_level=1)


def photo_webp(width: int = 800, height: int = 600) -> bytes:
    return _saved(photo(width, height), "WEBP", quality=85, method=0)


def avif(width: int = 320, height: int = 240) -> bytes:
    return _saved(photo(width, height), "AVIF", quality=70, speed=10)


def tiff(width: int = 320, height: int = 240) -> bytes:
    return _saved(photo(width, height), "TIFF")


def bmp(width: int = 320, height: int = 240) -> bytes:
    return _saved(photo(width, height), "BMP")


def heic(width: int = 320, height: int = 240) -> bytes:
    """HEVC in HEIF, as phones write it."""
    import pillow_heif

    source = pillow_heif.from_pillow(photo(width, height))
    buffer = io.BytesIO()
    source.save(buffer, quality=60)
    return buffer.getvalue()


def corners(width: int = 640, height: int = 480) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right: shows any turning."""
    image = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for color, at in (
        ("red", (0, 0)),
        ("lime", (half[0], 0)),
        ("blue", (0, half[1])),
        ("white", half),
    ):
        image.paste(color, (*at, at[0] + half[0], at[1] + half[1]))
    return image


# How to store an upright picture so that the Exif orientation turns it upright again.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def oriented_jpeg(orientation: int) -> bytes:
    """`corners()` stored sideways, with the Exif tag that says so."""
    image = corners()
    if orientation in _STORED:
        image = image.transpose(_STORED[orientation])
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return _saved(image, "JPEG", quality=95, exif=exif)


def geotagged_jpeg(width: int = 800, height: int = 600) -> bytes:
    """With a position, a camera, a date, a comment and XMP."""
    exif = Image.Exif()
    exif[MODEL_TAG] = "Camera 3000"
    exif.get_ifd(0x8769)[DATE_TAG] = "2024:05:06 07:08:09"
    exif.get_ifd(GPS_TAG).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    return photo_jpeg(width, height, exif=exif, comment=b"at home", xmp=b"<x:xmpmeta/>")


def profiled_jpeg() -> bytes:
    """Stored as red; by its embedded profile, whose red and green primaries are swapped, green."""
    red = Image.new("RGB", (400, 300), (230, 30, 30))
    return _saved(red, "JPEG", quality=95, icc_profile=_swapped_profile())


def _swapped_profile() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")


def cmyk_jpeg(width: int = 400, height: int = 300) -> bytes:
    return _saved(photo(width, height).convert("CMYK"), "JPEG", quality=90)


def deep_png(width: int = 400, height: int = 300) -> bytes:
    """Grey, 16 bits: a ramp from black to white."""
    ramp = np.linspace(0, 65_535, width, dtype=np.uint16)
    return _saved(Image.fromarray(np.tile(ramp, (height, 1))), "PNG")


def palette_png(width: int = 400, height: int = 300) -> bytes:
    return _saved(photo(width, height).convert("P"), "PNG")


def transparent_png(width: int = 400, height: int = 300) -> bytes:
    """Left half clear, right half red."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (width // 2, 0, width, height))
    return _saved(image, "PNG")


def grey_alpha_png(width: int = 400, height: int = 300) -> bytes:
    return _saved(Image.new("LA", (width, height), (90, 128)), "PNG")


def _frames(count: int, size: tuple[int, int]) -> list[Image.Image]:
    frames = []
    for number in range(count):
        frame = Image.new("RGB", size, (40, 40, 40 + 20 * number))
        at = 10 * number
        frame.paste((250, 200, 20), (at, at, at + size[0] // 4, at + size[1] // 4))
        frames.append(frame)
    return frames


def _animation(format_: str, frames: int, size: tuple[int, int], delay: int) -> bytes:
    first, *others = _frames(frames, size)
    return _saved(first, format_, save_all=True, append_images=others, duration=delay, loop=3)


def animated_gif(frames: int = 5, size: tuple[int, int] = (800, 400), delay: int = 120) -> bytes:
    """`delay` is milliseconds per frame; played three more times."""
    return _animation("GIF", frames, size, delay)


def animated_webp(frames: int = 5, size: tuple[int, int] = (800, 400), delay: int = 120) -> bytes:
    return _animation("WEBP", frames, size, delay)


def turned_webp(size: tuple[int, int] = (1600, 800)) -> bytes:
    """Two frames that are to be turned by 90 degrees clockwise."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    first, second = _frames(2, size)
    return _saved(first, "WEBP", save_all=True, append_images=[second], exif=exif, lossless=True)


def profiled_webp() -> bytes:
    """Two frames, stored and meant as in `profiled_jpeg`."""
    one, other = (Image.new("RGB", (64, 64), (red, 30, 30)) for red in (230, 220))
    options = {"icc_profile": _swapped_profile(), "lossless": True}
    return _saved(one, "WEBP", save_all=True, append_images=[other], **options)


def pdf(pages: int = 1, *, width: int = 595, height: int = 842) -> bytes:
    """Blank pages of `width` × `height` points."""
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(width, height)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


# -- hostile and damaged -----------------------------------------------------------------------


def truncated_jpeg(width: int = 800, height: int = 600) -> bytes:
    """A good header and half of the pixels."""
    whole = photo_jpeg(width, height)
    return whole[: len(whole) // 2]


def truncated_png() -> bytes:
    whole = photo_png(400, 300)
    return whole[: len(whole) // 2]


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


@cache
def bomb_png(width: int = 30_000, height: int = 30_000) -> bytes:
    """A small, valid file that says and holds `width` × `height` pixels of one bit."""
    line = b"\0" * (1 + (width + 7) // 8)
    squeeze = zlib.compressobj(9)
    data = b"".join(squeeze.compress(line) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", data) + _png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bomb_bmp(width: int = 60_000, height: int = 60_000) -> bytes:
    """A header that promises `width` × `height` pixels, and nothing behind it."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + info + bytes(64)


def bomb_gif(frames: int = 300, side: int = 2_000) -> bytes:
    """Many frames of one dot: small to send, `frames` × `side`² pixels to draw."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes([0] * 3 + [255] * 3)
    # One pixel of colour 0 at minimal code size 2: clear, 0, end.
    pixel = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    delay = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
    return head + (delay + pixel) * frames + b"\x3b"


def html_as_jpeg() -> bytes:
    """What a `.jpg` may really be."""
    return b"<!doctype html><script>alert(1)</script>"
