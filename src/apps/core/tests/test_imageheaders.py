"""Dimensions from headers: right on real files, bounded on hostile ones."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from apps.core.imageheaders import (
    MAX_HEADER_BYTES,
    MAX_OPERATIONS,
    UnreadableHeaderError,
    image_size,
)
from apps.core.tests.corpus import CORPUS, corpus_files, needs_corpus

HEAD_BYTES = 65536


class Meter(io.BytesIO):
    """Counts what is read and how often."""

    read_bytes = 0
    operations = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0, "an unbounded read"
        data = super().read(size)
        self.read_bytes += len(data)
        self.operations += 1
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.operations += 1
        return super().seek(offset, whence)


def made(image_format: str, size: tuple[int, int] = (37, 23), **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, image_format, **options)
    return buffer


@pytest.mark.parametrize(
    "image_format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF"]
)
def test_size_of_each_format(image_format: str) -> None:
    assert image_size(made(image_format)) == (37, 23)


def test_lossless_webp_and_large_gif() -> None:
    assert image_size(made("WEBP", (1000, 3), lossless=True)) == (1000, 3)
    assert image_size(made("GIF", (40000, 2))) == (40000, 2)  # more than a signed 16-bit field


def test_icon_reports_its_largest_image() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64)).save(buffer, "ICO", sizes=[(16, 16), (64, 64), (32, 32)])
    assert image_size(buffer) == (64, 64)


def test_an_icon_cannot_hide_a_large_png() -> None:
    large = made("PNG", (900, 800)).getvalue()
    entry = b"\x10\x10\0\0\1\0\x20\0" + len(large).to_bytes(4, "little") + b"\x16\0\0\0"
    assert image_size(io.BytesIO(b"\0\0\1\0\1\0" + entry + large)) == (900, 800)


def test_a_bottom_up_and_a_top_down_bitmap() -> None:
    data = bytearray(made("BMP").getvalue())
    data[22:26] = (-23).to_bytes(4, "little", signed=True)
    assert image_size(io.BytesIO(bytes(data))) == (37, 23)


@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 20)), (3, (40, 20)), (6, (20, 40))])
def test_a_photo_is_measured_upright(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert image_size(made("JPEG", (40, 20), exif=exif)) == size


def test_the_file_is_read_from_its_start() -> None:
    file = made("PNG")
    file.seek(0, io.SEEK_END)
    assert image_size(file) == (37, 23)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xd8\xff\xd9", id="jpeg-without-frame"),
        pytest.param(b"\xff\xd8\xff\xe0\x00", id="jpeg-cut"),
        pytest.param(b"\xff\xd8\xff\xc0\0\x11\x08\0\0\0\x20\x03" + bytes(20), id="jpeg-no-lines"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", id="png-cut"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17), id="png-zero"),
        pytest.param(b"GIF89a\x01", id="gif-cut"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 " + bytes(30), id="webp-without-start-code"),
        pytest.param(b"BM" + bytes(8), id="bmp-cut"),
        pytest.param(b"P6 x y", id="pnm-without-numbers"),
        pytest.param(b"\0\0\1\0\0\0", id="ico-empty"),
    ],
)
def test_broken_headers_are_said_to_be_broken(data: bytes) -> None:
    with pytest.raises(UnreadableHeaderError):
        image_size(io.BytesIO(data))


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"%PDF-1.7", b"II*\0", b"\0\0\0\x10ftypheic" + bytes(4)]
)
def test_what_the_header_cannot_tell_is_none(data: bytes) -> None:
    assert image_size(io.BytesIO(data)) is None


def box(name: bytes, payload: bytes) -> bytes:
    return (len(payload) + 8).to_bytes(4, "big") + name + payload


def heif(*boxes: bytes) -> bytes:
    brands = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return brands + box(b"meta", bytes(4) + b"".join(boxes))


HOSTILE = {
    "jpeg-garbage": b"\xff\xd8\xff\xe0\0\2" + bytes(2_000_000),
    "jpeg-fill": b"\xff\xd8" + b"\xff" * 2_000_000,
    "jpeg-segments": b"\xff\xd8" + b"\xff\xe0\0\2" * 500_000,
    "tiff-entries": b"II+\0\x08\0\0\0"
    + (16).to_bytes(8, "little")
    + b"\xff" * 8
    + b"\1" * 2_000_000,
    "heif-boxes": heif(box(b"iprp", box(b"ipco", box(b"free", b"") * 200_000))),
    "heif-associations": heif(
        box(b"iprp", box(b"ipma", bytes(4) + b"\xff" * 4 + bytes(2_000_000)))
    ),
    "heif-extents": heif(box(b"iloc", bytes(6) + b"\xff\xff" + b"\0\0\0\0\xff\xff" * 65535)),
    "pnm-digits": b"P6 " + b"9" * 2_000_000,
    "pnm-comment": b"P6 #" + b"x" * 2_000_000,
    "gif-blocks": b"GIF89a\1\0\1\0\0\0\0!\xff" + b"\1x" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(10)
def test_a_hostile_header_costs_no_more_than_its_share(name: str) -> None:
    meter = Meter(HOSTILE[name])
    try:
        image_size(meter)
    except UnreadableHeaderError:
        assert not name.startswith(("tiff", "heif"))
    assert meter.read_bytes <= MAX_HEADER_BYTES + HEAD_BYTES
    assert meter.operations <= MAX_OPERATIONS + 2


@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "ICO"]), st.data()
)
def test_damaged_images_raise_nothing_else(image_format: str, data: st.DataObject) -> None:
    damaged = bytearray(made(image_format, (32, 32)).getvalue())
    for _ in range(4):
        at = data.draw(st.integers(4, min(len(damaged), 300) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for content in (damaged, damaged[:cut]):
        try:
            size = image_size(io.BytesIO(content))
        except UnreadableHeaderError:
            continue
        assert size is None or min(size) > 0


@needs_corpus
@pytest.mark.parametrize("group", ["images_valid", "images_exif_privacy"])
def test_real_images_have_the_size_that_a_decoder_sees(group: str) -> None:
    for path in corpus_files(group):
        if path.suffix in {".icns", ".mov", ".heic", ".heif"} or path.name == "testAVIF.avif":
            continue  # not images of ours, not known to Pillow alone, or cut behind the header
        with path.open("rb") as file, Image.open(path) as image:
            turned = image.format == "JPEG" and image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
            expected = image.size[::-1] if turned else image.size
            assert image_size(file) == expected, path.name


@needs_corpus
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("images_valid/cheers_1440x960.heic", (1440, 960)),
        ("images_valid/testHEIC_livePhoto.heic", (4032, 3024)),
        ("images_valid/hopper.heif", (128, 128)),
        ("images_bombs/65536-uint32-limit.png", (65536, 65536)),
        ("images_bombs/giant-image.jpg", (20000, 14000)),
        ("images_malformed/reallybig.bmp", (3_000_000, 2_000_000)),
    ],
)
def test_sizes_of_phone_photos_and_floods(name: str, expected: tuple[int, int]) -> None:
    with (CORPUS / name).open("rb") as file:
        assert image_size(file) == expected


@needs_corpus
def test_a_gif_with_a_small_screen_cannot_hide_a_huge_frame() -> None:
    with (CORPUS / "images_bombs" / "decompression_bomb.gif").open("rb") as file:
        size = image_size(file)
    assert size is not None
    assert size[0] * size[1] > 1_000_000_000


@needs_corpus
@pytest.mark.parametrize(
    "group", ["images_malformed", "images_bombs", "svg_malicious", "polyglots"]
)
def test_no_file_of_the_corpus_costs_more_than_a_header(group: str) -> None:
    def cost_of(path: Path) -> int:
        meter = Meter(path.read_bytes())
        with contextlib.suppress(UnreadableHeaderError):
            image_size(meter)
        return max(meter.read_bytes - HEAD_BYTES, meter.operations)

    assert max(map(cost_of, corpus_files(group))) < 8000
