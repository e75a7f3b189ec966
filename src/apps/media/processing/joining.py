"""Joins tracks that were encoded in stretches: one head, then all segments. Bytes only."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from apps.media.exceptions import ProcessingCrashedError
from apps.media.processing.streamtypes import Track

_CHUNK = 1024 * 1024  # bytes in memory at a time
_LONGEST_HEAD = 1024 * 1024


def join_tracks(parts: Sequence[Track], target: Path) -> Track:
    """Writes `parts`, in order, as one track to `target`, which may not be one of them.

    Each part was written with the timestamps of its place in the film, so that nothing is changed.
    Raises `ProcessingCrashedError` when the heads differ: then other settings or another encoder
    made one of them, and players would decode it wrongly.
    """
    if not parts:
        raise ValueError("nothing to join")
    first, *others = parts
    head = _head(first)
    for part in others:
        if _head(part) != head:
            raise ProcessingCrashedError(f"{part.path.name} cannot follow {first.path.name}")
    with target.open("xb") as joined:
        joined.write(head)
        for part in parts:
            _append(part, joined)
    segments = tuple(segment for part in parts for segment in part.segments)
    return replace(first, path=target, segments=segments)


def _head(track: Track) -> bytes:
    if track.head > _LONGEST_HEAD:
        raise ProcessingCrashedError(f"the head of {track.path.name} has {track.head} bytes")
    with track.path.open("rb") as file:
        return file.read(track.head)


def _append(track: Track, joined: BinaryIO) -> None:
    with track.path.open("rb") as file:
        file.seek(track.head)
        shutil.copyfileobj(file, joined, _CHUNK)
