"""Events in JSON. Reading costs no query beyond what the selectors have fetched."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.events.models import Answer, Event, EventPhoto, Invitation, Visibility
from apps.events.policies import Action
from apps.events.services import MOST_AT_ONCE
from apps.media.serializers import CropJsonField, MediaSerializer


class PersonSerializer(serializers.ModelSerializer[Any]):
    username = serializers.CharField(source="get_username", read_only=True)

    class Meta:
        model = get_user_model()
        fields = ["id", "username"]
        read_only_fields = fields


class EventUrlsSerializer(serializers.Serializer[Any]):
    self = serializers.URLField()
    page = serializers.URLField()
    photos = serializers.URLField()
    invitations = serializers.URLField()
    zip = serializers.URLField(help_text="The gallery in one archive; can be resumed.")


class EventPermissionsSerializer(serializers.Serializer[Any]):
    edit = serializers.BooleanField()
    delete = serializers.BooleanField()
    add_photos = serializers.BooleanField()
    answer = serializers.BooleanField()


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event as somebody gets it (see `selectors.events_shown_to`)."""

    host = PersonSerializer(read_only=True)
    banner = serializers.SerializerMethodField()
    banner_crop = CropJsonField(read_only=True, help_text="Null: all of the banner is shown.")
    photo_count = serializers.IntegerField(help_text="How many photos the gallery has for you.")
    own_answer = serializers.ChoiceField(
        choices=["", *Answer.values],
        allow_null=True,
        help_text="What you say to the invitation; empty: nothing yet, null: you have none.",
    )
    urls = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields = [
            "id",
            "host",
            "title",
            "text",
            "starts_at",
            "ends_at",
            "place",
            "visibility",
            "guests_add_photos",
            "banner",
            "banner_crop",
            "photo_count",
            "own_answer",
            "created_at",
            "updated_at",
            "urls",
            "permissions",
        ]
        read_only_fields = fields

    @extend_schema_field(MediaSerializer(allow_null=True))
    def get_banner(self, event: Event) -> Any:
        shown = event.shown_banner
        return MediaSerializer(shown, context=self.context).data if shown else None

    @extend_schema_field(EventUrlsSerializer)
    def get_urls(self, event: Event) -> dict[str, str]:
        absolute = self.context["request"].build_absolute_uri
        names = {
            "self": "event-detail",
            "photos": "event-photos",
            "invitations": "event-invitations",
            "zip": "event-archive",
        }
        found = {key: reverse(f"events:{name}", args=[event.pk]) for key, name in names.items()}
        found["page"] = event.get_absolute_url()
        return {key: absolute(path) for key, path in found.items()}

    @extend_schema_field(EventPermissionsSerializer)
    def get_permissions(self, event: Event) -> dict[str, bool]:
        return {action.value: action in event.rights for action in Action if action != Action.VIEW}


class CropSerializer(serializers.Serializer[Any]):
    """Fractions of the upright picture, from the upper left."""

    left = serializers.FloatField(min_value=0, max_value=1)
    top = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


class EventCreateSerializer(serializers.Serializer[Any]):
    """What is said of a new event."""

    title = serializers.CharField(max_length=200)
    text = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    place = serializers.CharField(max_length=200, required=False, allow_blank=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    guests_add_photos = serializers.BooleanField(required=False)
    banner = serializers.UUIDField(
        required=False, allow_null=True, help_text="A picture of the host; null: none"
    )
    banner_crop = CropSerializer(
        required=False, allow_null=True, help_text="Three times as wide as high"
    )


class EventUpdateSerializer(EventCreateSerializer):
    """The body of PATCH; what is left out stays."""


class EventPhotoSerializer(serializers.ModelSerializer[EventPhoto]):
    media = MediaSerializer(read_only=True)
    alt_text = serializers.CharField(source="shown_alt_text")
    caption = serializers.CharField(source="shown_caption")
    added_by = PersonSerializer(read_only=True, allow_null=True)
    added_at = serializers.DateTimeField(source="created_at")
    may_remove = serializers.BooleanField()

    class Meta:
        model = EventPhoto
        fields = ["media", "alt_text", "caption", "added_by", "added_at", "may_remove"]
        read_only_fields = fields


class MediaIdsField(serializers.ListField):
    child = serializers.UUIDField()

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=MOST_AT_ONCE, **options)


class PhotoPlacesSerializer(serializers.Serializer[Any]):
    """Photos in an order, and where they go."""

    media = MediaIdsField()
    before = serializers.UUIDField(
        required=False, allow_null=True, help_text="The photo they go before; without it, the end"
    )


class AddedPhotosSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="How many were not in it before.")


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    user = PersonSerializer(read_only=True)

    class Meta:
        model = Invitation
        fields = ["id", "user", "answer", "created_at", "answered_at"]
        read_only_fields = fields


class InviteSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=254)


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(choices=Answer.choices)
