"""A tombstone: an object to remove from storage.

Written in the transaction that drops the row which explained the object, executed after commit,
retried until the object is gone.
"""

from __future__ import annotations

from django.db import models


class Tombstone(models.Model):
    storage = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=255, blank=True)
    due_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key
