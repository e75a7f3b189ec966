"""Texts as engines write them: UTF-8, bounded, and nothing in them that a reader cannot see.

Shared by the engines of documents and of texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from apps.media.processing.types import Output, Recipe

MAX_TEXT = 5 * 1024 * 1024  # bytes of a text rendition

PAGE_BREAK = "\f"
_LONGEST_CHARACTER = 4  # bytes
# Controls but tab, line feed and form feed; halves of pairs, which UTF-8 cannot hold; what is no
# character at all.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_END = re.compile("\r\n?")


def clean(text: str) -> str:
    """`text` with plain line ends and without characters that nobody sees."""
    return _UNSEEN.sub("", _LINE_END.sub("\n", text))


def line_of(text: str, longest: int) -> str:
    """`text` as one line of at most that many characters, for metadata and titles."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:longest]


def write_text(parts: Iterable[str], recipe: Recipe, out_dir: Path) -> Output:
    """Writes the parts one after another, as far as `MAX_TEXT` goes; the rest is not asked for.

    A line end closes every file, so that a document without words makes one too.
    """
    path = out_dir / recipe.name
    room, is_closed = MAX_TEXT - 1, False
    with path.open("wb") as file:
        for part in parts:
            data = _fitting(clean(part).encode(), room)
            file.write(data)
            room -= len(data)
            is_closed = data.endswith(b"\n") if data else is_closed
            if room < _LONGEST_CHARACTER:
                break
        file.write(b"" if is_closed else b"\n")
    return written(recipe, path)


def _fitting(data: bytes, room: int) -> bytes:
    """The first `room` bytes, without half a character at their end."""
    return data if len(data) <= room else data[:room].decode(errors="ignore").encode()


def written(recipe: Recipe, path: Path) -> Output:
    """The output of a file that is no picture."""
    return Output(recipe.name, path, recipe.mime_type, 0, 0, path.stat().st_size)
