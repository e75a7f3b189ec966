"""Which files the demo takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from launch.demo import find_files
from launch.errors import LaunchError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a/c.png", "a/.hidden", ".git/config"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x")
    return tmp_path


def test_directory_is_searched_without_hidden_files(tree: Path) -> None:
    assert find_files([tree]) == [tree / "a/c.png", tree / "b.jpg"]


def test_file_is_taken_once(tree: Path) -> None:
    assert find_files([tree / "b.jpg", tree, tree / "b.jpg"]) == [tree / "b.jpg", tree / "a/c.png"]


def test_named_hidden_file_is_taken(tree: Path) -> None:
    assert find_files([tree / "a/.hidden"]) == [tree / "a/.hidden"]


def test_missing_file_is_named(tree: Path) -> None:
    with pytest.raises(LaunchError, match="no-such-file"):
        find_files([tree / "no-such-file"])


def test_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LaunchError):
        find_files([tmp_path])


def test_nothing_named_means_samples() -> None:
    assert find_files([]) == []
