"""Notifications and preferences in JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media import links
from apps.media.serializers import OwnerSerializer
from apps.notifications.kinds import Email, Kind
from apps.notifications.selectors import Shown


class NotificationSerializer(serializers.Serializer[Any]):
    """What somebody is told; made of `selectors.Shown`. `media` is the id of the newest file that
    they may still see."""

    id = serializers.UUIDField(source="row.pk")
    kind = serializers.ChoiceField(source="row.kind", choices=Kind.choices)
    text = serializers.CharField()
    count = serializers.IntegerField(source="row.count")
    actor = OwnerSerializer(source="row.actor", allow_null=True)
    media = serializers.UUIDField(source="media.pk", allow_null=True, default=None)
    thumbnail = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    read_at = serializers.DateTimeField(source="row.read_at", allow_null=True)
    created_at = serializers.DateTimeField(source="row.created_at")

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_thumbnail(self, shown: Shown) -> str | None:
        return self._absolute(links.thumbnail_url(shown.media)) if shown.media else None

    @extend_schema_field(serializers.URLField())
    def get_url(self, shown: Shown) -> str:
        return self._absolute(shown.url)

    def _absolute(self, path: str) -> str:
        url: str = self.context["request"].build_absolute_uri(path)
        return url


class UnreadSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="At most 100.")


class ReadSerializer(serializers.Serializer[Any]):
    """Which ones; all of them without `ids`."""

    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=200)


class MarkedSerializer(serializers.Serializer[Any]):
    marked = serializers.IntegerField()


class PreferenceSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Kind.choices)
    in_page = serializers.BooleanField()
    email = serializers.ChoiceField(choices=Email.choices)


class PreferencesSerializer(serializers.Serializer[Any]):
    """One for each kind; when they are changed, those that are left out stay."""

    preferences = PreferenceSerializer(many=True)
