"""The rules of the house that tools can see: layers, and one function per danger."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = [
    path
    for path in sorted((ROOT / "src").rglob("*.py"))
    if "tests" not in path.parts and "migrations" not in path.parts and path.name != "conftest.py"
]

# What a line must not hold → the files that are the one place for it.
ONE_PLACE = {
    r"shell\s*=\s*True": set(),
    r"\bos\.environ\b|\bos\.getenv\b": {
        "config/celery.py",
        "config/settings.py",  # says one thing to a library that takes it from there alone
        "config/wsgi.py",
        # The other providers' libraries read their own variables themselves.
        "apps/core/storage/azure.py",
        "apps/media/processing/forkserver.py",
        "apps/media/processing/jail.py",
        "apps/media/processing/sandbox.py",
    },
    r"import pickle|pickle\.loads?": set(),
    r"\.read\(\)": set(),
    r"\bmark_safe\b|\|safe\b": set(),
    r"(?i)settings\.\w*storage\w*\s*==": set(),
    r"\bsubprocess\.(run|Popen|call|check_\w+)\(|\bos\.(exec|spawn|posix_spawn)\w*\(": {
        "apps/media/processing/installed.py",  # asks a program for its version
        "apps/media/processing/programs.py",
        "apps/media/processing/sandbox.py",  # the child that decodes
    },
    # None of them is needed, and each has run what a file told it to.
    r"(?i)imagemagick|\bmagick\b|ghostscript|exiftool": set(),
    r"\bos\.fork\b|\bos\.system\b|\bos\.popen\b": {"apps/media/processing/forkserver.py"},
}


def test_layers() -> None:
    command = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run(
        [command, "--config", ROOT / "pyproject.toml"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("pattern", ONE_PLACE)
def test_one_place_for_each_danger(pattern: str) -> None:
    allowed = ONE_PLACE[pattern]
    found = [
        f"{path.relative_to(ROOT / 'src')}:{number}: {line.strip()}"
        for path in CODE
        if str(path.relative_to(ROOT / "src")) not in allowed
        and path.relative_to(ROOT / "src").parts[0] != "launch"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line.partition("#")[0])
    ]
    assert found == []


def test_no_file_outgrows_its_subject() -> None:
    long = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in CODE}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}
