"""What a picture tells beside itself: whether it says where, and a copy that tells nothing.

A copy keeps every pixel as it is, and the colour profile and the orientation, which belong to the
picture; all else goes: Exif, XMP, IPTC, comments, thumbnails, and films hidden behind the end. Its
pixels are never decoded. Raises `CorruptFileError` for containers that lead out of the file.
"""

from __future__ import annotations

import mmap
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from apps.media.exceptions import CorruptFileError
from apps.media.processing import heifboxes, imageparts, tiffblocks
from apps.media.processing.geometry import Size
from apps.media.processing.imageparts import CUTS, EXIF_BLOCKS, Part
from apps.media.processing.tiffblocks import Patch
from apps.media.processing.types import Output, Plan, Rendered

Copy = Callable[[Path], None]
"""Writes the clean copy to a path."""

UPRIGHT = 1  # Exif orientation
_LONGEST_TOLD = 4 * 1024 * 1024  # bytes of one Exif or XMP that are looked at
_XMP_PLACE = re.compile(rb"GPS(?:Dest)?L(?:at|ong)itude|GPSPosition", re.IGNORECASE)
# PNG's compressed kinds are not unpacked: that they may tell is enough.
_PACKED_XMP = b"XML:com.adobe.xmp\0\1"
_PACKED_EXIF = b"Raw profile type"
# Of pictures and films behind the end of a picture; QuickTime's and 3GPP's words for a position.
_TRAILING_PLACE = re.compile(rb"Exif\0\0|\xa9xyz|loci|GPSL(?:at|ong)itude")

_PATCHES: Mapping[str, Callable[[mmap.mmap], Iterator[Patch]]] = {
    "image/tiff": tiffblocks.cleaning,
    **dict.fromkeys(("image/heic", "image/heif", "image/avif"), heifboxes.cleaning),
}


def render_beside(
    plan: Plan, size: Size, *, copy: Copy, draw: Callable[[Plan], Rendered]
) -> Rendered:
    """The clean copies of a plan by `copy`, the other recipes by `draw`, in the plan's order.

    What only asks for copies draws nothing. `size` is that of the upright original.
    """
    pictures = tuple(recipe for recipe in plan.recipes if recipe.product != "clean")
    made: dict[str, Output] = {}
    for recipe in plan.recipes:
        if recipe.product == "clean":
            path = plan.out_dir / recipe.name
            copy(path)
            bytes_ = path.stat().st_size
            made[recipe.name] = Output(recipe.name, path, "", size.width, size.height, bytes_)
    only_copies = bool(made) and not pictures
    drawn = Rendered(()) if only_copies else draw(replace(plan, recipes=pictures))
    made |= {output.name: output for output in drawn.outputs}
    return replace(drawn, outputs=tuple(made[recipe.name] for recipe in plan.recipes))


# -- positions ---------------------------------------------------------------------------------


def has_position(path: Path, mime: str) -> bool:
    """Whether the file says where it was made. Never raises: a broken container, which no decoder
    reads either, says nothing."""
    try:
        with _mapped(path) as data:
            return _tells_position(data, mime)
    except CorruptFileError:
        return False


def picture_has_position(picture: bytes, mime: str) -> bool:
    """The same of a picture that is attached to another file."""
    if not picture:
        return False
    with mmap.mmap(-1, len(picture)) as data:
        data.write(picture)
        try:
            return _tells_position(data, mime)
        except CorruptFileError:
            return False


def text_has_position(text: str) -> bool:
    """Whether an XMP says so."""
    return bool(_XMP_PLACE.search(text.encode(errors="replace")))


def _tells_position(data: mmap.mmap, mime: str) -> bool:
    if mime in CUTS:
        return any(_part_tells(data, part) for part in CUTS[mime](data))
    if mime == "image/tiff":
        texts = tiffblocks.xmp_texts(data)
        return tiffblocks.tells_position(data) or any(map(_XMP_PLACE.search, texts))
    if mime in _PATCHES:
        return _heif_tells(data)
    return bool(_XMP_PLACE.search(data))


def _part_tells(data: mmap.mmap, part: Part) -> bool:
    if part.kind == "trailer":
        return bool(_TRAILING_PLACE.search(data, part.body))
    told = data[part.body : min(part.end, part.body + _LONGEST_TOLD)]
    if part.kind == "exif":
        return tiffblocks.tells_position(told) or told.startswith(_PACKED_EXIF)
    if part.kind == "xmp" and told.startswith(_PACKED_XMP):
        return True
    return part.kind != "kept" and bool(_XMP_PLACE.search(told))  # converters make texts of Exif


def _heif_tells(data: mmap.mmap) -> bool:
    """In an item, or in a box beside the pictures, such as the film of a moving photograph."""
    if any(_item_tells(data, item) for item in heifboxes.told_items(data)):
        return True
    beside = heifboxes.boxes_beside(data)
    return any(_TRAILING_PLACE.search(data, start, end) for start, end in beside)


def _item_tells(data: mmap.mmap, item: heifboxes.Item) -> bool:
    told = b"".join(data[start : min(end, start + _LONGEST_TOLD)] for start, end in item.pieces)
    if item.name == b"Exif":
        return tiffblocks.tells_position(told[4 + int.from_bytes(told[:4], "big") :])
    return bool(_XMP_PLACE.search(told))


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file without a copy in memory."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise CorruptFileError("empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


# -- copies ------------------------------------------------------------------------------------


def write_clean(path: Path, mime: str, target: Path, *, orientation: int = UPRIGHT) -> None:
    """Writes the copy to `target`. `orientation` (Exif's) is kept where only Exif tells it."""
    with _mapped(path) as data:
        if mime in CUTS:
            _write_kept(data, mime, target, orientation)
            return
        patches = tuple(_PATCHES[mime](data)) if mime in _PATCHES else ()
    shutil.copyfile(path, target)
    with target.open("r+b") as file:
        for at, new in patches:
            file.seek(at)
            file.write(new)


def _write_kept(data: mmap.mmap, mime: str, target: Path, orientation: int) -> None:
    """The kept parts, and an Exif of the orientation alone where the first Exif was."""
    owed = b""
    if orientation != UPRIGHT and mime in EXIF_BLOCKS:
        owed = EXIF_BLOCKS[mime](tiffblocks.exif_with(orientation))
    has_exif = False
    with target.open("w+b") as file:
        for part in CUTS[mime](data):
            if part.kind == "kept":
                with memoryview(data) as view:
                    file.write(view[part.start : part.end])
            elif part.kind == "exif" and owed and not has_exif:
                file.write(owed)
                has_exif = True
        if mime == "image/webp":
            size = file.tell()
            file.seek(0)
            head = imageparts.webp_fixed(file.read(30), size, has_exif=has_exif)
            file.seek(0)
            file.write(head)
