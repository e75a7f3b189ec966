"""The samples are what their names say."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import pytest
from PIL import Image, ImageOps

from launch import draw
from launch.samples import NAMES


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("samples")
    draw.main([str(made)])
    return made


def test_every_named_sample_is_drawn(directory: Path) -> None:
    assert sorted(file.name for file in directory.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("lake-at-dusk-24mp.jpg", (6000, 4000)),
        ("portrait-12mp.jpg", (3000, 4000)),
        ("evening-8mp.webp", (3264, 2448)),
        ("poster-2mp.png", (1920, 1080)),
    ],
)
def test_pictures_have_their_size_when_upright(
    directory: Path, name: str, size: tuple[int, int]
) -> None:
    with Image.open(directory / name) as image:
        assert ImageOps.exif_transpose(image).size == size


def test_photographs_weigh_what_photographs_weigh(directory: Path) -> None:
    assert (directory / "lake-at-dusk-24mp.jpg").stat().st_size > 3_000_000


def test_animation_moves(directory: Path) -> None:
    with Image.open(directory / "tide.gif") as image:
        assert image.n_frames > 1


def test_film_has_picture_and_sound(directory: Path) -> None:
    with av.open(str(directory / "tide-720p.mp4")) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.width, picture.height, picture.codec_context.name) == (1280, 720, "h264")
        assert sound.codec_context.name == "aac"
        assert film.duration is not None
        assert abs(film.duration / av.time_base - 12) < 0.1
        assert sum(1 for _ in film.decode(picture)) == 12 * 25


def test_sound_is_heard(directory: Path) -> None:
    with wave.open(str(directory / "surf.wav")) as sound:
        assert sound.getnframes() == 8 * sound.getframerate()
        assert any(sound.readframes(1000))


def test_document_is_whole(directory: Path) -> None:
    content = (directory / "report.pdf").read_bytes()
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert content[start:].startswith(b"xref\n")
    for entry in content[start:].splitlines()[3:-5]:
        offset = int(entry.split()[0])
        assert content[offset:].split(b" ", 2)[2].startswith(b"obj")


def test_drawing_again_writes_nothing(directory: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in directory.iterdir()}
    draw.main([str(directory)])
    assert {file: file.stat().st_mtime_ns for file in directory.iterdir()} == before
