"""`make release`: wheel, sdist and what proves them, of one tagged commit, into `dist/`.

Everything is made twice, from two clean clones, and has to come out the same byte for byte: then
whoever has the commit can make it again and compare. `make release ARGS=--rehearse` does the same
with a commit that has no tag yet.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from launch.errors import LaunchError
from launch.node import npm_command
from launch.place import ROOT
from launch.trust import trusting_environment

SUMS = "SHA256SUMS"
NAME = "media-app"  # of the clones: some programs write the name of their directory down


@dataclass(frozen=True)
class Commit:
    """What is released: a repository, its commit, and the second at which that was made."""

    repository: Path
    sha: str
    epoch: int
    version: str


def _git(repository: Path, *words: str) -> str:
    command = ["git", "-C", str(repository), *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def read_commit(repository: Path) -> Commit:
    """Return the commit that is checked out; raise `LaunchError` where files differ from it."""
    if changed := _git(repository, "status", "--porcelain"):
        raise LaunchError(f"There is more here than the commit has:\n{changed}")
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sha, epoch = _git(repository, "log", "-1", "--format=%H %ct").split()
    return Commit(repository, sha, int(epoch), project["version"])


def ensure_announced(commit: Commit) -> None:
    """Raise `LaunchError` unless tag, version and changelog say the same."""
    tags = _git(commit.repository, "tag", "--points-at", commit.sha).split()
    if f"v{commit.version}" not in tags:
        raise LaunchError(
            f"pyproject.toml says {commit.version}, and the commit has no tag v{commit.version} "
            f"(it has: {', '.join(tags) or 'none'})."
        )
    changelog = (commit.repository / "CHANGELOG.md").read_text(encoding="utf-8")
    if not any(line.split()[:2] == ["##", commit.version] for line in changelog.splitlines()):
        raise LaunchError(f"CHANGELOG.md has no section {commit.version}.")


def make_artifacts(commit: Commit, directory: Path) -> Path:
    """Make everything from a clean clone below `directory`; return where it lies."""
    clone, made = directory / NAME, directory / "made"
    made.mkdir(parents=True)
    _git(commit.repository, "clone", "--quiet", "--no-local", ".", str(clone))
    _git(clone, "checkout", "--quiet", "--detach", commit.sha)
    _build(commit, clone, made)
    stem = f"media_app-{commit.version}"
    _repack(made / f"{stem}.tar.gz", commit.epoch)
    _write_bill_of_python(commit, clone, made / f"{stem}-python.cdx.json")
    _write_bill_of_scripts(commit, clone, made / f"{stem}-scripts.cdx.json")
    licences = _run(commit, clone, [sys.executable, "-m", "launch", "licences"])
    (made / f"{stem}-licences.md").write_text(licences, encoding="utf-8")
    return made


def _run(commit: Commit, clone: Path, command: list[str]) -> str:
    """Run a program in the clone, with its sources and the commit's time; return its output."""
    environment = {
        **trusting_environment(first_in_path=command[0]),
        "PYTHONPATH": str(clone / "src"),
        "SOURCE_DATE_EPOCH": str(commit.epoch),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    done = subprocess.run(  # noqa: S603
        command,
        cwd=clone,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        umask=0o022,
    )
    if done.returncode:
        raise LaunchError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _build(commit: Commit, clone: Path, made: Path) -> None:
    """Make the sdist, and the wheel of the sdist: so that the sdist is known to be enough.

    The build tools are those of this environment, which are locked with hashes.
    """
    _run(commit, clone, [sys.executable, "-m", "launch", "bundle"])
    _run(
        commit, clone, [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), "."]
    )


def _repack(archive: Path, epoch: int) -> None:
    """Write an sdist anew without what differs from build to build: times, owners, order."""
    with tarfile.open(archive) as source:
        members = sorted(source.getmembers(), key=lambda member: member.name)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as target:
            for member in members:
                target.addfile(_plain(member, epoch), source.extractfile(member))
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=epoch) as compressed,
    ):
        compressed.write(packed.getbuffer())


def _plain(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    plain = tarfile.TarInfo(member.name)
    plain.type, plain.size, plain.mtime = member.type, member.size, epoch
    plain.mode = 0o755 if member.isdir() else 0o644
    return plain


def _write_bill_of_python(commit: Commit, clone: Path, target: Path) -> None:
    program = Path(sys.executable).with_name("cyclonedx-py")
    command = [str(program), "requirements", "requirements/base.txt"]
    options = ["--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON"]
    target.write_text(_run(commit, clone, [*command, *options]), encoding="utf-8")


def _write_bill_of_scripts(commit: Commit, clone: Path, target: Path) -> None:
    """Of what is locked for the bundle; npm wants a version, and adds a time and a number."""
    manifest = clone / "package.json"
    package = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**package, "version": commit.version}), encoding="utf-8")
    options = ["--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"]
    bill = json.loads(_run(commit, clone, [*npm_command(), "sbom", *options]))
    del bill["serialNumber"], bill["metadata"]["timestamp"]
    target.write_text(f"{json.dumps(bill, indent=2)}\n", encoding="utf-8")


def digests(directory: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of each file in `directory` by its name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.iterdir())
    }


def ensure_same(first: dict[str, str], second: dict[str, str]) -> None:
    """Raise `LaunchError` that names what did not come out the same."""
    names = sorted(first.keys() | second.keys())
    if odd := [name for name in names if first.get(name) != second.get(name)]:
        raise LaunchError(f"Not reproducible: {', '.join(odd)}")


def release(commit: Commit, target: Path, say: Callable[[str], object]) -> None:
    """Make everything twice, compare, and put it into `target` with its check sums."""
    with tempfile.TemporaryDirectory(prefix="media-app-release-") as scratch:
        first, second = (make_artifacts(commit, Path(scratch, name)) for name in ("one", "two"))
        sums = digests(first)
        ensure_same(sums, digests(second))
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(first, target)
    lines = [f"{digest}  {name}\n" for name, digest in sums.items()]
    (target / SUMS).write_text("".join(lines), encoding="utf-8")
    say("".join(lines))
    say(f"The same from two clean clones of {commit.sha[:12]}; in {target.name}/.\n")


def main(arguments: list[str]) -> int:
    """Make the release of the commit that is checked out; with `--rehearse` without its tag."""
    try:
        commit = read_commit(ROOT)
        if arguments != ["--rehearse"]:
            ensure_announced(commit)
        release(commit, ROOT / "dist", sys.stdout.write)
    except LaunchError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    return 0
