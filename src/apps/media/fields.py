"""Model fields with which other apps use media files.

They name `media.MediaFile` and know none of the models: apps may import them from anywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.module_loading import import_string

from apps.core.words import translated
from apps.media.processing.crops import Crop, crop_from, crop_from_text

__all__ = ["KINDS", "Crop", "CropField", "MediaField"]

if TYPE_CHECKING:
    _TextField = models.CharField[Any, Any]
else:
    _TextField = models.CharField

KINDS = ("image", "video", "audio", "document", "other")


class MediaField(models.ForeignKey[Any, Any]):
    """A reference to one media file: an avatar, a banner.

    `kinds` are the media types that may be attached, `max_size` the most bytes (None: as much as
    may be uploaded). `recipe` names the rendition that this use is shown by, such as
    `square.webp`; `crop_field` the `CropField` of the same model that says what part of it.

    What is declared here is checked when a file is attached (`services.attach_media`, forms,
    serializers); it needs no migration when it changes.
    """

    description = "A media file"

    def __init__(
        self,
        to: Any = "media.MediaFile",
        on_delete: Any = models.SET_NULL,
        *,
        kinds: Collection[str] = ("image",),
        max_size: int | None = None,
        recipe: str = "",
        crop_field: str = "",
        **kwargs: Any,
    ) -> None:
        self.kinds = frozenset(kinds)
        self.max_size = max_size
        self.recipe = recipe
        self.crop_field = crop_field
        kwargs.setdefault("null", on_delete is models.SET_NULL)
        kwargs.setdefault("blank", kwargs["null"])
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        """The form field for media; Django's own where a form brings a widget or class."""
        if not kwargs.keys() & {"widget", "form_class", "using", "choices_form_class"}:
            make = import_string("apps.media.forms.hosts.form_field_of")
            return make(self, **kwargs)
        return super().formfield(**kwargs)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_kinds(), *self._check_crop_field()]

    def _check_kinds(self) -> list[checks.CheckMessage]:
        unknown = sorted(self.kinds - set(KINDS))
        if self.kinds and not unknown:
            return []
        message = f"'kinds' must be some of {', '.join(KINDS)}."
        return [checks.Error(message, obj=self, id="media.E010")]

    def _check_crop_field(self) -> list[checks.CheckMessage]:
        named = {field.name: field for field in self.model._meta.get_fields()}
        if not self.crop_field or isinstance(named.get(self.crop_field), CropField):
            return []
        message = f"'crop_field' names {self.crop_field!r}, which is no CropField of this model."
        return [checks.Error(message, obj=self, id="media.E011")]


class CropField(_TextField):
    """The part of a picture that is shown: a `Crop`, or None for all of it.

    Takes a `Crop`, its text (`0100-0200-0500-0500`, thousandths) or a dict of its parts.
    """

    description = "A part of a picture"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(max_length=19, null=True, blank=True, default=None)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for given in ("max_length", "null", "blank", "default"):
            kwargs.pop(given, None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, *args: Any) -> Crop | None:
        return crop_from_text(value) if value else None

    def to_python(self, value: Any) -> Crop | None:
        try:
            return crop_from(value)
        except ValueError as error:
            raise ValidationError(translated(str(error)), code="invalid_crop") from error

    def get_prep_value(self, value: Any) -> str | None:
        crop = self.to_python(value)
        return None if crop is None else str(crop)

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def run_validators(self, value: Any) -> None:
        """A crop is valid by being one; those of text (its length) have nothing to say."""
