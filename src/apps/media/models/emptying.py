"""Somebody has emptied their trash: what lay in it then goes, in many short transactions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Emptying(models.Model):
    """One for each owner, as long as something of theirs is left that was thrown away before
    `asked_at`. Whatever was thrown away later, or restored before, is none of its business."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="emptied_trash",
    )
    asked_at = models.DateTimeField(_("asked"))

    class Meta:
        verbose_name = _("emptying of a trash")
        verbose_name_plural = _("emptyings of trashes")

    def __str__(self) -> str:
        return f"trash of {self.owner_id} as of {self.asked_at:%Y-%m-%d %H:%M:%S}"
