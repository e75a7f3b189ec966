"""Clean copies: the same pixels to the last bit, and not a word about where, when, who or what."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from apps.core.tests.corpus import corpus_files, needs_corpus
from apps.media.exceptions import CorruptFileError
from apps.media.processing.privacy import has_position, write_clean
from apps.media.processing.types import Output, Recipe
from apps.media.tests import samples
from apps.media.tests.processing.conftest import Render, Save, probe

Make = Callable[..., bytes]

CLEAN = Recipe("clean", format="same", product="clean")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LATITUDE = (48.0, 51.0, 29.0)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">%s</x:xmpmeta>'
XMP_PLACE = XMP % b'<r exif:GPSLatitude="48,51.5N" exif:GPSLongitude="2,17.6E"/>'
# Every word and number that a copy must not hold.
TOLD = (
    b"Camera 3000",
    b"2024:05:06",
    b"GPS",
    *(struct.pack(order + "IIIIII", 48, 1, 51, 1, 29, 1) for order in "<>"),
)


def exif(*, position: bool = True, orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[samples.MODEL_TAG] = "Camera 3000"
    made[samples.ORIENTATION_TAG] = orientation
    made.get_ifd(0x8769)[samples.DATE_TAG] = "2024:05:06 07:08:09"
    if position:
        made.get_ifd(samples.GPS_TAG).update({1: "N", 2: LATITUDE, 3: "E", 4: (2.0, 17.0, 40.0)})
    return made


def saved(format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image = samples.photo(64, 48)
    image.save(buffer, format_, **({"exif": exif(), "icc_profile": PROFILE} | options))
    return buffer.getvalue()


def jpeg(**options: Any) -> bytes:
    return saved("JPEG", **({"comment": b"Camera 3000", "xmp": XMP_PLACE} | options))


def progressive_jpeg(**options: Any) -> bytes:
    return jpeg(progressive=True, restart_marker_blocks=1, **options)


def png(**options: Any) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Model", "Camera 3000")
    texts.add_text("Comment", "2024:05:06", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP_PLACE.decode())
    return saved("PNG", **({"pnginfo": texts} | options))


def webp(**options: Any) -> bytes:
    return saved("WEBP", **({"xmp": XMP_PLACE, "lossless": True} | options))


def avif(**options: Any) -> bytes:
    return saved("AVIF", **({"xmp": XMP_PLACE, "speed": 10} | options))


def heic(**options: Any) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    return saved("HEIF", **({"xmp": XMP_PLACE, "exif": exif().tobytes()} | options))


FORMATS: dict[str, tuple[str, Make]] = {
    "jpeg": ("image/jpeg", jpeg),
    "jpeg-progressive": ("image/jpeg", progressive_jpeg),
    "png": ("image/png", png),
    "webp": ("image/webp", webp),
    "avif": ("image/avif", avif),
    "heic": ("image/heic", heic),
}
each_format = pytest.mark.parametrize(("mime", "make"), FORMATS.values(), ids=FORMATS.keys())
turnable = pytest.mark.parametrize(
    ("mime", "make"), [("image/jpeg", jpeg), ("image/png", png), ("image/webp", webp)]
)


def pixels(source: bytes | Path) -> list[tuple[bytes, object, object]]:
    """Of all frames, with what belongs to them: colour profile and delay."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            seen = image.tobytes()
            frames.append((seen, image.info.get("icc_profile"), image.info.get("duration")))
        return frames


def cleaned(render: Render, data: bytes | Path, mime: str) -> Output:
    return render(data, mime, (CLEAN,)).outputs[0]


