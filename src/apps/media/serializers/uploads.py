"""Uploads in JSON: what is announced, where to send it, what has arrived."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.words import translated
from apps.media.models import (
    Upload,
)
from apps.media.serializers.entry import NewMediaFieldsSerializer
from apps.media.serializers.media import FailureSerializer, MediaSerializer


class UploadMetadataSerializer(NewMediaFieldsSerializer):
    """What may be said of a file ahead of its bytes, in the pairs of tus or in JSON.

    Everything here is said for people, or will be verified: no word of it is trusted.
    """

    filename = serializers.CharField(required=False, allow_blank=True, default="file")
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}$", required=False)
    on_duplicate = serializers.ChoiceField(choices=Upload.OnDuplicate.choices, required=False)

    def to_announcement(self) -> dict[str, Any]:
        """The values as `services.Announcement` takes them."""
        values = dict(self.validated_data)
        own = {"name": values.pop("filename") or "file"}
        if digest := values.pop("sha256", ""):
            own["sha256"] = digest.lower()
        if choice := values.pop("on_duplicate", ""):
            own["on_duplicate"] = choice
        return {**own, "fields": values}


class DirectUploadSerializer(UploadMetadataSerializer):
    """The body that begins a direct upload. `mime_type` is not believed."""

    size = serializers.IntegerField(min_value=0)
    mime_type = serializers.CharField(required=False, allow_blank=True, max_length=255)

    def to_announcement(self) -> dict[str, Any]:
        values = super().to_announcement()
        fields = values["fields"]
        fields.pop("mime_type", None)
        return {**values, "length": fields.pop("size")}


class SignedPartSerializer(serializers.Serializer[Any]):
    """A request to send: PUT the bytes of this part to `url` with exactly `headers`."""

    number = serializers.IntegerField()
    url = serializers.URLField()
    headers = serializers.DictField(child=serializers.CharField())


class StoredPartSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    size = serializers.IntegerField()
    etag = serializers.CharField(allow_blank=True)


class _DirectUploadFields(serializers.Serializer[Any]):
    id = serializers.CharField(source="token")
    size = serializers.IntegerField(source="length")
    part_size = serializers.IntegerField()
    expires_at = serializers.DateTimeField()
    media = serializers.UUIDField(source="media_id", allow_null=True)


class BegunDirectUploadSerializer(_DirectUploadFields):
    """`media` is set where the owner has these bytes already and wants no second copy."""

    parts = SignedPartSerializer(many=True, source="signed")


class DirectUploadStateSerializer(_DirectUploadFields):
    """`parts` are those that have arrived."""

    parts = StoredPartSerializer(many=True, source="arrived")


class PartNumbersSerializer(serializers.Serializer[Any]):
    """Without `numbers`, all parts."""

    numbers = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, max_length=10_000
    )


class SignedPartsSerializer(serializers.Serializer[Any]):
    parts = SignedPartSerializer(many=True)


class ClaimedPartSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=1)
    etag = serializers.CharField(required=False, allow_blank=True, max_length=255, default="")


class ClaimedPartsSerializer(serializers.Serializer[Any]):
    parts = ClaimedPartSerializer(many=True)

    def to_claims(self) -> list[dict[str, Any]]:
        claims: list[dict[str, Any]] = self.validated_data["parts"]
        return claims


class ImportCreateSerializer(UploadMetadataSerializer):
    """An address to fetch, and what may be said of the file ahead of its bytes."""

    url = serializers.CharField(max_length=4096, trim_whitespace=False)
    filename = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Else the source names it."
    )

    def to_arguments(self) -> dict[str, Any]:
        """The values as `services.begin_import` takes them."""
        values = dict(self.validated_data)
        values["name"] = values.pop("filename")
        values["sha256"] = values.get("sha256", "").lower()
        return values


class ImportSerializer(serializers.ModelSerializer[Upload]):
    """A file that the server fetches. `progress` is percent, null while the size is unknown."""

    id = serializers.CharField(source="token", read_only=True)
    filename = serializers.CharField(source="original_name", read_only=True)
    progress = serializers.SerializerMethodField()
    received = serializers.IntegerField(source="offset", read_only=True, help_text="Bytes")
    size = serializers.IntegerField(source="length", read_only=True, allow_null=True)
    failure = serializers.SerializerMethodField()
    media = MediaSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Upload
        fields = [
            "id",
            "url",
            "filename",
            "state",
            "progress",
            "received",
            "size",
            "failure",
            "media",
            "created_at",
            "expires_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.IntegerField(allow_null=True, min_value=0, max_value=100))
    def get_progress(self, upload: Upload) -> int | None:
        if upload.state == Upload.State.COMPLETED:
            return 100
        return 100 * upload.offset // upload.length if upload.length else None

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, upload: Upload) -> dict[str, str] | None:
        if upload.state != Upload.State.FAILED:
            return None
        return {"code": upload.failure_code, "message": translated(upload.failure_message)}
