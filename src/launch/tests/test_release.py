"""What is refused before a release is made, and what makes it the same each time.

That the real one comes out the same from two clones, `make release ARGS=--rehearse` says in CI,
whose wheel is then the one that `docs/integrate.md` is typed with.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from launch.errors import LaunchError
from launch.release import _repack, digests, ensure_announced, ensure_same, read_commit

PERSON = {
    f"GIT_{role}_{what}": "ann@example.org"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def git(repository: Path, *words: str) -> None:
    environment = {**os.environ, **PERSON, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "-C", str(repository), *words], check=True, env=environment)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "tiny"\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n## 1.2.0 (2026-11-28)\n"
    )
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def test_a_tagged_and_announced_commit_is_taken(repository: Path) -> None:
    git(repository, "tag", "v1.2.0")
    commit = read_commit(repository)
    ensure_announced(commit)
    assert commit.version == "1.2.0"
    assert commit.epoch > 0


@pytest.mark.parametrize("name", ["CHANGELOG.md", "new.txt"])
def test_a_changed_or_added_file_is_refused(repository: Path, name: str) -> None:
    (repository / name).write_text("other")
    with pytest.raises(LaunchError, match=name):
        read_commit(repository)


@pytest.mark.parametrize("tag", ["", "v1.3.0", "1.2.0"])
def test_a_tag_that_is_missing_or_says_something_else_is_refused(
    repository: Path, tag: str
) -> None:
    if tag:
        git(repository, "tag", tag)
    with pytest.raises(LaunchError, match=r"no tag v1\.2\.0"):
        ensure_announced(read_commit(repository))


def test_a_version_that_the_changelog_does_not_know_is_refused(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0rc1\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Second")
    git(repository, "tag", "v1.2.0")
    with pytest.raises(LaunchError, match=r"no section 1\.2\.0"):
        ensure_announced(read_commit(repository))


def test_an_sdist_packed_at_another_time_in_another_order_is_the_same(tmp_path: Path) -> None:
    texts = {"a.txt": "one", "b.txt": "two"}
    for place, names, time in (("one", "a b", 1_000), ("two", "b a", 2_000)):
        directory = tmp_path / place
        directory.mkdir()
        with tarfile.open(directory / "tiny.tar.gz", "w:gz") as archive:
            for name in names.split():
                path = directory / f"{name}.txt"
                path.write_text(texts[path.name])
                os.utime(path, (time, time))
                path.chmod(0o600 if time > 1_000 else 0o640)
                archive.add(path, path.name)
                path.unlink()
        _repack(directory / "tiny.tar.gz", 1_700_000_000)
    ensure_same(digests(tmp_path / "one"), digests(tmp_path / "two"))
    with tarfile.open(tmp_path / "one" / "tiny.tar.gz") as archive:
        packed = {name: archive.extractfile(name) for name in archive.getnames()}
        assert {name: file.read(10).decode() for name, file in packed.items() if file} == texts


@pytest.mark.parametrize("second", [{"a": "2"}, {}, {"a": "1", "b": "1"}])
def test_what_differs_is_named(second: dict[str, str]) -> None:
    with pytest.raises(LaunchError, match=r"Not reproducible: (a|b)"):
        ensure_same({"a": "1"}, second)
