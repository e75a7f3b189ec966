"""Forms of objects that use media files: they know who chooses, and save through the services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db import models, transaction
from django.utils.text import capfirst

from apps.media import selectors, services
from apps.media.fields import MediaField
from apps.media.forms.fields import AttachmentsFormField, MediaFormField, UsesField
from apps.media.models import MediaAttachment
from apps.media.policies import Visitor
from apps.media.services import AttachmentItem


class MediaFormMixin:
    """Tells the form's fields for media who chooses: `user` is required."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, user: Visitor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        for name, field in self.media_fields():
            field.bind(user=user, present=self.get_present(name, field))

    def media_fields(self) -> Iterator[tuple[str, UsesField]]:
        for name, field in self.fields.items():
            if isinstance(field, UsesField):
                yield name, field

    def get_present(self, name: str, field: UsesField) -> list[AttachmentItem]:
        """What is chosen by now: the initial value, an `AttachmentItem` or a list of them."""
        initial = getattr(self, "initial", {}).get(name, field.initial)
        if isinstance(initial, AttachmentItem):
            return [initial]
        return list(initial) if isinstance(initial, list | tuple) else []


class MediaForm(MediaFormMixin, forms.Form):
    """A plain form with fields for media."""


class MediaModelForm(MediaFormMixin, forms.ModelForm):  # type: ignore[type-arg]
    """A form of an object that uses media files.

    A `MediaField` of the model gets its form field by itself; for its attachments write
    `attachments = AttachmentsFormField(through=PostAttachment)`. Saving attaches what was chosen,
    in one transaction with the object (with `commit=False`: when `save_m2m()` is called), and
    raises what the services raise if a file has become unusable meanwhile.
    """

    def get_present(self, name: str, field: UsesField) -> list[AttachmentItem]:
        if self.instance._state.adding:
            return super().get_present(name, field)
        if isinstance(field, AttachmentsFormField):
            return [
                _item_of(row)
                for row in selectors.list_attachments(of=self.instance, through=field.through)
            ]
        return _present_file(self.instance, name)

    def save(self, commit: bool = True) -> Any:
        with transaction.atomic():
            return super().save(commit)

    def _post_clean(self) -> None:
        """The object does not get the files here: the services give them to it once it is saved."""
        chosen = {
            name: self.cleaned_data.pop(name)
            for name, _ in self.media_fields()
            if name in self.cleaned_data
        }
        super()._post_clean()  # type: ignore[misc]
        self.cleaned_data.update(chosen)

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {name for name, _ in self.media_fields()}

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        for name, field in self.media_fields():
            if name in self.cleaned_data:
                self._attach(name, field, self.cleaned_data[name])

    def _attach(self, name: str, field: UsesField, chosen: Any) -> None:
        if isinstance(field, AttachmentsFormField):
            services.set_attachments(
                user=self.user, to=self.instance, through=field.through, items=chosen
            )
        elif chosen is None:
            services.detach_media(user=self.user, to=self.instance, field=name)
        else:
            services.attach_media(
                user=self.user, media=chosen.media, to=self.instance, field=name, crop=chosen.crop
            )


def form_field_of(field: MediaField, **options: Any) -> MediaFormField:
    """What a form shows for a `MediaField`; `options` as Django's forms give them."""
    wanted = {
        "kinds": field.kinds,
        "max_size": field.max_size,
        "crops": bool(field.crop_field),
        "ratio": selectors.ratio_of(field.recipe),
        "required": not field.blank,
        "label": capfirst(field.verbose_name),
        "help_text": field.help_text,
    }
    return MediaFormField(**{**wanted, **options})


def _present_file(instance: models.Model, name: str) -> list[AttachmentItem]:
    media = getattr(instance, name)
    if media is None:
        return []
    declared = instance._meta.get_field(name)
    crop_field = declared.crop_field if isinstance(declared, MediaField) else ""
    crop = getattr(instance, crop_field) if crop_field else None
    return [AttachmentItem(media, crop=crop)]


def _item_of(row: MediaAttachment) -> AttachmentItem:
    focal = None if row.focal_x is None or row.focal_y is None else (row.focal_x, row.focal_y)
    return AttachmentItem(row.media, row.alt_text, row.caption, row.crop, focal)
