"""What a child that decodes strangers' files may answer, and nothing else.

Whoever takes the child over may send anything: each part is checked before it becomes one of our
values. Paths come from the plan, never from the answer, and must be plain files with one name: a
link would make the worker publish a file of its own.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apps.media import exceptions
from apps.media.processing.edits import RESULTS, Edited, EditPlan
from apps.media.processing.findings import Finding
from apps.media.processing.streamtypes import MuxPlan, Segment, Streamed, StreamPlan, Track
from apps.media.processing.types import (
    AudioFacts,
    Chapter,
    Facts,
    Limits,
    Output,
    Plan,
    Recipe,
    Rendered,
    Scalar,
    VideoFacts,
)

_PLACEHOLDER_LENGTH = 64  # characters; a ThumbHash is at most 25 bytes
_MAX_METADATA = 48
_MAX_TEXT = 200
_MAX_LOG = 256 * 1024
_MAX_SIDE = 65_535  # pixels of a rendition
_MAX_CHAPTERS = 500
_MAX_SEGMENTS = 50_000
_MAX_RATE = 10**12  # bits per second, and whatever else is counted per second
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # by some databases
_FRACTION = re.compile(r"[0-9]{1,9}/[1-9][0-9]{0,8}")
_CODECS = re.compile(r"[A-Za-z0-9.]{1,32}")


class AnswerError(ValueError):
    """An answer that our own child would never give."""


# What an engine may answer; any other code is none of ours.
_ENGINE_ERRORS: dict[str, type[exceptions.MediaError]] = {
    error.code: error
    for error in (
        exceptions.CorruptFileError,
        exceptions.EngineAwayError,
        exceptions.PasswordProtectedError,
        exceptions.ProcessingCrashedError,
        exceptions.ProcessingTimeoutError,
        exceptions.TooLongError,
        exceptions.TooManyPagesError,
        exceptions.TooManyPixelsError,
        exceptions.UnsafeContentError,
        exceptions.UnsupportedTypeError,
    )
}


def decode_answer(line: bytes) -> dict[str, Any]:
    """The object in one line. Raises `AnswerError`, as everything here does."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AnswerError("not JSON") from error
    if not isinstance(answer, dict):
        raise AnswerError("not an object")
    return answer


