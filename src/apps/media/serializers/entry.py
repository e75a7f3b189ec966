"""What people may say about a file, and how it is read."""

from __future__ import annotations

import csv
import json
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.utils import html

from apps.media.models import (
    Caption,
    Upload,
    Visibility,
)
from apps.media.serializers.media import FocalPointSerializer


class TagNamesField(serializers.ListField):
    child = serializers.CharField(max_length=64)


class TagListField(TagNamesField):
    """Names in a list; or in a text, with commas between them, as the pages' form takes it, or as a
    list of JSON. What a form says several times is joined."""

    def get_value(self, dictionary: Any) -> Any:
        said = super().get_value(dictionary)
        is_form = html.is_html_input(dictionary) and isinstance(said, list)
        return [name for text in said for name in _names_in(text)] if is_form else said

    def to_internal_value(self, data: Any) -> list[str]:
        names: list[str] = super().to_internal_value(
            _names_in(data) if isinstance(data, str) else data
        )
        return names


def _names_in(text: Any) -> list[Any]:
    """What there is instead of names is refused afterwards."""
    if not isinstance(text, str):
        return [text]
    listed = _list_in(text)
    return _parts_of(text) if listed is None else listed


def _list_in(text: str) -> list[Any] | None:
    try:
        found = json.loads(text) if text.lstrip().startswith("[") else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _parts_of(text: str) -> list[str]:
    rows = csv.reader([text.replace("\r", "").replace("\n", ",")], skipinitialspace=True)
    try:
        return [name.strip() for row in rows for name in row if name.strip()]
    except csv.Error:  # a part that is too long for that, hence for a name
        return [text]


class MediaFieldsSerializer(serializers.Serializer[Any]):
    """What an owner may say about a file."""

    title = serializers.CharField(max_length=255, required=False, allow_blank=True)
    caption = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    alt_text = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    tags = TagListField(required=False, max_length=50)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)


class NewMediaFieldsSerializer(MediaFieldsSerializer):
    """What may be said of a file that is about to come."""

    for_use = serializers.BooleanField(
        required=False,
        help_text="It is for an object of another app: it lives as long as something uses it, and "
        "goes if nothing does within a day.",
    )


class MediaCreateSerializer(NewMediaFieldsSerializer):
    """The multipart form of a new file; `tags` have commas between them, or are repeated."""

    sha256 = serializers.RegexField(
        r"^[0-9A-Fa-f]{64}$",
        required=False,
        help_text="Of the file; checked when it has come. Sent before the file, a copy is noticed "
        "at once.",
    )
    on_duplicate = serializers.ChoiceField(
        choices=Upload.OnDuplicate.choices,
        required=False,
        help_text="What to do with a file that you have already: keep both, refuse it, or link "
        "to the one that is there.",
    )
    file = serializers.FileField(allow_empty_file=True, max_length=None)


class MediaUpdateSerializer(MediaFieldsSerializer):
    """The body of PATCH; what is left out stays."""

    focal_point = FocalPointSerializer(required=False)
    share_location = serializers.BooleanField(required=False)

    def validate_focal_point(self, point: dict[str, float]) -> dict[str, float]:
        """A partial change still needs a whole point."""
        if set(point) != {"x", "y"}:
            raise serializers.ValidationError(gettext("Give both x and y."))
        return point

    def to_fields(self) -> dict[str, Any]:
        """The values as `services.update_media` takes them."""
        fields = dict(self.validated_data)
        if point := fields.pop("focal_point", None):
            fields |= {"focal_x": point["x"], "focal_y": point["y"]}
        return fields


class MediaReplaceSerializer(serializers.Serializer[Any]):
    """The multipart form of a new version."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)


class CaptionCreateSerializer(serializers.Serializer[Any]):
    """The multipart form of a new caption: a WebVTT or SubRip file, and its BCP 47 language."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)
    language = serializers.CharField(max_length=35)
    kind = serializers.ChoiceField(choices=Caption.Kind.choices, required=False)
    label = serializers.CharField(  # type: ignore[assignment]  # a field has a label of its own
        max_length=100, required=False, allow_blank=True
    )
    default = serializers.BooleanField(required=False)
