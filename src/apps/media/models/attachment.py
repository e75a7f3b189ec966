"""The abstract model by which objects of other apps have many media files, in an order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.core import checks
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.media.fields import CropField
from apps.media.models.media_file import FRACTION, MediaFile


@dataclass(frozen=True)
class Accepts:
    """What may be attached: media types, how many files, how many bytes each (None: no limit of
    its own). `recipe` names the rendition that an attachment with a crop is shown by."""

    kinds: Collection[str] = ("image",)
    max_count: int = 10
    max_size: int | None = None
    recipe: str = ""


class MediaAttachment(models.Model):
    """One use of a file by an object, at a position (from 0), with words and a view of its own.

        class PostAttachment(MediaAttachment):
            post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="attachments")
            accepts = Accepts(kinds=("image", "video"), max_count=10)

            class Meta(MediaAttachment.Meta):
                constraints = [
                    models.UniqueConstraint(fields=["post", "media"], name="post_media_once")
                ]

    An empty `alt_text` or `caption`, and no focal point, leave those of the file in force. Change
    the list of a host by `services.set_attachments`.
    """

    media = models.ForeignKey(
        MediaFile, on_delete=models.CASCADE, related_name="+", verbose_name=_("file")
    )
    media_id: UUID
    position = models.PositiveIntegerField(_("position"), default=0)
    alt_text = models.TextField(_("alternative text"), max_length=2_000, blank=True)
    caption = models.TextField(_("caption"), max_length=10_000, blank=True)
    crop = CropField(_("crop"))
    focal_x = models.FloatField(_("focal point across"), null=True, blank=True, validators=FRACTION)
    focal_y = models.FloatField(_("focal point down"), null=True, blank=True, validators=FRACTION)

    accepts: ClassVar[Accepts] = Accepts()
    host_name: ClassVar[str] = ""  # of the foreign key to the host, where there are more

    class Meta:
        abstract = True
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        """The name of the file, where it has been read: a list of rows costs no query each."""
        is_read = MediaAttachment.media.is_cached(self)
        return str(self.media if is_read else self.media_id)

    @classmethod
    def host_field(cls) -> models.ForeignKey[Any, Any]:
        """The foreign key to what the files are attached to: the only one beside `media`, or that
        of `host_name`."""
        (field,) = _host_fields(cls)
        return field

    @property
    def host_id(self) -> Any:
        return getattr(self, self.host_field().attname)

    @property
    def host(self) -> models.Model:
        found: models.Model = getattr(self, self.host_field().name)
        return found

    @property
    def shown_alt_text(self) -> str:
        """What is said instead of the picture here: its own words, else those of the file."""
        return self.alt_text or self.media.alt_text

    @property
    def shown_caption(self) -> str:
        return self.caption or self.media.caption

    @property
    def shown_focal(self) -> tuple[float, float]:
        """The point to keep in view, as fractions of the upright picture."""
        if self.focal_x is None or self.focal_y is None:
            return self.media.focal_x, self.media.focal_y
        return self.focal_x, self.focal_y

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *cls._check_host()]

    @classmethod
    def _check_host(cls) -> list[checks.CheckMessage]:
        hosts = _host_fields(cls)
        if len(hosts) != 1:
            message = (
                "A MediaAttachment has one foreign key beside 'media', to its host; where there "
                "are more, 'host_name' says which."
            )
            return [checks.Error(message, obj=cls, id="media.E012")]
        wanted = {hosts[0].name, "media"}
        if any(wanted == set(fields) for fields in _unique_together(cls)):
            return []
        hint = f'UniqueConstraint(fields=["{hosts[0].name}", "media"], name="…")'
        message = "A file is attached to one host once: a constraint has to say so."
        return [checks.Error(message, hint=hint, obj=cls, id="media.E013")]


def _host_fields(model: type[MediaAttachment]) -> list[models.ForeignKey[Any, Any]]:
    fields = (field for field in model._meta.concrete_fields if field.name != "media")
    keys = [field for field in fields if isinstance(field, models.ForeignKey)]
    return [field for field in keys if model.host_name in {"", field.name}]


def _unique_together(model: type[models.Model]) -> list[tuple[str, ...]]:
    constraints = (
        constraint
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition in {None, Q()}
    )
    together = [tuple(fields) for fields in model._meta.unique_together]
    return [*(tuple(constraint.fields) for constraint in constraints), *together]
