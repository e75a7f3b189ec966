"""A rendition: the result of one recipe for one version of a media file."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.core.byteorder import PATTERN_OPS
from apps.media.models.media_file import MediaFile
from apps.media.processing.recipes import CLEAN


class RenditionQuerySet(models.QuerySet["Rendition"]):
    def shown(self) -> RenditionQuerySet:
        """Those that have an address, the narrowest first; without what playlists say of them."""
        served = self.exclude(key="").exclude(name__startswith=Rendition.PARTS)
        return served.exclude(name=CLEAN.name).defer("details").order_by("width", "name")


class Rendition(models.Model):
    """`key` is what is served. `next_key` names the object that a running job may be writing.

    While a changed recipe is made anew, the old object at `key` goes on being served. Sizes are
    bytes, `width` and `height` pixels. `details` is what playlists say of a track of a film; of a
    copy without the place, the CRC-32 of the object by its key, once somebody has read it all.

    Tracks are called `hls/…`. What is called `part/…` is a stretch of a film that waits to be
    joined, which nobody is given.
    """

    TRACKS, PARTS = "hls/", "part/"
    FALLBACK = "video.mp4"  # for players that know no playlists

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        READY = "ready", _("Ready")

    media = models.ForeignKey(
        MediaFile, on_delete=models.CASCADE, related_name="renditions", verbose_name=_("file")
    )
    version = models.PositiveIntegerField(_("version"))
    name = models.CharField(_("name"), max_length=64)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.PENDING
    )
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True)
    storage = models.CharField(_("storage"), max_length=64)
    key = models.CharField(_("key"), max_length=255, blank=True)
    next_key = models.CharField(_("next key"), max_length=255, blank=True)
    mime_type = models.CharField(_("MIME type"), max_length=127, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    size = models.BigIntegerField(_("size"), default=0)
    details = models.JSONField(_("details"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = RenditionQuerySet.as_manager()

    class Meta:
        # Whoever finds an object asks which row explains it.
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        indexes = [
            models.Index(
                fields=["key"],
                name="rendition_key_bytes",
                opclasses=[PATTERN_OPS],
                condition=~models.Q(key=""),
            ),
            models.Index(
                fields=["next_key"],
                name="rendition_next_key_bytes",
                opclasses=[PATTERN_OPS],
                condition=~models.Q(next_key=""),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                F("media"), F("version"), F("name"), name="media_rendition_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="ready", key=""), name="media_rendition_ready_has_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of version {self.version}"
