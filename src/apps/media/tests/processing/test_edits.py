"""Pictures turned and cut: the right side up, as deep and as coloured as before."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from apps.media.exceptions import CorruptFileError, UnsupportedTypeError
from apps.media.processing import sandbox
from apps.media.processing.crops import Crop
from apps.media.processing.edits import Edit, Edited, EditPlan, edit_from_text
from apps.media.processing.imageedits import turned
from apps.media.processing.types import MIB, Limits
from apps.media.tests import heifs, samples
from apps.media.tests.processing.conftest import corpus_files

Run = Callable[..., Edited]
LEFT_HALF = Crop(0, 0, 0.5, 1)
REAL = {"cheers_1440x960.heic", "hopper.heif", "avif-orientation-6.avif", "exif.avif"}


def _heif_of_cameras() -> list[Path]:
    found = corpus_files("images_valid")
    return [path for path in found if path.name in REAL]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def edit(data: bytes, mime: str, turn: int = 0, crop: Crop | None = None) -> Edited:
        source = tmp_path / "source"
        source.write_bytes(data)
        out_dir = tmp_path / "out"
        out_dir.mkdir()
        plan = EditPlan.of(Edit(turn, crop), out_dir)
        limits = Limits(memory_bytes=6 * 1024 * MIB)  # as the services give it
        return sandbox.run_edit(source, mime, plan=plan, limits=limits)

    return edit


def _seen(path: Path) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def _corners(image: Image.Image) -> list[str]:
    """What is seen top left, top right, bottom left, bottom right."""
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white"}
    w, h = image.size
    places = [
        (w // 8, h // 8),
        (w * 7 // 8, h // 8),
        (w // 8, h * 7 // 8),
        (w * 7 // 8, h * 7 // 8),
    ]
    return [names[tuple(value // 128 for value in image.getpixel(at))] for at in places]  # type: ignore[index, union-attr]


TURNED = {
    0: ["red", "lime", "blue", "white"],
    90: ["blue", "red", "white", "lime"],
    180: ["white", "blue", "lime", "red"],
    270: ["lime", "white", "red", "blue"],
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_loses_nothing_whatever_side_was_up(run: Run, orientation: int) -> None:
    data = samples.oriented_jpeg(orientation)
    edited = run(data, "image/jpeg", 90)
    assert edited.is_lossless
    assert _corners(_seen(edited.path)) == TURNED[90]
    stored = (np.asarray(Image.open(one)) for one in (io.BytesIO(data), edited.path))
    assert np.array_equal(*stored)  # the very same pixels, told otherwise


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_jpeg_that_says_nothing_of_itself_is_told_so(run: Run, turn: int) -> None:
    file = io.BytesIO()
    samples.corners().save(file, "JPEG")
    edited = run(file.getvalue(), "image/jpeg", turn)
    assert edited.is_lossless
    assert _corners(_seen(edited.path)) == TURNED[turn]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_crop_is_of_the_picture_as_it_is_seen(run: Run, orientation: int) -> None:
    edited = run(samples.oriented_jpeg(orientation), "image/jpeg", 90, LEFT_HALF)
    assert not edited.is_lossless
    image = _seen(edited.path)
    assert image.size == (240, 640)
    assert _corners(image) == ["blue", "blue", "white", "white"]
    assert Image.open(edited.path).getexif().get(samples.ORIENTATION_TAG, 1) == 1


def test_what_the_camera_wrote_is_kept_and_its_thumbnail_is_not(run: Run) -> None:
    edited = run(samples.geotagged_jpeg(), "image/jpeg", crop=LEFT_HALF)
    exif = Image.open(edited.path).getexif()
    assert exif[samples.MODEL_TAG] == "Camera 3000"
    assert exif.get_ifd(samples.GPS_TAG)


def test_colours_and_depth_stay(run: Run, tmp_path: Path) -> None:
    deep = run(samples.deep_png(), "image/png", 180)
    assert deep.is_lossless
    ramp = np.asarray(Image.open(deep.path))
    assert (ramp[0, 0], ramp[0, -1]) == (65_535, 0)
    deep.path.parent.rename(tmp_path / "first")
    inks = run(samples.cmyk_jpeg(), "image/jpeg", crop=LEFT_HALF)
    was = Image.open(io.BytesIO(samples.cmyk_jpeg())).crop((0, 0, 200, 300))
    now = Image.open(inks.path)
    assert (now.mode, now.size) == ("CMYK", was.size)
    assert np.abs(np.asarray(now).astype(int) - np.asarray(was)).mean() < 5
    inks.path.parent.rename(tmp_path / "second")
    profiled = run(samples.profiled_jpeg(), "image/jpeg", crop=LEFT_HALF)
    assert Image.open(profiled.path).info["icc_profile"]


@pytest.mark.parametrize(
    ("data", "mime", "lossless"),
    [
        (samples.photo_webp, "image/webp", False),
        (samples.tiff, "image/tiff", True),
        (samples.palette_png, "image/png", True),
        (samples.transparent_png, "image/png", True),
        (samples.grey_alpha_png, "image/png", True),
    ],
)
def test_each_format_stays_itself(
    run: Run, data: Callable[[], bytes], mime: str, lossless: bool
) -> None:
    edited = run(data(), mime, 90)
    assert (edited.is_lossless, edited.mime_type) == (lossless, mime)
    was, now = Image.open(io.BytesIO(data())), Image.open(edited.path)
    assert (now.format, now.size) == (was.format, was.size[::-1])
    assert now.has_transparency_data == was.has_transparency_data


@pytest.mark.parametrize("mime", ["image/heic", "image/avif"])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_what_phones_write_becomes_avif_the_right_side_up(run: Run, mime: str, turn: int) -> None:
    data = heifs.heif_of(samples.corners(), mime)
    edited = run(data, mime, turn, Crop(0, 0, 1, 0.5) if not turn else None)
    assert (edited.mime_type, edited.is_lossless) == ("image/avif", False)
    image = Image.open(edited.path)
    assert image.format == "AVIF"
    if turn:
        assert image.size == ((480, 640) if turn in {90, 270} else (640, 480))
        assert _corners(_seen(edited.path)) == TURNED[turn]
    else:
        assert image.size == (640, 240)
        assert _corners(_seen(edited.path)) == ["red", "lime", "red", "lime"]
    exif = image.getexif()
    assert exif[samples.MODEL_TAG] == "Camera 3000"
    assert exif.get_ifd(samples.GPS_TAG)
    assert exif.get(samples.ORIENTATION_TAG, 1) == 1


@pytest.mark.parametrize("mime", ["image/heic", "image/avif"])
def test_turned_heif_is_seen_as_it_was_turned(run: Run, mime: str) -> None:
    """What its own box turns already, is turned on."""
    edited = run(heifs.heif_of(samples.corners(), mime, orientation=6), mime, 90)
    assert _corners(_seen(edited.path)) == TURNED[180]


@pytest.mark.parametrize("mime", ["image/heic", "image/avif"])
def test_ten_bits_and_transparency_stay(run: Run, mime: str, tmp_path: Path) -> None:
    edited = run(heifs.deep_heif(mime, tmp_path), mime, 180)
    assert pillow_heif.open_heif(str(edited.path)).info["bit_depth"] == 10
    edited.path.parent.rename(tmp_path / "first")
    ghost = samples.corners().convert("RGBA")
    ghost.putalpha(Image.linear_gradient("L").resize(ghost.size))
    clear = Image.open(run(heifs.heif_of(ghost, mime), mime, 180).path)
    assert clear.mode == "RGBA"
    assert clear.getpixel((10, 10))[3] > 240  # type: ignore[index]
    assert clear.getpixel((10, 470))[3] < 15  # type: ignore[index]


@pytest.mark.parametrize("mime", ["image/heic", "image/avif"])
def test_pixels_and_profile_of_heif_stay(run: Run, mime: str) -> None:
    profile = Image.open(io.BytesIO(samples.profiled_jpeg())).info["icc_profile"]
    picture = samples.photo(320, 240)
    finest = {"subsampling": "4:4:4"} if mime == "image/avif" else {"chroma": 444}
    data = heifs.heif_of(picture, mime, icc_profile=profile, **finest)
    edited = Image.open(run(data, mime, 180).path)
    assert edited.info["icc_profile"] == profile
    pillow_heif.register_heif_opener()
    was = np.asarray(Image.open(io.BytesIO(data)).convert("RGB").rotate(180)).astype(float)
    assert np.abs(np.asarray(edited.convert("RGB")) - was).mean() < 2


def test_heif_that_moves_or_glares_or_is_cut_off_is_refused(run: Run, tmp_path: Path) -> None:
    for number, (data, mime, error) in enumerate(
        [
            (heifs.moving_avif(), "image/avif", UnsupportedTypeError),
            (heifs.glaring_heic(), "image/heic", UnsupportedTypeError),
            (samples.heic()[:-500], "image/heic", CorruptFileError),
            (samples.avif()[:-500], "image/avif", CorruptFileError),
            (b"nothing", "image/heic", CorruptFileError),
        ]
    ):
        with pytest.raises(error):
            run(data, mime, 90)
        (tmp_path / "out").rename(tmp_path / str(number))


@pytest.mark.corpus
@pytest.mark.parametrize("path", _heif_of_cameras(), ids=lambda path: path.name)
def test_real_ones_are_turned(run: Run, path: Path) -> None:
    mime = "image/avif" if path.suffix == ".avif" else "image/heic"
    pillow_heif.register_heif_opener()
    was = Image.open(path)
    now = Image.open(run(path.read_bytes(), mime, 90).path)
    assert now.size == was.size[::-1]
    small = (was.convert("RGB").rotate(-90, expand=True), now.convert("RGB"))
    first, second = (np.asarray(one.resize((64, 64))).astype(float) for one in small)
    assert np.abs(first - second).mean() < 3
    assert now.getexif().get(samples.MODEL_TAG) == was.getexif().get(samples.MODEL_TAG)


def test_what_moves_or_is_broken_or_is_no_picture_is_refused(run: Run, tmp_path: Path) -> None:
    for number, (data, mime, error) in enumerate(
        [
            (samples.animated_webp(), "image/webp", UnsupportedTypeError),
            (samples.animated_gif(), "image/gif", UnsupportedTypeError),
            (b"<svg/>", "image/svg+xml", UnsupportedTypeError),
            (samples.truncated_png(), "image/png", CorruptFileError),
        ]
    ):
        with pytest.raises(error):
            run(data, mime, 90)
        (tmp_path / "out").rename(tmp_path / str(number))


def test_turns_come_round() -> None:
    for orientation in range(1, 9):
        seen = [turned(orientation, degrees) for degrees in (0, 90, 180, 270)]
        assert seen[0] == orientation
        assert len(set(seen)) == 4
        assert turned(seen[3], 90) == orientation


@pytest.mark.parametrize(
    "edit", [Edit(90), Edit(270, LEFT_HALF), Edit(0, Crop(0.1, 0.2, 0.3, 0.4))]
)
def test_an_edit_is_read_as_it_was_written(edit: Edit) -> None:
    assert edit_from_text(str(edit)) == edit
    assert len(str(edit)) <= 64


def test_nonsense_is_no_edit() -> None:
    assert not Edit()
    assert not Edit(0, Crop(0, 0, 1, 1))
    with pytest.raises(ValueError, match="degrees"):
        Edit(45)
    for text in ("", "r091", "r090@", "r090@1-2-3-4", "r090@0900-0000-0500-0500"):
        with pytest.raises(ValueError):
            edit_from_text(text)
