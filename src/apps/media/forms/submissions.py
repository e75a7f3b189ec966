"""What a form says of the files of one field, read from its data. Nothing here is believed yet.

A script sends one text, `NAME-items`: a JSON list of objects, so that hundreds of files do not
become thousands of form fields. Without script every file has fields of its own: `NAME` (its id),
`NAME-ID-alt_text`, `NAME-ID-caption`, `NAME-ID-crop`, `NAME-ID-focal`, `NAME-ID-position` and
`NAME-ID-remove`. New files come as `NAME-files` either way. `NAME-sent` says that the field was on
the page at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

WORDS = ("alt_text", "caption", "crop", "focal")


@dataclass(frozen=True)
class SubmittedItem:
    """One file of a list as the form has it: its id, and texts of which any may be nonsense."""

    media_id: UUID
    alt_text: str = ""
    caption: str = ""
    crop: str = ""
    focal: str = ""


@dataclass(frozen=True)
class Submission:
    """All of one field. `is_sent` is false where the field was not on the page."""

    items: tuple[SubmittedItem, ...] = ()
    files: tuple[UploadedFile[Any], ...] = ()
    is_sent: bool = True
    is_readable: bool = True


def read_submission(
    data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
) -> Submission:
    """Whatever of the form's data belongs to the field `name`."""
    arrived = tuple(file for file in _every(files, f"{name}-files") if file)
    is_sent = any(key in data for key in (name, f"{name}-sent", f"{name}-items"))
    try:
        items = _read_items(data, name)
    except ValidationError:
        return Submission(files=arrived, is_readable=False)
    return Submission(items=items, files=arrived, is_sent=is_sent or bool(arrived))


def _read_items(data: Mapping[str, Any], name: str) -> tuple[SubmittedItem, ...]:
    if (text := data.get(f"{name}-items")) is not None:
        return tuple(_item(said.get("media"), said) for said in _read_list(text))
    return _read_fields(data, name)


def _read_list(text: Any) -> list[dict[str, Any]]:
    try:
        said = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError("no JSON") from error
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise ValidationError("no list of objects")
    return said


def _read_fields(data: Mapping[str, Any], name: str) -> tuple[SubmittedItem, ...]:
    """The order is that of the ids, unless their positions say another."""
    ids = [media_id for media_id in _every(data, name) if media_id]
    kept = [one for one in ids if not data.get(f"{name}-{one}-remove")]
    kept.sort(key=lambda one: _position(data.get(f"{name}-{one}-position")))
    return tuple(
        _item(one, {word: data.get(f"{name}-{one}-{word}", "") for word in WORDS}) for one in kept
    )


def _item(media_id: Any, said: Mapping[str, Any]) -> SubmittedItem:
    words = {word: said.get(word) or "" for word in WORDS}
    try:
        "".join(words.values()).encode()  # JSON can name the half of a character, which is no text
        return SubmittedItem(UUID(str(media_id)), **words)
    except (TypeError, ValueError) as error:
        raise ValidationError("words are text, and an id is one") from error


def _position(text: Any) -> float:
    try:
        return float(int(text))
    except (TypeError, ValueError):
        return float("inf")


def _every(data: Mapping[str, Any], name: str) -> Iterable[Any]:
    if isinstance(data, QueryDict | MultiValueDict):
        return data.getlist(name)
    value = data.get(name, [])
    return value if isinstance(value, list | tuple) else [value]
