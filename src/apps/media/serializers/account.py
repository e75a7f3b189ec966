"""What belongs to an account: tags, and what is used."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.media.models import (
    Tag,
)


class TagSerializer(serializers.ModelSerializer[Tag]):
    uses = serializers.IntegerField(read_only=True)

    class Meta:
        model = Tag
        fields = ["id", "name", "uses"]
        read_only_fields = fields


class TypeUsageSerializer(serializers.Serializer[Any]):
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()


class UploadsUsageSerializer(serializers.Serializer[Any]):
    """Uploads under way: how many, and how much of them has come."""

    count = serializers.IntegerField()
    bytes = serializers.IntegerField()


class UsageSerializer(serializers.Serializer[Any]):
    """Bytes and numbers of files."""

    used = serializers.IntegerField()
    reserved = serializers.IntegerField()
    quota = serializers.IntegerField()
    files = serializers.IntegerField()
    files_quota = serializers.IntegerField()
    by_type = serializers.DictField(
        child=TypeUsageSerializer(), help_text="By media type; old versions count."
    )
    uploads = UploadsUsageSerializer()
