"""Media in JSON. Reading costs no query beyond what `selectors.with_details` has fetched."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media import links
from apps.media.models import Caption, MediaFile, Rendition, Tag, Visibility
from apps.media.policies import Action, can_access

# An allow-list: what an engine learns to find out tomorrow is the owner's alone.
TECHNICAL_FACTS = frozenset(
    "frames pages video audio has_alpha loudness loudness_range true_peak".split()
)
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


class MediaSerializer(serializers.ModelSerializer[MediaFile]):
    """A media file as the API gives it."""

    owner = OwnerSerializer(read_only=True)
    tags = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    focal_point = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()
    renditions = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

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
            "created_at",
            "updated_at",
            "deleted_at",
            "urls",
            "renditions",
            "permissions",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, media: MediaFile) -> list[str]:
        return [tag.name for tag in media.tags.all()]

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, media: MediaFile) -> dict[str, str] | None:
        if not media.failure_code:
            return None
        return {"code": media.failure_code, "message": media.failure_message}

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

    @extend_schema_field(PermissionsSerializer)
    def get_permissions(self, media: MediaFile) -> dict[str, bool]:
        user = self.context["request"].user
        return {action.value: can_access(user, media, action) for action in PERMISSIONS}

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


class CaptionCreateSerializer(serializers.Serializer[Any]):
    """The multipart form of a new caption: a WebVTT or SubRip file, and its BCP 47 language."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)
    language = serializers.CharField(max_length=35)
    kind = serializers.ChoiceField(choices=Caption.Kind.choices, required=False)
    label = serializers.CharField(  # type: ignore[assignment]  # a field has a label of its own
        max_length=100, required=False, allow_blank=True
    )
    default = serializers.BooleanField(required=False)


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
        return [captions.to_representation(one) for one in media.captions.order_by("pk")]

    @extend_schema_field(serializers.DictField())
    def get_facts(self, media: MediaFile) -> dict[str, Any]:
        """Everything for those who may edit; others learn what the bytes need to be played, and
        nothing of when and with what the file was made."""
        known = {name: value for name, value in media.current.metadata.items() if value is not None}
        known.pop("chapters", None)
        if can_access(self.context["request"].user, media, Action.EDIT):
            return known
        return {name: value for name, value in known.items() if name in TECHNICAL_FACTS}


class SimilarMediaSerializer(serializers.Serializer[Any]):
    """A list in the shape of all lists, which never has a second page."""

    next = serializers.URLField(allow_null=True, default=None)
    previous = serializers.URLField(allow_null=True, default=None)
    results = MediaSerializer(many=True)


class TagNamesField(serializers.ListField):
    child = serializers.CharField(max_length=64)


class MediaFieldsSerializer(serializers.Serializer[Any]):
    """What an owner may say about a file."""

    title = serializers.CharField(max_length=255, required=False, allow_blank=True)
    caption = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    alt_text = serializers.CharField(max_length=2_000, required=False, allow_blank=True)
    tags = TagNamesField(required=False, max_length=50)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)


class MediaCreateSerializer(MediaFieldsSerializer):
    """The multipart form of a new file; `tags` may be repeated."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)


class MediaUpdateSerializer(MediaFieldsSerializer):
    """The body of PATCH; what is left out stays."""

    focal_point = FocalPointSerializer(required=False)
    share_location = serializers.BooleanField(required=False)

    def validate_focal_point(self, point: dict[str, float]) -> dict[str, float]:
        """A partial change still needs a whole point."""
        if set(point) != {"x", "y"}:
            raise serializers.ValidationError("Give both x and y.")
        return point

    def to_fields(self) -> dict[str, Any]:
        """The values as `services.update_media` takes them."""
        fields = dict(self.validated_data)
        if point := fields.pop("focal_point", None):
            fields |= {"focal_x": point["x"], "focal_y": point["y"]}
        return fields


class TagSerializer(serializers.ModelSerializer[Tag]):
    uses = serializers.IntegerField(read_only=True)

    class Meta:
        model = Tag
        fields = ["id", "name", "uses"]
        read_only_fields = fields


class UsageSerializer(serializers.Serializer[Any]):
    """Bytes and numbers of files."""

    used = serializers.IntegerField()
    reserved = serializers.IntegerField()
    quota = serializers.IntegerField()
    files = serializers.IntegerField()
    files_quota = serializers.IntegerField()
