"""SVG drawings: checked, bounded, and only then turned into pixels.

The rasteriser gets a text that was written anew from the checked tree (see `svgrules`), with a size
of ours; it has neither scripts nor a network. Letters need a font of the machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

import resvg_py

from apps.media.exceptions import CorruptFileError, TooManyPixelsError
from apps.media.processing import privacy
from apps.media.processing.geometry import Size
from apps.media.processing.libvips import prepare, pyvips, reading
from apps.media.processing.renditions import Original, as_srgb, render_all
from apps.media.processing.svgrules import ANIMATIONS, SVG, XLINK, embedded_pixels, read_drawing
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered

SMALLEST_SIDE, LARGEST_SIDE = 1024, 2000  # pixels of the longer side that a drawing is drawn with
MAX_WEIGHT = 500_000  # elements, those counted again that something refers to
_MAX_CHAIN = 250  # elements, each within or referred to by the one before
_PIXELS_PER_ELEMENT = 256

# CSS 2.1 §10.3.2: what has no size of its own is this large.
_DEFAULT_WIDTH, _DEFAULT_HEIGHT = 300.0, 150.0
_UNITS: Mapping[str, float] = {  # CSS pixels (CSS Values 4 §6)
    "": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 9.6 / 2.54,
    "em": 16, "ex": 8,
}  # fmt: skip
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_LENGTH = re.compile(rf"\s*({_NUMBER})\s*([a-z]*)\s*", re.IGNORECASE)
_BOX = re.compile(rf"\s*{_NUMBER}[\s,]+{_NUMBER}[\s,]+({_NUMBER})[\s,]+({_NUMBER})\s*")
_OWN_URL = re.compile(r"url\(\s*[\"']?#([^\"'()]*)")
_TEXTS = {f"{{{SVG}}}text", f"{{{SVG}}}tspan"}
_LEADS_AWAY = {f"{{{SVG}}}{name}" for name in (*ANIMATIONS, "a", "mpath")}


def probe(path: Path, mime: str, limits: Limits) -> Facts:
    """Facts of the checked drawing: its size is the one that it asks for, in CSS pixels.

    Raises `UnsafeContentError`, `CorruptFileError`, `TooManyPixelsError`.
    """
    root = read_drawing(path)
    size = _size(root, limits)
    _check_weight(root)
    facts = {"has_alpha": 1, "has_position": int(privacy.has_position(path, mime))}
    return Facts(size.width, size.height, metadata=facts)


def render(path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress) -> Rendered:
    """Makes every recipe of the plan, at any size: a drawing has no pixels that could run out.

    Raises what `probe` raises.
    """
    del mime
    root = read_drawing(path)
    size = _size(root, limits)
    _check_weight(root)

    def draw(pictures: Plan) -> Rendered:
        prepare()
        return render_all(Original(_drawn_size(size), partial(_draw, root)), pictures, progress)

    def copy(target: Path) -> None:
        target.write_bytes(tostring(root, encoding="utf-8", xml_declaration=True))

    return privacy.render_beside(plan, size, copy=copy, draw=draw)


# -- sizes -------------------------------------------------------------------------------------


def _size(root: Element, limits: Limits) -> Size:
    """As browsers lay it out (SVG 2 §7.2, §8.12), and written into the root where it lacks."""
    width, height = _length(root.get("width")), _length(root.get("height"))
    box = _box(root.get("viewBox"))
    if box and width is None and height is None:
        width, height = box
    elif box and width is not None and height is None:
        height = width * box[1] / box[0]
    elif box and height is not None and width is None:
        width = height * box[0] / box[1]
    width = _DEFAULT_WIDTH if width is None else width
    height = _DEFAULT_HEIGHT if height is None else height
    if width <= 0 or height <= 0:
        raise CorruptFileError(f"{width} x {height}")
    if not math.isfinite(width * height) or width * height > limits.max_pixels:
        raise TooManyPixelsError(f"{width} x {height}")
    if not box:
        root.set("viewBox", f"0 0 {width:.6g} {height:.6g}")
    return Size(max(1, round(width)), max(1, round(height)))


def _length(text: str | None) -> float | None:
    """In CSS pixels; None for what depends on where the drawing is shown."""
    found = _LENGTH.fullmatch(text or "")
    scale = _UNITS.get(found[2].lower()) if found else None
    return float(found[1]) * scale if found and scale is not None else None


def _box(text: str | None) -> tuple[float, float] | None:
    """Width and height of a view box; None where there is none that means anything."""
    found = _BOX.fullmatch(text or "")
    if not found:
        return None
    width, height = float(found[1]), float(found[2])
    return (width, height) if width > 0 and height > 0 and math.isfinite(width * height) else None


def _drawn_size(size: Size) -> Size:
    longest = max(size.width, size.height)
    side = min(max(longest, SMALLEST_SIDE), LARGEST_SIDE)
    width, height = (max(1, round(side * part / longest)) for part in (size.width, size.height))
    return Size(width, height)


# -- work --------------------------------------------------------------------------------------


def _check_weight(root: Element) -> None:
    """Raises `TooManyPixelsError` for a small file that draws a lot by referring to itself."""
    weight = _Weights(root).of(root, 1)
    if weight > MAX_WEIGHT:
        raise TooManyPixelsError(f"draws {weight} elements")


class _Weights:
    """How many elements each element makes the rasteriser draw. Each is weighed once."""

    def __init__(self, root: Element) -> None:
        self._named: dict[str, Element] = {}
        for element in root.iter():
            self._named.setdefault(element.get("id", ""), element)
        self._known: dict[Element, int] = {}
        self._open: set[Element] = set()

    def of(self, element: Element, chain: int) -> int:
        if element in self._known:
            return self._known[element]
        if element in self._open:
            raise CorruptFileError("an element refers to what it is in")
        if chain > _MAX_CHAIN:
            raise TooManyPixelsError("a chain of references")
        self._open.add(element)
        drawn = [*element, *self._referred(element)]
        self._known[element] = _own_weight(element) + sum(
            self.of(other, chain + 1) for other in drawn
        )
        self._open.remove(element)
        return self._known[element]

    def _referred(self, element: Element) -> list[Element]:
        if element.tag in _LEADS_AWAY:
            return []
        names = [name for value in element.attrib.values() for name in _OWN_URL.findall(value)]
        names += [href[1:] for href in _references(element) if href.startswith("#")]
        return [self._named[name] for name in names if name in self._named]


def _references(element: Element) -> list[str]:
    hrefs = (element.get("href"), element.get(f"{{{XLINK}}}href"))
    return [href.strip() for href in hrefs if href]


def _own_weight(element: Element) -> int:
    """A picture weighs as much as the shapes that take as long to draw."""
    pixels = sum(embedded_pixels(href) for href in _references(element))
    return 1 + pixels // _PIXELS_PER_ELEMENT


# -- pixels ------------------------------------------------------------------------------------


def _draw(root: Element, size: Size) -> pyvips.Image:
    """The drawing at exactly `size`, in memory."""
    root.set("width", str(size.width))
    root.set("height", str(size.height))
    letters = any(element.tag in _TEXTS for element in root.iter())
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=tostring(root, encoding="unicode"), skip_system_fonts=not letters
        )
    except ValueError as error:
        raise CorruptFileError(error) from error
    with reading():
        picture = pyvips.Image.pngload_buffer(png)
        if (picture.width, picture.height) != (size.width, size.height):
            raise CorruptFileError(f"drawn as {picture.width} x {picture.height}")
        return as_srgb(picture).copy_memory()
