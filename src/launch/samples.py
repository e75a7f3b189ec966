"""The sample files: photographs, a drawing, an animation, a film, a sound, a document, a text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from launch.errors import LaunchError

NAMES = (
    "lake-at-dusk-24mp.jpg",
    "portrait-12mp.jpg",
    "evening-8mp.webp",
    "poster-2mp.png",
    "tide.gif",
    "tide-720p.mp4",
    "surf.wav",
    "report.pdf",
    "field-notes.txt",
)


def ensure_samples(directory: Path) -> list[Path]:
    """Return the sample files in `directory`, having drawn those that were missing.

    They are drawn in a process of their own, which takes its memory with it when it ends. Raises
    `LaunchError` when that fails.
    """
    files = [directory / name for name in NAMES]
    if not all(file.exists() for file in files):
        command = [sys.executable, "-m", "launch", "draw", str(directory)]
        if subprocess.run(command, check=False).returncode != 0:  # noqa: S603
            raise LaunchError("The sample files could not be drawn (see above)")
    return files
