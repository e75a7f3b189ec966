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
from apps.media.processing.edits import Edited, EditPlan
from apps.media.processing.findings import Finding
from apps.media.processing.streamtypes import MuxPlan, Streamed, StreamPlan
from apps.media.processing.types import Facts, Limits, Plan, Progress, Rendered
from apps.media.processing.wire import Request, Result

_PACKAGE = "apps.media.processing"
STREAMER = "streams"
SCANNER = "malware"
EDITOR = "imageedits"
_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

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
        "image/svg+xml": "svg",
        "application/pdf": "pdf",
        _OOXML + "wordprocessingml.document": "office",
        _OOXML + "spreadsheetml.sheet": "office",
        _OOXML + "presentationml.presentation": "office",
        _ODF + "text": "office",
        _ODF + "spreadsheet": "office",
        _ODF + "presentation": "office",
        "application/rtf": "office",
        "text/plain": "readings",
        "text/csv": "readings",
        "text/markdown": "readings",
        "application/json": "readings",
        "video/mp4": "video",
        "video/quicktime": "video",
        "video/webm": "video",
        "video/x-matroska": "video",
        "video/x-msvideo": "video",
        "video/3gpp": "video",
        "video/3gpp2": "video",
        "video/mpeg": "video",
        "video/mp2t": "video",
        "video/ogg": "video",
        "video/x-ms-wmv": "video",
        "video/x-ms-asf": "video",
        "video/x-flv": "video",
        "audio/mpeg": "audio",
        "audio/mp4": "audio",
        "audio/aac": "audio",
        "audio/ogg": "audio",
        "audio/wav": "audio",
        "audio/flac": "audio",
        "audio/aiff": "audio",
        "audio/x-ms-wma": "audio",
        "audio/ac3": "audio",
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


class Streamer(Protocol):
    """What the module of films offers beyond: tracks for adaptive streaming."""

    def stream(
        self, path: Path, mime: str, *, plan: StreamPlan, limits: Limits, progress: Progress
    ) -> Streamed:
        """Makes the tracks of the plan."""

    def mux(self, path: Path, *, plan: MuxPlan, limits: Limits, progress: Progress) -> None:
        """Puts our own track at `path`, and a sound, into one MP4."""


class Scanner(Protocol):
    """What the embedded malware scanner offers."""

    def scan(self, path: Path, *, limits: Limits, progress: Progress) -> Finding:
        """What was found in the file, and in archives within it."""


class Editor(Protocol):
    """What turns and cuts pictures."""

    def edit(
        self, path: Path, mime: str, *, plan: EditPlan, limits: Limits, progress: Progress
    ) -> Edited:
        """Writes the edited picture."""


def engine_for(mime: str) -> str | None:
    """The module name of the engine that reads `mime`, or None: stored, shown with an icon."""
    return ENGINES.get(mime)


def load_engine(mime: str) -> Engine:
    """Imports the engine of `mime`. Only for the sandbox's child."""
    name = engine_for(mime)
    if name is None:
        raise UnsupportedTypeError(mime)
    return cast("Engine", _load(name))


def perform(request: Request, progress: Progress) -> Result:
    """Does what is asked. Only for the sandbox's child."""
    path, mime, limits, plan = request.path, request.mime, request.limits, request.plan
    if request.action == "scan":
        scanner = cast("Scanner", _load(SCANNER))
        return scanner.scan(path, limits=limits, progress=progress)
    if isinstance(plan, StreamPlan):
        streamer = cast("Streamer", _load(STREAMER))
        return streamer.stream(path, mime, plan=plan, limits=limits, progress=progress)
    if isinstance(plan, MuxPlan):
        cast("Streamer", _load(STREAMER)).mux(path, plan=plan, limits=limits, progress=progress)
        return Streamed(())
    if isinstance(plan, EditPlan):
        editor = cast("Editor", _load(EDITOR))
        return editor.edit(path, mime, plan=plan, limits=limits, progress=progress)
    engine = load_engine(mime)
    if plan is None:
        return engine.probe(path, mime, limits)
    return engine.render(path, mime, plan=plan, limits=limits, progress=progress)


def _load(name: str) -> object:
    return importlib.import_module(f"{_PACKAGE}.{name}")


def load_all() -> None:
    """Imports every engine, so that processes forked afterwards have them at no cost."""
    for name in sorted({*ENGINES.values(), STREAMER, SCANNER, EDITOR}):
        _load(name)
