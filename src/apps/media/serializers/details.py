"""One media file in JSON, with all that is known of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.words import translated
from apps.media import links
from apps.media.models import (
    Caption,
    MediaFile,
    MediaVersion,
)
from apps.media.policies import Action
from apps.media.processing.edits import TURNS
from apps.media.selectors import read_captions
from apps.media.serializers.media import TECHNICAL_FACTS, FailureSerializer, MediaSerializer


class ChapterSerializer(serializers.Serializer[Any]):
    """A named stretch of a recording; seconds."""

    start = serializers.FloatField()
    end = serializers.FloatField()
    title = serializers.CharField()


class CaptionSerializer(serializers.ModelSerializer[Caption]):
    """A text track of a film or a sound."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Caption
        fields = ["id", "language", "kind", "label", "default", "url"]
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_url(self, caption: Caption) -> str:
        url: str = self.context["request"].build_absolute_uri(
            links.caption_url(caption.media, caption)
        )
        return url


class MediaDetailSerializer(MediaSerializer):
    """One media file with all that is known of it: reads its version and its captions."""

    chapters = serializers.SerializerMethodField()
    captions = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    class Meta(MediaSerializer.Meta):
        fields = [*MediaSerializer.Meta.fields, "chapters", "captions", "facts"]
        read_only_fields = fields

    def to_representation(self, media: MediaFile) -> Any:
        _ = media.current  # read first: it tells more of the stream than a list can know
        return super().to_representation(media)

    @extend_schema_field(ChapterSerializer(many=True))
    def get_chapters(self, media: MediaFile) -> list[dict[str, Any]]:
        chapters: list[dict[str, Any]] = media.current.metadata.get("chapters", [])
        return chapters

    @extend_schema_field(CaptionSerializer(many=True))
    def get_captions(self, media: MediaFile) -> list[dict[str, Any]]:
        captions = CaptionSerializer(context=self.context)
        return [captions.to_representation(one) for one in read_captions(media=media)]

    @extend_schema_field(serializers.DictField())
    def get_facts(self, media: MediaFile) -> dict[str, Any]:
        """Everything for those who may edit; others learn what the bytes need to be played, and
        nothing of when and with what the file was made."""
        known = {name: value for name, value in media.current.metadata.items() if value is not None}
        known.pop("chapters", None)
        if Action.EDIT in media.rights:
            return known
        return {name: value for name, value in known.items() if name in TECHNICAL_FACTS}


class SimilarMediaSerializer(serializers.Serializer[Any]):
    """A list in the shape of all lists, which never has a second page."""

    next = serializers.URLField(allow_null=True, default=None)
    previous = serializers.URLField(allow_null=True, default=None)
    results = MediaSerializer(many=True)


class VersionUrlsSerializer(serializers.Serializer[Any]):
    original = serializers.URLField()


class EditCropSerializer(serializers.Serializer[Any]):
    """A part of a picture, in fractions 0..1 of its width and height."""

    left = serializers.FloatField(min_value=0, max_value=1)
    top = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


class EditSerializer(serializers.Serializer[Any]):
    """What is to be done with a picture: turned by degrees clockwise, then cut. `version` is the
    one that was seen."""

    rotate = serializers.ChoiceField(choices=TURNS, default=0)
    crop = EditCropSerializer(required=False, allow_null=True, default=None)
    version = serializers.IntegerField(required=False, allow_null=True, min_value=1, default=None)


class PosterSerializer(serializers.Serializer[Any]):
    """The moment of a film that pictures of it show, in seconds; null for one of our choice."""

    at = serializers.FloatField(min_value=0, allow_null=True)


class MadeEditSerializer(serializers.Serializer[Any]):
    """How a version was made of another one; `lossless`: every pixel kept is what it was."""

    of = serializers.IntegerField()
    rotate = serializers.IntegerField()
    crop = EditCropSerializer(allow_null=True)
    lossless = serializers.BooleanField()


class VersionSerializer(serializers.ModelSerializer[MediaVersion]):
    """One set of bytes that a file has or had. `published` is what others get."""

    edit = serializers.SerializerMethodField()

    current = serializers.SerializerMethodField()
    published = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    class Meta:
        model = MediaVersion
        fields = [
            "number",
            "original_name",
            "mime_type",
            "size",
            "sha256",
            "width",
            "height",
            "duration",
            "created_at",
            "replaced_at",
            "current",
            "published",
            "failure",
            "edit",
            "urls",
        ]
        read_only_fields = fields

    def get_current(self, version: MediaVersion) -> bool:
        return version.number == version.media.version

    def get_published(self, version: MediaVersion) -> bool:
        return version.number == version.media.published_version

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, version: MediaVersion) -> dict[str, str] | None:
        if not version.failure_code:
            return None
        return {"code": version.failure_code, "message": translated(version.failure_message)}

    @extend_schema_field(MadeEditSerializer(allow_null=True))
    def get_edit(self, version: MediaVersion) -> dict[str, Any] | None:
        return version.edit or None

    @extend_schema_field(VersionUrlsSerializer)
    def get_urls(self, version: MediaVersion) -> dict[str, str]:
        url = links.version_url(version)
        return {"original": self.context["request"].build_absolute_uri(url)}