class TestPositions:
    @each_format
    def test_in_exif(self, mime: str, make: Make, save: Save) -> None:
        assert probe(save(make(xmp=XMP % b"")), mime).metadata["has_position"] == 1

    @each_format
    def test_in_xmp(self, mime: str, make: Make, save: Save) -> None:
        data = make(exif=exif(position=False).tobytes())
        assert probe(save(data), mime).metadata["has_position"] == 1

    def test_in_texts_that_converters_make_of_exif(self, save: Save) -> None:
        texts = PngImagePlugin.PngInfo()
        texts.add_text("exif:GPSLatitude", "48/1, 51/1, 29/1")
        data = saved("PNG", pnginfo=texts, exif=exif(position=False))
        assert probe(save(data), "image/png").metadata["has_position"] == 1

    @pytest.mark.parametrize(
        "told",
        [
            struct.pack(">I4s4s", 12, b"mpvd", b"\xa9xyz"),
            struct.pack(">I4sI4s4s", 20, b"moov", 12, b"udta", b"loci"),
            b"\xa9xyz",
        ],
        ids=["moving photograph", "sequence", "behind the end"],
    )
    def test_beside_the_picture_of_a_heic(self, told: bytes, save: Save) -> None:
        data = heic(xmp=XMP % b"", exif=exif(position=False).tobytes())
        assert probe(save(data + told), "image/heic").metadata["has_position"] == 1

    @each_format
    def test_nowhere(self, mime: str, make: Make, save: Save) -> None:
        texts = {"pnginfo": None} if make is png else {"xmp": XMP % b""}
        data = make(exif=exif(position=False).tobytes(), **texts)
        assert probe(save(data), mime).metadata["has_position"] == 0

    @pytest.mark.parametrize("big", [False, True])
    def test_in_tiff(self, big: bool, save: Save) -> None:
        with_place = tiff_with(big=big, position=True)
        assert probe(save(with_place), "image/tiff").metadata["has_position"] == 1
        without = tiff_with(big=big, position=False)
        assert probe(save(without), "image/tiff").metadata["has_position"] == 0

    def test_a_receiver_without_a_fix_says_nothing(self, save: Save) -> None:
        told = exif(position=False)
        told.get_ifd(samples.GPS_TAG)[0] = b"\2\3\0\0"
        data = jpeg(exif=told, xmp=b"")
        assert probe(save(data), "image/jpeg").metadata["has_position"] == 0

    def test_behind_the_end(self, save: Save) -> None:
        """Phones put a film or a second picture there, with a position of its own."""
        plain = samples.photo_jpeg(64, 48)
        assert probe(save(plain + b"moov" * 9), "image/jpeg").metadata["has_position"] == 0
        data = plain + b"moov\xa9xyz+48.8583+002.2944/"
        assert probe(save(data), "image/jpeg").metadata["has_position"] == 1

    def test_what_is_packed_may_tell(self, save: Save) -> None:
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Raw profile type exif", "\nexif\n4\n00000000\n", zip=True)
        data = png(exif=None, pnginfo=texts)
        assert probe(save(data), "image/png").metadata["has_position"] == 1


