"""Captions: a text track that a person adds to a film."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.byteorder import PATTERN_OPS
from apps.core.ids import new_id
from apps.media.models.media_file import MediaFile


class Caption(models.Model):
    """Stored as WebVTT, whatever was uploaded. `language` is a BCP 47 tag, `size` is bytes."""

    class Kind(models.TextChoices):
        SUBTITLES = (
            "subtitles",
            _("Subtitles"),
        )  # what is said, for those who do not speak the language
        CAPTIONS = (
            "captions",
            pgettext_lazy("kind of captions", "Captions"),
        )  # and what is heard, for those who cannot hear

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    media = models.ForeignKey(
        MediaFile, on_delete=models.CASCADE, related_name="captions", verbose_name=_("file")
    )
    language = models.CharField(_("language"), max_length=35)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.SUBTITLES)
    label = models.CharField(_("label"), max_length=100, blank=True)
    default = models.BooleanField(_("on by default"), default=False)
    storage = models.CharField(_("storage"), max_length=64)
    key = models.CharField(_("key"), max_length=255)
    size = models.BigIntegerField(_("size"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("track of captions")
        verbose_name_plural = _("tracks of captions")
        indexes = [models.Index(fields=["key"], name="caption_key_bytes", opclasses=[PATTERN_OPS])]
        constraints = [
            models.UniqueConstraint(
                F("media"), F("language"), F("kind"), name="media_caption_once"
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.language
