"""The table of engines: which module reads which sniffed type.

A new format is one module and one line here (and an entry of the allow-list elsewhere). The table
holds names, so that asking it loads no decoder; only the sandbox's own process imports engines.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from apps.media.exceptions import UnsupportedTypeError
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered

_PACKAGE = "apps.media.processing"

ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "image/jpeg": "images",
        "image/png": "images",
        "image/gif": "images",
        "image/webp": "images",
        "image/tiff": "images",
        "image/avif": "bitmaps",
        "image/bmp": "bitmaps",
        "image/x-icon": "bitmaps",
        "image/x-portable-anymap": "bitmaps",
        "image/heic": "heif",
        "image/heif": "heif",
        "application/pdf": "pdf",
    }
)


class Engine(Protocol):
    """What every engine module offers. Both raise only errors of `apps.media.exceptions`."""

    def probe(self, path: Path, mime: str, limits: Limits) -> Facts:
        """Facts from headers; raises the limit errors before anything is decoded."""

    def render(
        self, path: Path, mime: str, *, plan: Plan, limits: Limits, progress: Progress
    ) -> Rendered:
        """Makes every recipe of the plan, from one decode."""


def engine_for(mime: str) -> str | None:
    """The module name of the engine that reads `mime`, or None: stored, shown with an icon."""
    return ENGINES.get(mime)


def load_engine(mime: str) -> Engine:
    """Imports the engine of `mime`. Only for the sandbox's child."""
    name = engine_for(mime)
    if name is None:
        raise UnsupportedTypeError(mime)
    return cast("Engine", importlib.import_module(f"{_PACKAGE}.{name}"))


def load_all() -> None:
    """Imports every engine, so that processes forked afterwards have them at no cost."""
    for name in sorted(set(ENGINES.values())):
        importlib.import_module(f"{_PACKAGE}.{name}")
