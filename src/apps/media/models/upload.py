"""An upload: a session in which bytes arrive. The row is there before the first byte."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.ids import new_id
from apps.media.models.media_file import MediaFile


class Upload(models.Model):
    """Explains the object at `key`, and at `final_key` once promotion has begun.

    `reserved` bytes are set aside in the owner's quota until the upload ends. A row that is still
    `receiving` at `expires_at` is dropped together with its objects.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving"
        COMPLETED = "completed"

    class Source(models.TextChoices):
        FORM = "form"
        PATH = "path"
        PYTHON = "python"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="media_uploads"
    )
    source = models.CharField(max_length=16, choices=Source.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVING)
    original_name = models.CharField(max_length=255)
    storage = models.CharField(max_length=64)
    key = models.CharField(max_length=255, unique=True)
    final_key = models.CharField(max_length=255, blank=True)
    reserved = models.BigIntegerField(default=0)
    media = models.OneToOneField(
        MediaFile, null=True, blank=True, on_delete=models.CASCADE, related_name="upload"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="upload_expiry")]
        constraints = [
            models.CheckConstraint(condition=Q(reserved__gte=0), name="upload_reserved_positive"),
            models.CheckConstraint(
                condition=Q(state="receiving", media=None)
                | Q(state="completed", media__isnull=False),
                name="upload_completed_has_media",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_name} ({self.state})"
