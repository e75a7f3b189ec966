"""A share link: an address that opens a file or a collection to whoever has it."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.media.models.collection import Collection
from apps.media.models.media_file import MediaFile

_TOKEN_BYTES = 24  # 192 bits


def new_share_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


class ShareLink(models.Model):
    """Opens one file, or one collection with all below it, until it ends or is taken back.

    `password` is a hash. `downloads` counts originals that were taken away, at most
    `max_downloads`; looking at renditions is free.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token = models.CharField(
        _("token"), max_length=43, unique=True, default=new_share_token, editable=False
    )
    media = models.ForeignKey(
        MediaFile,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="share_links",
        verbose_name=_("file"),
    )
    collection = models.ForeignKey(
        Collection,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="share_links",
        verbose_name=_("collection"),
    )
    password = models.CharField(_("password"), max_length=128, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    max_downloads = models.PositiveIntegerField(_("most downloads"), null=True, blank=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="media_share_links",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="share_link_expiry",
                condition=Q(expires_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(media=None) ^ Q(collection=None), name="share_link_of_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(max_downloads=None) | Q(downloads__lte=F("max_downloads")),
                name="share_link_downloads_within",
            ),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("media:share", args=[self.token])

    @classmethod
    def in_time(cls) -> QuerySet[ShareLink]:
        """Those that have not ended, by the database's clock."""
        return cls.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))

    @property
    def has_password(self) -> bool:
        return bool(self.password)

    @property
    def is_used_up(self) -> bool:
        """Whether every download that it is good for was taken."""
        return self.max_downloads is not None and self.downloads >= self.max_downloads

    def accepts(self, password: str) -> bool:
        return check_password(password, self.password)
