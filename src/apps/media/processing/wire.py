"""What crosses between the worker and the process that decodes strangers' files: JSON lines.

Never pickle: whoever takes the child over may send anything, so answers are parsed as data (see
`answers`). Requests come from us and are trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from apps.media.processing.edits import Edited, EditPlan
from apps.media.processing.findings import Finding
from apps.media.processing.streamtypes import MuxPlan, Rung, Streamed, StreamPlan
from apps.media.processing.types import Facts, Limits, Plan, Programs, Recipe, Rendered

# The fork server's first word; the second: its children cannot write to what is not theirs.
READY, GUARDED = b"R", b"G"
MAX_LINE = 4 * 1024 * 1024  # bytes of one answer; the segments of a long film are the longest

Action = Literal["probe", "render", "stream", "mux", "scan", "edit"]
AnyPlan = Plan | StreamPlan | MuxPlan | EditPlan
Result = Facts | Rendered | Streamed | Finding | Edited


@dataclass(frozen=True, slots=True)
class Request:
    """One run of an engine; what only looks has no plan."""

    action: Action
    path: Path
    mime: str
    limits: Limits
    plan: AnyPlan | None = None


def encode_request(request: Request) -> bytes:
    return _line(asdict(request))


def decode_request(line: bytes) -> Request:
    data = json.loads(line)
    return Request(
        action=data["action"],
        path=Path(data["path"]),
        mime=data["mime"],
        limits=Limits(**data["limits"]),
        plan=_PLANS[data["action"]](data["plan"]) if data["plan"] else None,
    )


def _plan(data: Mapping[str, Any]) -> Plan:
    focal = data["focal"]
    return Plan(
        out_dir=Path(data["out_dir"]),
        recipes=tuple(_recipe(recipe) for recipe in data["recipes"]),
        focal=(focal[0], focal[1]) if focal else None,
        programs=Programs(**data["programs"]),
        poster_at=data["poster_at"],
    )


def _recipe(data: Mapping[str, Any]) -> Recipe:
    crop = data["crop"]
    return Recipe(**{**data, "crop": tuple(crop) if crop else None})


def _stream_plan(data: Mapping[str, Any]) -> StreamPlan:
    values = {
        **data,
        "out_dir": Path(data["out_dir"]),
        "rungs": tuple(Rung(**rung) for rung in data["rungs"]),
    }
    return StreamPlan(**values)


def _mux_plan(data: Mapping[str, Any]) -> MuxPlan:
    sound = Path(data["sound"]) if data["sound"] else None
    return MuxPlan(**{**data, "out_dir": Path(data["out_dir"]), "sound": sound})


def _edit_plan(data: Mapping[str, Any]) -> EditPlan:
    crop = tuple(data["crop"]) if data["crop"] else None
    return EditPlan(**{**data, "out_dir": Path(data["out_dir"]), "crop": crop})


_PLANS: Mapping[Action, Any] = {
    "render": _plan,
    "stream": _stream_plan,
    "mux": _mux_plan,
    "edit": _edit_plan,
}


def encode_progress(fraction: float) -> bytes:
    return _line({"progress": fraction})


def encode_result(result: Result) -> bytes:
    return _line({"result": asdict(result)})


def encode_error(code: str, log: str) -> bytes:
    return _line({"error": code, "log": log[-2000:]})


def _line(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, default=str, separators=(",", ":")).encode() + b"\n"
