"""Draws the site's mark as the PNG files that home screens want, from the SVG files that it is."""

from __future__ import annotations

from pathlib import Path

import resvg_py

from launch.place import ROOT

ICONS = ROOT / "src/apps/media/static/media/icons"
# Name of the PNG file → the drawing, and its width and height in pixels. What a system cuts into
# the shape of its home screen ("maskable") fills the square and keeps to the middle.
MARKS = {
    "app-192.png": ("app.svg", 192),
    "app-512.png": ("app.svg", 512),
    "app-maskable-192.png": ("app-maskable.svg", 192),
    "app-maskable-512.png": ("app-maskable.svg", 512),
    "app-touch-180.png": ("app-maskable.svg", 180),
}


def mark_sources() -> list[Path]:
    """Return the files that decide what the marks look like."""
    return [Path(__file__), *sorted({ICONS / drawing for drawing, _size in MARKS.values()})]


def main(arguments: list[str]) -> int:
    """Draw every mark into the directory that `arguments` name."""
    target = Path(arguments[0])
    target.mkdir(parents=True, exist_ok=True)
    for name, (drawing, size) in MARKS.items():
        svg = (ICONS / drawing).read_text(encoding="utf-8")
        data = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)
        (target / name).write_bytes(bytes(data))
    return 0
