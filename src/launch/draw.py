"""Draws the sample files: `python -m launch draw DIRECTORY`.

They are drawn, not shipped: nothing binary is in the repository and nobody's picture is used. The
same files come out every time. Only `launch.samples` starts this, as a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from launch import films, pdfs, scenes

NOTES = """\
Field notes
===========

Three days along the lake. The photographs are in the library; the report has the figures.

- Day 1: fog until ten, then clear. Water 11 °C.
- Day 2: wind from the west, the boats stayed in.
- Day 3: the long way round, 24 km.
"""
ORIENTATION_TAG = 0x0112
TURNED_RIGHT = 6


def write_photo(path: Path) -> None:
    """A 24 megapixel photograph, 6000 x 4000 pixels."""
    scenes.landscape(6000, 4000, seed=1).save(path, quality=88)


def write_portrait(path: Path) -> None:
    """A 12 megapixel photograph from a camera held upright: stored lying, told so in its EXIF."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = TURNED_RIGHT
    upright = scenes.landscape(3000, 4000, seed=2)
    upright.transpose(Image.Transpose.ROTATE_90).save(path, quality=85, exif=exif)


def write_webp(path: Path) -> None:
    """An 8 megapixel photograph, 3264 x 2448 pixels."""
    scenes.landscape(3264, 2448, seed=3).save(path, quality=80, method=0)


def write_drawing(path: Path) -> None:
    """A 2 megapixel drawing with flat colours and transparent parts."""
    scenes.drawing(1920, 1080).save(path, compress_level=3)


def write_animation(path: Path) -> None:
    """A moving picture of 24 frames."""
    first, *others = scenes.animation(480, 270, frames=24)
    first.save(path, save_all=True, append_images=others, duration=60, loop=0)


def write_film(path: Path) -> None:
    """A film of twelve seconds with sound, 1280 x 720 pixels."""
    films.film(path, seconds=12, width=1280, height=720)


def write_recording(path: Path) -> None:
    """Eight seconds of sound."""
    films.recording(path, seconds=8)


def write_report(path: Path) -> None:
    """A document of three pages."""
    path.write_bytes(pdfs.report(pages=3))


def write_notes(path: Path) -> None:
    """A text file."""
    path.write_text(NOTES, encoding="utf-8")


WRITERS: dict[str, Callable[[Path], None]] = {
    "lake-at-dusk-24mp.jpg": write_photo,
    "portrait-12mp.jpg": write_portrait,
    "evening-8mp.webp": write_webp,
    "poster-2mp.png": write_drawing,
    "tide.gif": write_animation,
    "tide-720p.mp4": write_film,
    "surf.wav": write_recording,
    "report.pdf": write_report,
    "field-notes.txt": write_notes,
}


def draw(path: Path) -> None:
    """Write the sample that `path` names; a run that was cut off never leaves half of one."""
    partial = path.with_name(f"partial-{path.name}")
    WRITERS[path.name](partial)
    partial.replace(path)


def main(arguments: list[str]) -> int:
    """Draw the samples that are missing in the directory that `arguments` name."""
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name in WRITERS:
        if not (directory / name).exists():
            draw(directory / name)
    return 0