def tiff_with(*, big: bool = False, position: bool = True) -> bytes:
    """With words of its own, XMP, and directories below for camera and position."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = tags[315] = "Camera 3000"
    tags[700] = XMP % b"2024:05:06"
    tags[0x8769] = {samples.DATE_TAG: "2024:05:06 07:08:09"}
    if position:
        tags[samples.GPS_TAG] = {1: "N", 2: LATITUDE, 3: "E", 4: (2.0, 17.0, 40.0)}
    return saved("TIFF", exif=None, tiffinfo=tags, big_tiff=big)


class TestCopies:
    @each_format
    def test_the_pixels_and_the_profile_are_the_same_and_nothing_is_told(
        self, mime: str, make: Make, render: Render
    ) -> None:
        data = make()
        output = cleaned(render, data, mime)
        assert (output.mime_type, output.width, output.height) == (mime, 64, 48)
        assert pixels(output.path) == pixels(data)
        self._check_nothing_is_told(data, output)

    @pytest.mark.parametrize("big", [False, True])
    def test_tiff(self, big: bool, render: Render) -> None:
        data = tiff_with(big=big)
        output = cleaned(render, data, "image/tiff")
        assert pixels(output.path) == pixels(data)
        self._check_nothing_is_told(data, output)

    def _check_nothing_is_told(self, data: bytes, output: Output) -> None:
        copy = output.path.read_bytes()
        assert [word for word in TOLD if word in data]
        assert not [word for word in TOLD if word in copy]
        with Image.open(output.path) as image:
            assert not image.getexif().get_ifd(samples.GPS_TAG)
        assert probe(output.path, output.mime_type).metadata["has_position"] == 0

    @turnable
    @pytest.mark.parametrize("orientation", [2, 6])
    def test_it_is_turned_as_before(
        self, mime: str, make: Make, orientation: int, render: Render, save: Save
    ) -> None:
        data = make(exif=exif(orientation=orientation))
        before = probe(save(data), mime)
        output = cleaned(render, data, mime)
        after = probe(output.path, mime)
        assert after.metadata["orientation"] == orientation
        assert (after.width, after.height) == (before.width, before.height)
        assert (output.width, output.height) == (before.width, before.height)
        assert pixels(output.path) == pixels(data)
        with Image.open(output.path) as image:
            assert dict(image.getexif()) == {samples.ORIENTATION_TAG: orientation}

    @pytest.mark.parametrize(
        ("mime", "make"),
        [
            ("image/jpeg", jpeg),
            ("image/png", png),
            ("image/webp", webp),
            ("image/heic", heic),
            ("image/gif", samples.animated_gif),
        ],
    )
    def test_what_hides_behind_the_end_goes(self, mime: str, make: Make, render: Render) -> None:
        hidden = struct.pack(">I", 24) + b"mpvd" + b"a film of home!!"
        copy = cleaned(render, make() + hidden, mime).path.read_bytes()
        assert b"a film of home" not in copy

    @pytest.mark.parametrize(
        ("mime", "make"),
        [("image/gif", samples.animated_gif), ("image/webp", samples.animated_webp)],
    )
    def test_animations_keep_playing(self, mime: str, make: Make, render: Render) -> None:
        data = make()
        path = cleaned(render, data, mime).path
        assert pixels(path) == pixels(data)
        assert Image.open(path).info["loop"] == Image.open(io.BytesIO(data)).info["loop"]

    def test_comments_of_a_gif_go(self, render: Render) -> None:
        data = saved("GIF", comment=b"Camera 3000", save_all=True)
        output = cleaned(render, data, "image/gif")
        assert pixels(output.path) == pixels(data)
        self._check_nothing_is_told(data, output)

    def test_no_pixel_is_decoded_for_a_copy_alone(self, render: Render) -> None:
        """Pixels that cannot be decoded are copied all the same."""
        data = bytearray(png(pnginfo=None))
        at = data.index(b"IDAT")
        data[at + 8 : at + 100] = bytes(92)
        output = cleaned(render, bytes(data), "image/png")
        assert output.size > len(data) // 2

    def test_beside_pictures_it_keeps_its_place(self, render: Render) -> None:
        recipes = (Recipe("a.webp", 20), CLEAN, Recipe("b.webp", 10))
        rendered = render(jpeg(), "image/jpeg", recipes)
        assert [output.name for output in rendered.outputs] == ["a.webp", "clean", "b.webp"]
        assert rendered.placeholder

    @pytest.mark.parametrize("make", [samples.bmp, samples.deep_png])
    def test_what_tells_nothing_stays_as_it_is(self, make: Make, render: Render) -> None:
        mime = "image/bmp" if make is samples.bmp else "image/png"
        assert cleaned(render, make(), mime).path.read_bytes() == make()


class TestDamage:
    """Nothing is decoded here, so that no decoder is at risk in this process."""

    @pytest.mark.parametrize(
        ("mime", "make"),
        [
            *FORMATS.values(),
            ("image/tiff", tiff_with),
            ("image/gif", lambda: samples.animated_gif(2, (16, 8))),
        ],
    )
    def test_damage_is_an_error_of_ours_or_none(self, mime: str, make: Make, save: Save) -> None:
        """Cut short anywhere, and with any length or offset changed."""
        data = make()
        damaged = [data[:end] for end in range(0, len(data), max(1, len(data) // 150))]
        rng = np.random.default_rng(5)
        for at in rng.integers(0, len(data) - 4, 300):
            damaged.append(data[:at] + rng.bytes(4) + data[at + 4 :])
        errors = 0
        for broken in damaged:
            source = save(broken)
            assert has_position(source, mime) in {True, False}
            try:
                write_clean(source, mime, source.with_name("copy"))
            except CorruptFileError:
                errors += 1
        assert 0 < errors < len(damaged)

    def test_a_directory_over_the_header(self, render: Render) -> None:
        """Blanking its value would cost the picture."""
        data = bytearray(tiff_with())
        entry = data.index(struct.pack("<HH", 270, 2))
        struct.pack_into("<II", data, entry + 4, 12, 0)
        with pytest.raises(CorruptFileError):
            cleaned(render, bytes(data), "image/tiff")


@needs_corpus
@pytest.mark.parametrize("path", corpus_files("images_exif_privacy"), ids=lambda path: path.name)
def test_the_corpus_of_cameras_and_broken_exif(path: Path, render: Render) -> None:
    if path.suffix == ".mov":
        pytest.skip("films are cleaned by another engine")
    mime = "image/png" if path.suffix == ".png" else "image/jpeg"
    says_where = probe(path, mime).metadata["has_position"]
    assert says_where == (path.name.startswith("DSCN") or "gps" in path.name)
    output = cleaned(render, path, mime)
    assert pixels(output.path) == pixels(path)
    assert probe(output.path, mime).metadata["has_position"] == 0
    with Image.open(output.path) as image:
        assert not dict(image.getexif())