def decode_fraction(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise AnswerError("progress is no fraction")


def decode_error(answer: Mapping[str, Any]) -> exceptions.MediaError:
    """The error that an answer stands for, with the child's text as log context."""
    kind = _ENGINE_ERRORS.get(_text(answer.get("error"), _MAX_TEXT))
    if kind is None:
        raise AnswerError("unknown error code")
    return kind(_text(answer.get("log", ""), _MAX_LOG))


# -- facts -------------------------------------------------------------------------------------


def decode_facts(data: object, limits: Limits) -> Facts:
    """Facts within the limits."""
    values = _object(data)
    duration = values.get("duration")
    chapters = _list(values.get("chapters"), _MAX_CHAPTERS)
    return Facts(
        width=_whole(values.get("width"), 0, limits.max_pixels),
        height=_whole(values.get("height"), 0, limits.max_pixels),
        frames=_whole(values.get("frames"), 1, limits.max_frames),
        pages=_whole(values.get("pages"), 0, limits.max_pages),
        duration=None if duration is None else _seconds(duration),
        metadata=_metadata(values.get("metadata")),
        video=_video(values["video"], limits) if values.get("video") else None,
        audio=_audio(values["audio"]) if values.get("audio") else None,
        chapters=tuple(_chapter(chapter) for chapter in chapters),
    )


def _video(data: object, limits: Limits) -> VideoFacts:
    values = _object(data)
    rotation = _whole(values.get("rotation"), 0, 270)
    if rotation % 90:
        raise AnswerError("impossible rotation")
    return VideoFacts(
        codec=_text(values.get("codec"), _MAX_TEXT),
        profile=_text(values.get("profile"), _MAX_TEXT),
        pixel_format=_text(values.get("pixel_format"), _MAX_TEXT),
        width=_whole(values.get("width"), 1, limits.max_pixels),
        height=_whole(values.get("height"), 1, limits.max_pixels),
        frame_rate=_matching(values.get("frame_rate"), _FRACTION),
        rotation=rotation,
        keyframe_interval=_seconds(values.get("keyframe_interval")),
        bit_rate=_whole(values.get("bit_rate"), 0, _MAX_RATE),
        **{
            name: _truth(values.get(name))
            for name in ("mirrored", "square_pixels", "variable", "interlaced", "hdr")
        },
    )


def _audio(data: object) -> AudioFacts:
    values = _object(data)
    return AudioFacts(
        codec=_text(values.get("codec"), _MAX_TEXT),
        channels=_whole(values.get("channels"), 0, 1_000),
        sample_rate=_whole(values.get("sample_rate"), 0, _MAX_RATE),
        bit_rate=_whole(values.get("bit_rate"), 0, _MAX_RATE),
    )


def _chapter(data: object) -> Chapter:
    values = _object(data)
    return Chapter(
        start=_seconds(values.get("start")),
        end=_seconds(values.get("end")),
        title=_text(values.get("title"), _MAX_TEXT),
    )


# -- renditions --------------------------------------------------------------------------------


def decode_rendered(data: object, plan: Plan, limits: Limits, mime: str) -> Rendered:
    """What was made, in the plan's order, sizes taken from the files."""
    values = _object(data)
    answered = _list(values.get("outputs"), len(plan.recipes))
    if len(answered) != len(plan.recipes):
        raise AnswerError("outputs do not match the plan")
    return Rendered(
        outputs=tuple(
            _output(_object(output), recipe, plan.out_dir, limits, mime)
            for output, recipe in zip(answered, plan.recipes, strict=True)
        ),
        placeholder=_placeholder(values.get("placeholder")),
        color=_color(values.get("color")),
        likeness=_likeness(values.get("likeness")),
        facts=_metadata(values.get("facts")),
    )


def _output(
    values: Mapping[str, Any], recipe: Recipe, out_dir: Path, limits: Limits, mime: str
) -> Output:
    path = out_dir / recipe.name
    return Output(
        name=recipe.name,
        path=path,
        mime_type=recipe.mime_type or mime,
        width=_whole(values.get("width"), 0, _MAX_SIDE),
        height=_whole(values.get("height"), 0, _MAX_SIDE),
        size=plain_file_size(path, limits),
    )


def plain_file_size(path: Path, limits: Limits) -> int:
    """The bytes of a file that a child wrote."""
    try:
        status = path.lstat()
    except OSError as error:
        raise AnswerError(f"{path.name} is missing") from error
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise AnswerError(f"{path.name} is not a plain file")
    return _whole(status.st_size, 1, limits.output_bytes)


# -- streams -----------------------------------------------------------------------------------


def decode_streamed(data: object, plan: StreamPlan, limits: Limits) -> Streamed:
    """The tracks, which must add up to the files that were written."""
    wanted = _track_names(plan)
    tracks = tuple(
        _track(_object(track), plan.out_dir, limits)
        for track in _list(_object(data).get("tracks"), len(wanted))
    )
    names = [track.name for track in tracks]
    if names not in (list(wanted), [name for name in wanted if name != "sound"]):
        raise AnswerError("tracks do not match the plan")
    return Streamed(tracks)


def _track_names(plan: StreamPlan) -> tuple[str, ...]:
    if plan.way == "encode":
        return tuple(rung.name for rung in plan.rungs)
    return ("copy", "sound") if plan.way == "copy" else ("sound",)


def _track(values: Mapping[str, Any], out_dir: Path, limits: Limits) -> Track:
    name = _matching(values.get("name"), re.compile(r"[a-z0-9]{1,16}"))
    track = Track(
        name=name,
        path=out_dir / f"{name}.mp4",
        codecs=_matching(values.get("codecs"), _CODECS),
        head=_whole(values.get("head"), 1, limits.output_bytes),
        segments=tuple(
            _segment(_object(segment), limits)
            for segment in _list(values.get("segments"), _MAX_SEGMENTS)
        ),
        width=_whole(values.get("width"), 0, _MAX_SIDE),
        height=_whole(values.get("height"), 0, _MAX_SIDE),
        frame_rate=_seconds(values.get("frame_rate")),
    )
    if not track.segments or track.size != plain_file_size(track.path, limits):
        raise AnswerError(f"the segments of {name} do not add up")
    return track


def _segment(values: Mapping[str, Any], limits: Limits) -> Segment:
    return Segment(
        duration=_seconds(values.get("duration")),
        size=_whole(values.get("size"), 1, limits.output_bytes),
    )


def decode_muxed(plan: MuxPlan, limits: Limits) -> Path:
    """The file that was to be written."""
    path = plan.out_dir / plan.name
    plain_file_size(path, limits)
    return path


def decode_edited(data: object, plan: EditPlan, limits: Limits, mime: str) -> Edited:
    """The picture that was to be written."""
    path = plan.out_dir / plan.name
    plain_file_size(path, limits)
    is_lossless = _truth(_object(data).get("is_lossless"))
    return Edited(is_lossless, path, RESULTS[mime])


def decode_finding(data: object) -> Finding:
    values = _object(data)
    return Finding(
        scanner=_text(values.get("scanner"), _MAX_TEXT),
        signature=_text(values.get("signature"), _MAX_TEXT),
    )


# -- values ------------------------------------------------------------------------------------


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise AnswerError("not an object")
    return value


def _list(value: object, longest: int) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > longest:
        raise AnswerError("not a short list")
    return value


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or _UNSTORABLE.search(value):
        raise AnswerError("not a short text")
    return value


def _matching(value: object, pattern: re.Pattern[str]) -> str:
    text = _text(value, _MAX_TEXT)
    if not pattern.fullmatch(text):
        raise AnswerError(f"{text!r} is not of the form {pattern.pattern}")
    return text


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise AnswerError("neither true nor false")
    return value


def _whole(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise AnswerError(f"{value!r} is not within {low} and {high}")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value < 10**7:
        raise AnswerError("impossible duration")
    return float(value)


def _metadata(value: object) -> dict[str, Scalar]:
    entries = _object(value)
    if len(entries) > _MAX_METADATA:
        raise AnswerError("too much metadata")
    return {_text(name, _MAX_TEXT): _scalar(entry) for name, entry in entries.items()}


def _scalar(value: object) -> Scalar:
    if isinstance(value, int | float) and -(2**63) <= value < 2**63:
        return value
    return _text(value, _MAX_TEXT)


def _placeholder(value: object) -> str:
    text = _text(value, _PLACEHOLDER_LENGTH)
    if not all(character.isalnum() or character in "+/=" for character in text):
        raise AnswerError("placeholder is not base64")
    return text


def _color(value: object) -> str:
    return _matching(value, re.compile(r"(#[0-9a-f]{6})?"))


def _likeness(value: object) -> str:
    return _matching(value, re.compile(r"([0-9a-f]{16})?"))
