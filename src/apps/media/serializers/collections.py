"""Collections in JSON, and what may be said about them and about many files at once."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media import links
from apps.media.models import Collection, CollectionItem, Visibility
from apps.media.serializers.entry import TagNamesField
from apps.media.serializers.media import (
    PERMISSIONS,
    MediaSerializer,
    OwnerSerializer,
    PermissionsSerializer,
)
from apps.media.services.collecting import MOST_AT_ONCE


class CollectionUrlsSerializer(serializers.Serializer[Any]):
    self = serializers.URLField()
    page = serializers.URLField()
    items = serializers.URLField()
    zip = serializers.URLField(help_text="All its files in one archive; can be resumed.")
    cover = serializers.URLField(
        allow_null=True, help_text="A small picture of the cover, or of the first file."
    )


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    """A collection as somebody gets it (see `selectors.collections_shown_to`)."""

    owner = OwnerSerializer(read_only=True)
    parent = serializers.UUIDField(  # type: ignore[assignment]  # a field has a parent of its own
        source="shown_parent_id", allow_null=True, help_text="What it lies in, if you see that."
    )
    open_to = serializers.ChoiceField(
        choices=Visibility.choices,
        help_text="What `visibility` comes to: nothing is more open than what it lies in.",
    )
    cover = serializers.SerializerMethodField()
    file_count = serializers.IntegerField(help_text="How many files it has for you.")
    urls = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

    class Meta:
        model = Collection
        fields = [
            "id",
            "owner",
            "parent",
            "title",
            "description",
            "visibility",
            "open_to",
            "cover",
            "file_count",
            "created_at",
            "updated_at",
            "urls",
            "permissions",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_cover(self, collection: Collection) -> str | None:
        """The file chosen for it, if you see that."""
        cover = collection.shown_cover
        return str(cover.pk) if cover and cover.pk == collection.cover_id else None

    @extend_schema_field(CollectionUrlsSerializer)
    def get_urls(self, collection: Collection) -> dict[str, str | None]:
        absolute = self.context["request"].build_absolute_uri
        cover = collection.shown_cover
        return {
            "self": absolute(reverse("media:collection-detail", args=[collection.pk])),
            "page": absolute(collection.get_absolute_url()),
            "items": absolute(reverse("media:collection-items", args=[collection.pk])),
            "zip": absolute(reverse("media:collection-archive", args=[collection.pk])),
            "cover": absolute(links.thumbnail_url(cover)) if cover else None,
        }

    @extend_schema_field(PermissionsSerializer)
    def get_permissions(self, collection: Collection) -> dict[str, bool]:
        return {action.value: action in collection.rights for action in PERMISSIONS}


class CollectionCreateSerializer(serializers.Serializer[Any]):
    """What is said of a new collection."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    parent = serializers.UUIDField(  # type: ignore[assignment]
        required=False, allow_null=True, help_text="What it lies in; its owner is the owner of that"
    )


class CollectionUpdateSerializer(CollectionCreateSerializer):
    """The body of PATCH; what is left out stays. Another `parent` moves it with all in it."""

    cover = serializers.UUIDField(required=False, allow_null=True)


class CollectionItemSerializer(serializers.ModelSerializer[CollectionItem]):
    media = MediaSerializer(read_only=True)
    added_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = CollectionItem
        fields = ["media", "added_at"]
        read_only_fields = fields


class MediaIdsField(serializers.ListField):
    child = serializers.UUIDField()

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=MOST_AT_ONCE, **options)


class ItemPlacesSerializer(serializers.Serializer[Any]):
    """Files in an order, and where they go."""

    media = MediaIdsField()
    before = serializers.UUIDField(
        required=False, allow_null=True, help_text="The file they go before; without it, the end"
    )


class AddedItemsSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="How many were not in it before.")


class BulkSerializer(serializers.Serializer[Any]):
    """One action on many files."""

    ids = MediaIdsField()
    action = serializers.ChoiceField(
        choices=["delete", "restore", "tag", "untag", "visibility", "collect"]
    )
    permanent = serializers.BooleanField(required=False, help_text="delete: past the trash")
    tags = TagNamesField(required=False, max_length=50, help_text="tag, untag: these")
    visibility = serializers.ChoiceField(
        choices=Visibility.choices, required=False, help_text="visibility: this one"
    )
    collection = serializers.UUIDField(required=False, help_text="collect: into this one")

    NEEDED = {"tag": "tags", "untag": "tags", "visibility": "visibility", "collect": "collection"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = self.NEEDED.get(attrs["action"])
        if needed and not attrs.get(needed):
            raise serializers.ValidationError({needed: [gettext("This action needs it.")]})
        return attrs


class BulkResultSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="media_id")
    code = serializers.CharField(allow_blank=True, help_text="Empty where it was done.")
    detail = serializers.CharField(allow_blank=True)


class BulkResultsSerializer(serializers.Serializer[Any]):
    results = BulkResultSerializer(many=True)
