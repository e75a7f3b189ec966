"""A tombstone: an object to remove from storage.

Written in the transaction that drops the row which explained the object, executed after commit,
retried until the object is gone.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.byteorder import PATTERN_OPS


class Tombstone(models.Model):
    storage = models.CharField(_("storage"), max_length=64)
    key = models.CharField(_("key"), max_length=255)
    # What the store needs to drop an object that was begun and never finished.
    storage_state = models.JSONField(_("state at the storage"), default=dict, blank=True)
    # Which erasure of a user it belongs to, so that its receipt can say what remains.
    erasure = models.UUIDField(_("erasure"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=255, blank=True)
    due_at = models.DateTimeField(_("due"), db_index=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("object to be removed")
        verbose_name_plural = _("objects to be removed")
        indexes = [
            models.Index(fields=["key"], name="tombstone_key_bytes", opclasses=[PATTERN_OPS]),
            models.Index(
                fields=["erasure"],
                name="tombstone_erasure",
                condition=models.Q(erasure__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key
