"""Media in JSON. Reading costs no query beyond what `selectors.with_details` has fetched."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.words import translated
from apps.media import links
from apps.media.models import (
    MediaFile,
    Rendition,
)
from apps.media.policies import Action

# An allow-list: what an engine learns to find out tomorrow is the owner's alone.
TECHNICAL_FACTS = frozenset(
    "frames pages video audio has_alpha loudness loudness_range true_peak".split()
)
Field: TypeAlias = serializers.Field[Any, Any, Any, Any]
PERMISSIONS = (Action.VIEW, Action.EDIT, Action.DELETE, Action.SHARE)


class OwnerSerializer(serializers.ModelSerializer[Any]):
    username = serializers.CharField(source="get_username", read_only=True)

    class Meta:
        model = get_user_model()
        fields = ["id", "username"]
        read_only_fields = fields


class FailureSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class FocalPointSerializer(serializers.Serializer[Any]):
    """Fractions of width and height, from the upper left."""

    x = serializers.FloatField(min_value=0, max_value=1)
    y = serializers.FloatField(min_value=0, max_value=1)


class RenditionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    mime_type = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField()
    url = serializers.URLField()


class UrlsSerializer(serializers.Serializer[Any]):
    self = serializers.URLField()
    page = serializers.URLField()
    original = serializers.URLField()
    download = serializers.URLField()
    thumbnail = serializers.URLField(help_text="A rendition, or the icon of the kind of file.")
    poster = serializers.URLField(allow_null=True)
    hls = serializers.URLField(allow_null=True)


class PermissionsSerializer(serializers.Serializer[Any]):
    view = serializers.BooleanField()
    edit = serializers.BooleanField()
    delete = serializers.BooleanField()
    share = serializers.BooleanField()


@cache
def _fields_of(kind: type[MediaSerializer], language: str | None) -> dict[str, Field]:
    """What the framework finds out of the model, which takes longer than all else of an answer."""
    return super(MediaSerializer, kind()).get_fields()


class MediaSerializer(serializers.ModelSerializer[MediaFile]):
    """A media file as the API gives it."""

    owner = OwnerSerializer(read_only=True)
    tags = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    focal_point = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()
    renditions = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()
    duplicate_of = serializers.SerializerMethodField()

    class Meta:
        model = MediaFile
        fields = [
            "id",
            "owner",
            "title",
            "original_name",
            "media_type",
            "mime_type",
            "size",
            "sha256",
            "width",
            "height",
            "duration",
            "status",
            "failure",
            "progress",
            "visibility",
            "share_location",
            "caption",
            "alt_text",
            "tags",
            "focal_point",
            "placeholder",
            "color",
            "version",
            "duplicate_of",
            "created_at",
            "updated_at",
            "deleted_at",
            "urls",
            "renditions",
            "permissions",
        ]
        read_only_fields = fields

    def get_fields(self) -> dict[str, Field]:
        return deepcopy(_fields_of(type(self), get_language()))  # labels are words

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, media: MediaFile) -> list[str]:
        return [tag.name for tag in media.tags.all()]

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, media: MediaFile) -> dict[str, str] | None:
        """Of a file that others may view it is the last try to process it again, which is the
        business of those who can have another."""
        if not media.failure_code or Action.EDIT not in media.rights:
            return None
        return {"code": media.failure_code, "message": translated(media.failure_message)}

    @extend_schema_field(FocalPointSerializer)
    def get_focal_point(self, media: MediaFile) -> dict[str, float]:
        return {"x": media.focal_x, "y": media.focal_y}

    @extend_schema_field(UrlsSerializer)
    def get_urls(self, media: MediaFile) -> dict[str, str | None]:
        found = {
            "self": links.api_url(media),
            "page": media.get_absolute_url(),
            "original": links.original_url(media),
            "download": links.original_url(media, download=True),
            "thumbnail": links.thumbnail_url(media),
        }
        absolute = {name: self._absolute(url) for name, url in found.items()}
        return {
            **absolute,
            "poster": self._absolute_or_none(links.poster_url(media)),
            "hls": self._absolute_or_none(links.hls_url(media)),
        }

    @extend_schema_field(RenditionSerializer(many=True))
    def get_renditions(self, media: MediaFile) -> list[dict[str, Any]]:
        return [self._rendition(media, item) for item in links.shown_renditions(media)]

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_duplicate_of(self, media: MediaFile) -> str | None:
        """The owner's older file of the same bytes; told to those who may share this one, since a
        grant to edit it tells nothing of others."""
        if media.duplicate_of_id is None:
            return None
        may_know = Action.SHARE in media.rights
        return str(media.duplicate_of_id) if may_know else None

    @extend_schema_field(PermissionsSerializer)
    def get_permissions(self, media: MediaFile) -> dict[str, bool]:
        return {action.value: action in media.rights for action in PERMISSIONS}

    def _rendition(self, media: MediaFile, rendition: Rendition) -> dict[str, Any]:
        return {
            "name": rendition.name,
            "mime_type": rendition.mime_type,
            "width": rendition.width,
            "height": rendition.height,
            "size": rendition.size,
            "url": self._absolute(links.rendition_url(media, rendition)),
        }

    def _absolute(self, url: str) -> str:
        absolute: str = self.context["request"].build_absolute_uri(url)
        return absolute

    def _absolute_or_none(self, url: str | None) -> str | None:
        return self._absolute(url) if url else None
