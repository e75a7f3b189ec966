"""Pictures turned and cut: the right side up, as deep and as coloured as before."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from apps.media.exceptions import CorruptFileError, UnsupportedTypeError
from apps.media.processing import sandbox
from apps.media.processing.crops import Crop
from apps.media.processing.edits import Edit, Edited, EditPlan, edit_from_text
from apps.media.processing.imageedits import turned
from apps.media.processing.types import Limits
from apps.media.tests import samples

Run = Callable[..., Edited]
LEFT_HALF = Crop(0, 0, 0.5, 1)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def edit(data: bytes, mime: str, turn: int = 0, crop: Crop | None = None) -> Edited:
        source = tmp_path / "source"
        source.write_bytes(data)
        out_dir = tmp_path / "out"
        out_dir.mkdir()
        plan = EditPlan.of(Edit(turn, crop), out_dir)
        return sandbox.run_edit(source, mime, plan=plan, limits=Limits())

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
