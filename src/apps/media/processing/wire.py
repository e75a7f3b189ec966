"""What crosses between the worker and the process that decodes strangers' files: JSON lines.

Never pickle: whoever takes the child over may send anything, so answers are parsed as data, and
each part is checked before it becomes one of our values. Requests come from us and are trusted.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from apps.media import exceptions
from apps.media.processing.types import Facts, Limits, Output, Plan, Recipe, Rendered, Scalar

MAX_LINE = 256 * 1024  # bytes of one answer; real ones are below 8 KiB

_PLACEHOLDER_LENGTH = 64  # characters; a ThumbHash is at most 25 bytes
_MAX_METADATA = 32
_MAX_TEXT = 200


class WireError(ValueError):
    """An answer that our own child would never give."""


@dataclass(frozen=True, slots=True)
class Request:
    """One run of an engine; `plan` is for `render` only."""

    action: Literal["probe", "render"]
    path: Path
    mime: str
    limits: Limits
    plan: Plan | None = None


def encode_request(request: Request) -> bytes:
    return _line(asdict(request))


def decode_request(line: bytes) -> Request:
    data = json.loads(line)
    return Request(
        action=data["action"],
        path=Path(data["path"]),
        mime=data["mime"],
        limits=Limits(**data["limits"]),
        plan=_plan(data["plan"]) if data["plan"] else None,
    )


def _plan(data: Mapping[str, Any]) -> Plan:
    focal = data["focal"]
    return Plan(
        out_dir=Path(data["out_dir"]),
        recipes=tuple(Recipe(**recipe) for recipe in data["recipes"]),
        focal=(focal[0], focal[1]) if focal else None,
    )


def encode_progress(fraction: float) -> bytes:
    return _line({"progress": fraction})


def encode_result(result: Facts | Rendered) -> bytes:
    return _line({"result": asdict(result)})


def encode_error(code: str, log: str) -> bytes:
    return _line({"error": code, "log": log[-2000:]})


def _line(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, default=str, separators=(",", ":")).encode() + b"\n"


# -- answers, which are not trusted ------------------------------------------------------------

# What an engine may answer; any other code is none of ours.
_ENGINE_ERRORS: dict[str, type[exceptions.MediaError]] = {
    error.code: error
    for error in (
        exceptions.CorruptFileError,
        exceptions.EngineAwayError,
        exceptions.PasswordProtectedError,
        exceptions.ProcessingCrashedError,
        exceptions.ProcessingTimeoutError,
        exceptions.TooManyPagesError,
        exceptions.TooManyPixelsError,
        exceptions.UnsupportedTypeError,
    )
}


def decode_answer(line: bytes) -> dict[str, Any]:
    """The object in one line. Raises `WireError`."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON") from error
    if not isinstance(answer, dict):
        raise WireError("not an object")
    return answer


def decode_fraction(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise WireError("progress is no fraction")


def decode_error(answer: Mapping[str, Any]) -> exceptions.MediaError:
    """The error that an answer stands for, with the child's text as log context."""
    kind = _ENGINE_ERRORS.get(_text(answer.get("error"), _MAX_TEXT))
    if kind is None:
        raise WireError("unknown error code")
    return kind(_text(answer.get("log", ""), MAX_LINE))


def decode_facts(data: object, limits: Limits) -> Facts:
    """Facts within the limits. Raises `WireError`."""
    values = _object(data)
    duration = values.get("duration")
    return Facts(
        width=_whole(values.get("width"), 1, limits.max_pixels),
        height=_whole(values.get("height"), 1, limits.max_pixels),
        frames=_whole(values.get("frames"), 1, limits.max_frames),
        pages=_whole(values.get("pages"), 0, limits.max_pages),
        duration=None if duration is None else _seconds(duration),
        metadata=_metadata(values.get("metadata")),
    )


def decode_rendered(data: object, plan: Plan, limits: Limits) -> Rendered:
    """What was made, in the plan's order, sizes taken from the files. Raises `WireError`.

    Paths come from the plan, never from the answer, and must be plain files with one name: a
    link would make the worker publish a file of its own.
    """
    values = _object(data)
    answered = values.get("outputs")
    if not isinstance(answered, list) or len(answered) != len(plan.recipes):
        raise WireError("outputs do not match the plan")
    outputs = tuple(
        _output(_object(output), recipe, plan.out_dir, limits)
        for output, recipe in zip(answered, plan.recipes, strict=True)
    )
    return Rendered(outputs, _placeholder(values.get("placeholder")), _color(values.get("color")))


def _output(values: Mapping[str, Any], recipe: Recipe, out_dir: Path, limits: Limits) -> Output:
    path = out_dir / recipe.name
    return Output(
        name=recipe.name,
        path=path,
        mime_type=recipe.mime_type,
        width=_whole(values.get("width"), 1, recipe.width),
        height=_whole(values.get("height"), 1, recipe.height or limits.max_pixels),
        size=_plain_file_size(path, limits),
    )


def _plain_file_size(path: Path, limits: Limits) -> int:
    try:
        status = path.lstat()
    except OSError as error:
        raise WireError(f"{path.name} is missing") from error
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise WireError(f"{path.name} is not a plain file")
    return _whole(status.st_size, 1, limits.output_bytes)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WireError("not an object")
    return value


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise WireError("not a short text")
    return value


def _whole(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise WireError(f"{value!r} is not within {low} and {high}")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value < 10**7:
        raise WireError("impossible duration")
    return float(value)


def _metadata(value: object) -> dict[str, Scalar]:
    entries = _object(value)
    if len(entries) > _MAX_METADATA:
        raise WireError("too much metadata")
    return {_text(name, _MAX_TEXT): _scalar(entry) for name, entry in entries.items()}


def _scalar(value: object) -> Scalar:
    if isinstance(value, int | float):
        return value
    return _text(value, _MAX_TEXT)


def _placeholder(value: object) -> str:
    text = _text(value, _PLACEHOLDER_LENGTH)
    if not all(character.isalnum() or character in "+/=" for character in text):
        raise WireError("placeholder is not base64")
    return text


def _color(value: object) -> str:
    text = _text(value, 7)
    if len(text) != 7 or text[0] != "#" or set(text[1:]) - set("0123456789abcdef"):  # noqa: PLR2004
        raise WireError("not a colour")
    return text
