"""The film of the benchmarks, and ffmpeg by hand."""

# ruff: noqa: E402 - the path to our own packages is set first

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

from apps.media.processing.installed import find_ffmpeg
from apps.media.tests.samples import photo

FFMPEG = find_ffmpeg()
# As heavy as what phones write; and what no browser plays.
PHONE = ("-c:v", "libx264", "-preset", "veryfast", "-b:v", "16M", "-g", "60")
CAMCORDER = ("-c:v", "mpeg4", "-b:v", "16M", "-g", "60")


def make_film(path: Path, seconds: int, coded: tuple[str, ...]) -> None:
    """A slow move over a picture with the statistics of a photograph, under the grain of a camera:
    1080p at 30 frames per second, with a tone."""
    still = path.with_name("still.jpg")
    photo(2880, 1620).save(still, "JPEG", quality=92)
    move = "crop=1920:1080:480+480*sin(t/2):270+270*sin(t/3),noise=alls=6:allf=t"
    inputs = ["-loop", "1", "-framerate", "30", "-t", str(seconds), "-i", still]
    inputs += ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={seconds}"]
    hand(path.parent, *inputs, "-vf", move, *coded, "-pix_fmt", "yuv420p", "-c:a", "aac", path)


def hand(folder: Path, *arguments: str | Path) -> None:
    command = [FFMPEG, "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, cwd=folder, check=True)
