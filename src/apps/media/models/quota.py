"""A user's storage account: what is used, what uploads under way have set aside."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Quota(models.Model):
    """Bytes and numbers of files. A null limit means the default of `MEDIA_APP`."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="media_quota",
    )
    bytes_used = models.BigIntegerField(_("bytes used"), default=0)
    bytes_reserved = models.BigIntegerField(_("bytes reserved"), default=0)
    files_used = models.PositiveIntegerField(_("files used"), default=0)
    bytes_limit = models.BigIntegerField(_("limit of bytes"), null=True, blank=True)
    files_limit = models.PositiveIntegerField(_("limit of files"), null=True, blank=True)

    class Meta:
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        constraints = [
            models.CheckConstraint(
                condition=Q(bytes_used__gte=0, bytes_reserved__gte=0), name="quota_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bytes_used} bytes in {self.files_used} files"
