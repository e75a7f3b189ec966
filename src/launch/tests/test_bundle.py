"""The bundle is built when its sources changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from launch import bundle
from launch.bundle import bundle_sources, digest, refresh


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bundle, "ROOT", tmp_path)
    for name in (".npmrc", "package.json", "package-lock.json", "frontend/src/main.ts"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    seen: list[list[str]] = []
    monkeypatch.setattr(bundle, "run_tool", lambda command: seen.append(command) or 0)
    return seen


def make(root: Path) -> bool:
    return refresh(root / "dist", sources=bundle_sources(), command=["build"])


def test_second_build_is_skipped(root: Path, calls: list[list[str]]) -> None:
    assert make(root)
    assert make(root)
    assert calls == [["build"]]


def test_new_times_alone_change_nothing(root: Path, calls: list[list[str]]) -> None:
    make(root)
    (root / "package.json").touch()
    make(root)
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["package-lock.json", "frontend/src/main.ts", "frontend/new.ts"])
def test_changed_or_added_source_builds_again(
    root: Path, calls: list[list[str]], name: str
) -> None:
    make(root)
    (root / name).write_text("other")
    make(root)
    assert len(calls) == 2


def test_removed_source_builds_again(root: Path, calls: list[list[str]]) -> None:
    make(root)
    (root / "frontend/src/main.ts").unlink()
    make(root)
    assert len(calls) == 2


def test_failed_build_is_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "run_tool", lambda _command: 1)
    assert not make(root)
    assert not make(root)


def test_digest_knows_which_file_holds_what(root: Path) -> None:
    one, other = root / "a", root / "b"
    one.write_text("1")
    other.write_text("2")
    before = digest([one, other])
    one.write_text("2")
    other.write_text("1")
    assert digest([one, other]) != before
