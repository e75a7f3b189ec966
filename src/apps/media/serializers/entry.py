"""What people may say about a file, and how it is read."""

from __future__ import annotations

import csv
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers

from apps.media.models import (
    Caption,
    Upload,
    Visibility,
)
from apps.media.serializers.media import FocalPointSerializer


class TagNamesField(serializers.ListField):
    child = serializers.CharField(max_length=64)


class TagListField(TagNamesField):
    """Names in a list, or in a text with commas between them, as the pages' form takes it."""

    def to_internal_value(self, data: Any) -> list[str]:
        names = data
        if isinstance(data, str):
            rows = csv.reader([data.replace("\n", ",")], skipinitialspace=True)
            names = [name.strip() for row in rows for name in row]
        tags: list[str] = super().to_internal_value(names)
        return [name for name in tags if name]


class MediaFieldsSerializer(serializers.Serializer[Any]):
    """What an owner may say about a file."""

    title = serializers.CharField(max_length=255, required=False, allow_blank=True)
    caption = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    alt_text = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    tags = TagNamesField(required=False, max_length=50)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)


class NewMediaFieldsSerializer(MediaFieldsSerializer):
    """What may be said of a file that is about to come."""

    for_use = serializers.BooleanField(
        required=False,
        help_text="It is for an object of another app: it lives as long as something uses it, and "
        "goes if nothing does within a day.",
    )


class MediaCreateSerializer(NewMediaFieldsSerializer):
    """The multipart form of a new file; `tags` may be repeated."""

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
