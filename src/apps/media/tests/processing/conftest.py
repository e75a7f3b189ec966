"""What the tests of the engines share: samples on disk, results opened by Pillow, the corpus.

The test process itself never evaluates libvips; everything runs through the sandbox.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.media.processing import sandbox
from apps.media.processing.recipes import recipes_for
from apps.media.processing.types import Facts, Focal, Limits, Plan, Recipe, Rendered

Save = Callable[[bytes], Path]
Render = Callable[..., Rendered]

_ROOT = Path(__file__).resolve().parents[5]
CORPUS = Path(os.environ.get("MEDIA_CORPUS", _ROOT.parent / "shared" / "corpus"))


def corpus_files(*groups: str) -> list[Path]:
    """All files of the groups; none, and so no test, where the corpus is absent."""
    return sorted(path for group in groups for path in (CORPUS / group).glob("*") if path.is_file())


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def to_disk(data: bytes) -> Path:
        path = tmp_path / "source"
        path.write_bytes(data)
        return path

    return to_disk


@pytest.fixture
def render(save: Save, tmp_path: Path) -> Render:
    """Probe and render a sample with the recipes that are right for it, or with given ones."""

    def run(
        source: bytes | Path,
        mime: str,
        recipes: tuple[Recipe, ...] | None = None,
        *,
        limits: Limits | None = None,
        focal: Focal | None = None,
    ) -> Rendered:
        path = save(source) if isinstance(source, bytes) else source
        chosen = recipes or recipes_for(mime, probe(path, mime, limits))
        out_dir = tmp_path / "out"
        out_dir.mkdir()
        return sandbox.run_render(path, mime, plan=Plan(out_dir, chosen, focal), limits=limits)

    return run


def probe(path: Path, mime: str, limits: Limits | None = None) -> Facts:
    return sandbox.run_probe(path, mime, limits)
