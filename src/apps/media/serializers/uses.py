"""Media files in the JSON of other apps' objects: written by id, read with their renditions.

    class MemberSerializer(UsesMediaMixin, serializers.ModelSerializer):
        avatar = MediaIdField.of(Member, "avatar")
        attachments = AttachmentsField(through=MemberAttachment)

Reading costs no query beyond what `selectors.prefetch_media` and `prefetch_attachments` fetch.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.words import translated
from apps.media import selectors, services
from apps.media.exceptions import MediaError
from apps.media.fields import KINDS, Crop
from apps.media.models import MediaAttachment, MediaFile
from apps.media.processing.crops import crop_from
from apps.media.serializers.media import FocalPointSerializer, MediaSerializer

NOT_THERE = _("There is no such file.")


class NamedUseSerializer(serializers.Serializer[Any]):
    """An object that uses a file; `name` and `url` are empty where you may not know which."""

    kind = serializers.CharField()
    model = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField()


class NamedUsesSerializer(serializers.Serializer[Any]):
    """All on one page."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = NamedUseSerializer(many=True)


class _CropShape(serializers.Serializer[Any]):
    """Fractions of the upright picture."""

    left = serializers.FloatField(min_value=0, max_value=1)
    top = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


@extend_schema_field(_CropShape)
class CropJsonField(serializers.Field[Any, Any, Any, Any]):
    """A `Crop` as `{"left", "top", "width", "height"}`, or null for the whole picture."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_null", True)
        options.setdefault("required", False)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Crop | None:
        try:
            return crop_from(data)
        except ValueError as error:
            raise serializers.ValidationError(
                f"{translated(str(error))}.", code="invalid_crop"
            ) from error

    def to_representation(self, value: Crop) -> dict[str, float]:
        return value.as_dict()


@extend_schema_field(MediaSerializer)
class MediaIdField(serializers.Field[Any, Any, Any, Any]):
    """One file of an object: takes its id, gives it as everywhere in JSON.

    A new file must be one that the user may attach, of these `kinds` and of at most `max_size`
    bytes; what is there already may stay.
    """

    def __init__(
        self,
        *,
        kinds: Collection[str] = KINDS,
        max_size: int | None = None,
        crop_field: str = "",
        **options: Any,
    ) -> None:
        self.kinds, self.max_size, self.crop_field = kinds, max_size, crop_field
        super().__init__(**options)

    @classmethod
    def of(cls, model: type[models.Model], name: str, **options: Any) -> MediaIdField:
        """The field for the `MediaField` of that name, with what it declares."""
        field: Any = model._meta.get_field(name)
        options = {"required": False, "allow_null": field.null, **options}
        limits = {"kinds": field.kinds, "max_size": field.max_size, "crop_field": field.crop_field}
        return cls(**limits, **options)

    def to_internal_value(self, data: Any) -> MediaFile:
        user = self.context["request"].user
        try:
            media = selectors.get_visible_media(user=user, media_id=_as_id(data))
            if media.pk != self._present_id():
                services.ensure_attachable(
                    user=user, media=media, kinds=self.kinds, max_size=self.max_size
                )
        except MediaError as error:
            raise _as_validation(error) from error
        return media

    def to_representation(self, value: MediaFile) -> Any:
        return MediaSerializer(value, context=self.context).data

    def _present_id(self) -> Any:
        present = getattr(self.parent, "instance", None)
        return getattr(present, f"{self.source}_id", None)


class AttachmentSerializer(serializers.Serializer[Any]):
    """One file of a list, and how it is shown there. Empty words leave those of the file."""

    media = serializers.SerializerMethodField()
    alt_text = serializers.CharField()
    caption = serializers.CharField()
    crop = CropJsonField()
    focal_point = serializers.SerializerMethodField()

    @extend_schema_field(MediaSerializer)
    def get_media(self, row: MediaAttachment) -> Any:
        return MediaSerializer(row.media, context=self.context).data

    @extend_schema_field(FocalPointSerializer(allow_null=True))
    def get_focal_point(self, row: MediaAttachment) -> dict[str, float] | None:
        if row.focal_x is None or row.focal_y is None:
            return None
        return {"x": row.focal_x, "y": row.focal_y}


class _AttachmentWrite(serializers.Serializer[Any]):
    media = serializers.UUIDField()
    alt_text = serializers.CharField(max_length=2_000, required=False, allow_blank=True, default="")
    caption = serializers.CharField(max_length=10_000, required=False, allow_blank=True, default="")
    crop = CropJsonField(default=None)
    focal_point = FocalPointSerializer(required=False, allow_null=True)


@extend_schema_field(AttachmentSerializer(many=True))
class AttachmentsField(serializers.Field[Any, Any, Any, Any]):
    """The ordered files of an object: takes a list of `{"media": id, "alt_text", "caption", "crop",
    "focal_point"}` that replaces the one before, gives each file as everywhere in JSON."""

    def __init__(self, *, through: type[MediaAttachment], **options: Any) -> None:
        self.through = through
        options.setdefault("required", False)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> list[services.AttachmentItem]:
        if not isinstance(data, list) or len(data) > self.through.accepts.max_count:
            most = self.through.accepts.max_count
            message = gettext("Send a list of at most %(most)s files.") % {"most": most}
            raise serializers.ValidationError(message, code="too_many_files")
        form = _AttachmentWrite(data=data, many=True)
        form.is_valid(raise_exception=True)
        said: list[dict[str, Any]] = form.validated_data
        files = self._files([item["media"] for item in said])
        return [_item(files[item["media"]], item) for item in said]

    def to_representation(self, value: Any) -> Any:
        rows = value.all() if hasattr(value, "all") else value
        return AttachmentSerializer(rows, many=True, context=self.context).data

    def _files(self, ids: list[uuid.UUID]) -> dict[uuid.UUID, MediaFile]:
        """Those that the user may view, and those that are there already, in two queries."""
        found = selectors.list_media_by_ids(user=self.context["request"].user, ids=ids)
        host = getattr(self.parent, "instance", None)
        if host is not None and set(ids) - set(found):
            rows = self.through._default_manager.filter(
                **{self.through.host_field().name: host}, media__in=ids
            )
            found |= {row.media_id: row.media for row in rows.select_related("media")}
        if set(ids) - set(found):
            raise serializers.ValidationError(NOT_THERE, code="not_found")
        return found


class UsesMediaMixin:
    """Has the services write the fields of this module; put it before `ModelSerializer`.

    Everything is saved, or nothing. What the services refuse is an error of the field.
    """

    def create(self, validated_data: dict[str, Any]) -> Any:
        uses = self._take_uses(validated_data)
        with transaction.atomic():
            return self._attach(super().create(validated_data), uses)  # type: ignore[misc]

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        uses = self._take_uses(validated_data)
        with transaction.atomic():
            return self._attach(super().update(instance, validated_data), uses)  # type: ignore[misc]

    def _take_uses(self, validated_data: dict[str, Any]) -> dict[Any, Any]:
        """The values of our fields, with the crop that came along where there is one."""
        uses = {}
        for field in self.fields.values():  # type: ignore[attr-defined]
            if isinstance(field, MediaIdField | AttachmentsField):
                crop = validated_data.get(getattr(field, "crop_field", ""))
                if field.source in validated_data:
                    uses[field] = (validated_data.pop(field.source), crop)
        return uses

    def _attach(self, host: Any, uses: dict[Any, Any]) -> Any:
        for field, (value, crop) in uses.items():
            try:
                self._attach_one(host, field, value, crop)
            except MediaError as error:
                raise serializers.ValidationError(
                    {field.field_name: _as_validation(error).detail}
                ) from error
        return host

    def _attach_one(self, host: Any, field: Any, value: Any, crop: Crop | None) -> None:
        user = self.context["request"].user  # type: ignore[attr-defined]
        if isinstance(field, AttachmentsField):
            services.set_attachments(user=user, to=host, through=field.through, items=value)
        elif value is None:
            services.detach_media(user=user, to=host, field=field.source)
        else:
            services.attach_media(user=user, media=value, to=host, field=field.source, crop=crop)


def _as_id(data: Any) -> uuid.UUID:
    try:
        return uuid.UUID(str(data))
    except ValueError as error:
        raise serializers.ValidationError(gettext("This is not an id."), code="invalid") from error


def _as_validation(error: MediaError) -> serializers.ValidationError:
    return serializers.ValidationError(error.detail, code=error.code)


def _item(media: MediaFile, said: dict[str, Any]) -> services.AttachmentItem:
    point = said.get("focal_point")
    return services.AttachmentItem(
        media,
        alt_text=said["alt_text"],
        caption=said["caption"],
        crop=said.get("crop"),
        focal=(point["x"], point["y"]) if point else None,
    )
