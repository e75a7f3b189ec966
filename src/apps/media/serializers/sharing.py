"""Grants and share links in JSON, for those who may share."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from apps.media.models import Grant, ShareLink
from apps.media.serializers.media import OwnerSerializer

LONGEST_NAME = 254  # characters


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class NameOrIdField(serializers.Field[Any, Any, Any, Any]):
    """A text is a name, and an id where nobody has that name; a number is an id."""

    default_error_messages = {"invalid": _("Give a name or an id.")}
    default_validators = [ProhibitSurrogateCharactersValidator()]

    def to_internal_value(self, data: Any) -> str | int:
        is_name = isinstance(data, str) and 0 < len(data) <= LONGEST_NAME
        is_number = isinstance(data, int) and not isinstance(data, bool)
        if not (is_name or is_number):
            self.fail("invalid")
        known: str | int = data
        return known

    def to_representation(self, value: Any) -> Any:
        return value


class GroupSerializer(serializers.ModelSerializer[Group]):
    class Meta:
        model = Group
        fields = ["id", "name"]
        read_only_fields = fields


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """A right that was given; `user` or `group` is null."""

    user = OwnerSerializer(read_only=True, allow_null=True)
    group = GroupSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Grant
        fields = ["id", "user", "group", "permission", "expires_at", "created_at"]
        read_only_fields = fields


class GrantCreateSerializer(serializers.Serializer[Any]):
    """Either `user` or `group`, each by name or id."""

    user = NameOrIdField(required=False)
    group = NameOrIdField(required=False)
    permission = serializers.ChoiceField(
        choices=Grant.Permission.choices, default=Grant.Permission.VIEW
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("user" in attrs) == ("group" in attrs):
            raise serializers.ValidationError(gettext("Give either a user or a group."))
        return attrs

    @property
    def recipient(self) -> dict[str, Any]:
        """As `selectors.find_recipient` takes it."""
        return {
            key: self.validated_data[key] for key in ("user", "group") if key in self.validated_data
        }

    @property
    def terms(self) -> dict[str, Any]:
        """The rest, as `services.grant_access` takes it."""
        return {key: self.validated_data[key] for key in ("permission", "expires_at")}


class GrantUpdateSerializer(serializers.Serializer[Any]):
    """What changes of a grant; the rest stays."""

    permission = serializers.ChoiceField(choices=Grant.Permission.choices, required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class ShareLinkSerializer(serializers.ModelSerializer[ShareLink]):
    """A share link; `downloads` are those that were counted."""

    url = serializers.SerializerMethodField()
    has_password = serializers.BooleanField(read_only=True)

    class Meta:
        model = ShareLink
        fields = [
            "id",
            "url",
            "expires_at",
            "has_password",
            "max_downloads",
            "downloads",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, link: ShareLink) -> str:
        url: str = self.context["request"].build_absolute_uri(link.get_absolute_url())
        return url


class ShareLinkCreateSerializer(serializers.Serializer[Any]):
    """How far a new link goes; all of it may be left out."""

    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    password = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=1024,
        trim_whitespace=False,
        write_only=True,
    )
    max_downloads = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2_147_483_647
    )
