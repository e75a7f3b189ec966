"""Every hostile, broken and odd file of the corpus ends ready or with a code, within the limits."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from apps.core.sniffing import sniff
from apps.media.exceptions import MediaError
from apps.media.processing import sandbox
from apps.media.processing.engines import engine_for
from apps.media.processing.recipes import recipes_for
from apps.media.processing.types import Limits, Plan
from apps.media.tests.processing.conftest import CORPUS, corpus_files

GROUPS = (
    "images_valid",
    "images_malformed",
    "images_bombs",
    "pdf_valid",
    "pdf_active",
    "pdf_malformed",
    "pdf_encrypted",
)
CODES = {
    "corrupt_file",
    "too_many_pixels",
    "too_many_pages",
    "password_protected",
    "processing_crashed",
    "processing_timeout",
}
LIMITS = Limits(wall_seconds=30, cpu_seconds=20)
HEAD = 65_536  # bytes that sniffing sees
# Valid for sniffers only: the containers hold no picture.
HEADERS_ONLY = {"testAVIF.avif", "testHEIC_livePhoto.heic"}

FILES = [
    (path, sniffed)
    for path in corpus_files(*GROUPS)
    if (sniffed := sniff(path.open("rb").read(HEAD)))
]
FILES = [(path, mime) for path, mime in FILES if engine_for(mime)]


def verdicts() -> dict[str, str]:
    lines = (CORPUS / "manifest.jsonl").read_text().splitlines()
    return {row["file"]: row["verdict"] for row in map(json.loads, lines)}


@pytest.mark.corpus
@pytest.mark.skipif(not FILES, reason="the corpus of real files is not here (MEDIA_CORPUS)")
@pytest.mark.parametrize("group", GROUPS)
def test_every_file_ends_well(group: str, tmp_path: Path) -> None:
    wanted = verdicts()
    server = None
    for path, mime in FILES:
        if path.parent.name != group:
            continue
        code, seconds = outcome(path, mime, tmp_path)
        assert seconds < LIMITS.wall_seconds + 5, path.name
        assert code in CODES | {"ready"}, (path.name, code)
        if wanted[f"{group}/{path.name}"] == "A" and path.name not in HEADERS_ONLY:
            assert code in {"ready", "password_protected"}, (path.name, code)
        if wanted[f"{group}/{path.name}"] == "B":
            assert code != "ready", path.name
        server = server or sandbox.server_pid()
        assert sandbox.server_pid() == server, f"{path.name} ended the fork server"


def outcome(path: Path, mime: str, tmp_path: Path) -> tuple[str, float]:
    """`ready` or the code of the failure, and the seconds that it took."""
    out_dir = tmp_path / str(time.monotonic_ns())
    out_dir.mkdir()
    started = time.monotonic()
    try:
        facts = sandbox.run_probe(path, mime, LIMITS)
        plan = Plan(out_dir, recipes_for(mime, facts))
        sandbox.run_render(path, mime, plan=plan, limits=LIMITS)
    except MediaError as error:
        return error.code, time.monotonic() - started
    return "ready", time.monotonic() - started
