"""What was taken over from another media library, and where its bytes used to be found."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.media.models.collection import Collection
from apps.media.models.media_file import MediaFile

LONGEST_PATH = 600  # characters: an index of PostgreSQL takes 2704 bytes


class Adoption(models.Model):
    """That an object of another library has become a file or a collection.

    `source` names the kind of object (`filer.file`), `source_pk` the one. The row outlives what it
    names: what was removed here does not come back when somebody adopts again.
    """

    source = models.CharField(_("source"), max_length=128)
    source_pk = models.CharField(_("key at the source"), max_length=64)
    media = models.ForeignKey(
        MediaFile,
        null=True,
        on_delete=models.SET_NULL,
        related_name="adoptions",
        verbose_name=_("file"),
    )
    collection = models.ForeignKey(
        Collection,
        null=True,
        on_delete=models.SET_NULL,
        related_name="adoptions",
        verbose_name=_("collection"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("adoption")
        verbose_name_plural = _("adoptions")
        constraints = [
            models.UniqueConstraint(fields=["source", "source_pk"], name="media_adopted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.source_pk}"


class FormerAddress(models.Model):
    """A path of this site at which the bytes of a file, or a small picture of it, used to be.

    `width` and `height` are the pixels of that picture; without a width it was the file itself.
    """

    path = models.CharField(_("path"), max_length=LONGEST_PATH, unique=True)
    media = models.ForeignKey(
        MediaFile,
        on_delete=models.CASCADE,
        related_name="former_addresses",
        verbose_name=_("file"),
    )
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)

    class Meta:
        verbose_name = _("former address")
        verbose_name_plural = _("former addresses")

    def __str__(self) -> str:
        return self.path
