"""Joining is bytes after bytes, of tracks with one and the same head."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.media.exceptions import ProcessingCrashedError
from apps.media.processing.joining import join_tracks
from apps.media.processing.streamtypes import Segment, Track

HEAD = b"head of a track"


def part(folder: Path, name: str, *segments: bytes, head: bytes = HEAD) -> Track:
    path = folder / name
    path.write_bytes(head + b"".join(segments))
    sizes = tuple(Segment(4.0, len(segment)) for segment in segments)
    return Track("720p", path, "avc1.64001f", len(head), sizes, 1280, 720, 30.0)


def test_one_head_and_all_segments(tmp_path: Path) -> None:
    parts = [part(tmp_path, "a", b"one", b"two"), part(tmp_path, "b", b"three")]
    joined = join_tracks(parts, tmp_path / "joined")
    assert joined.path.read_bytes() == HEAD + b"onetwothree"
    assert [segment.size for segment in joined.segments] == [3, 3, 5]
    assert joined.size == joined.path.stat().st_size
    assert (joined.name, joined.codecs, joined.width) == ("720p", "avc1.64001f", 1280)


def test_one_part_is_a_copy(tmp_path: Path) -> None:
    only = part(tmp_path, "a", b"one")
    assert join_tracks([only], tmp_path / "joined").path.read_bytes() == only.path.read_bytes()


def test_another_head_is_refused_and_nothing_written(tmp_path: Path) -> None:
    parts = [part(tmp_path, "a", b"one"), part(tmp_path, "b", b"two", head=HEAD.upper())]
    with pytest.raises(ProcessingCrashedError):
        join_tracks(parts, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()


def test_a_part_is_never_written_over(tmp_path: Path) -> None:
    only = part(tmp_path, "a", b"one")
    with pytest.raises(FileExistsError):
        join_tracks([only], only.path)
    assert only.path.read_bytes() == HEAD + b"one"


def test_nothing_to_join(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing"):
        join_tracks([], tmp_path / "joined")
