"""An archive of very many files is written in little memory, whatever their number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[4]
PER_FILE = 400  # bytes; what is planned of one is about 150
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="units of peaks of memory differ"),
]


def _mib_for(files: int, directory: Path) -> float:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "MEDIA_STORAGE_URL"}
    }
    done = subprocess.run(
        [sys.executable, "-m", "apps.media.tests.flows.archive_memory", str(files)],
        cwd=SOURCES,
        env={**environment, "DATA_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counted, _, mib = done.stdout.split()
    assert int(counted) == files
    return float(mib)


def test_memory_hardly_grows_with_the_files(tmp_path: Path) -> None:
    few, many = 500, 4_000
    base = _mib_for(few, tmp_path / "few")
    grown = _mib_for(many, tmp_path / "many") - base
    assert grown < (many - few) * PER_FILE / 2**20 + 2
