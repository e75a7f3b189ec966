"""Where the tests find the corpus of real, odd and hostile files. It is read, never copied."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[5] / "shared" / "corpus"
CORPUS = Path(os.environ.get("MEDIA_CORPUS", _BESIDE_THE_REPOSITORY))

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "manifest.jsonl").is_file(),
    reason="the corpus of real files is absent (set MEDIA_CORPUS to its directory)",
)


def corpus_files(group: str) -> list[Path]:
    """The files of a group, sorted; empty when there is no corpus."""
    directory = CORPUS / group
    return sorted(directory.iterdir()) if directory.is_dir() else []


def verdicts(group: str) -> dict[str, str]:
    """File name to verdict (see the corpus's README) of one group."""
    lines = (CORPUS / "manifest.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    prefix = f"{group}/"
    return {
        row["file"].removeprefix(prefix): row["verdict"]
        for row in rows
        if row["file"].startswith(prefix)
    }


def head_of(path: Path) -> bytes:
    """The first 64 KiB."""
    with path.open("rb") as file:
        return file.read(65536)
