"""Objects that use media files: one in a field, many in a list, one by a plain foreign key."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.media.fields import CropField, MediaField
from apps.media.models import Accepts, MediaAttachment, MediaFile


class Member(models.Model):
    name = models.CharField(max_length=50)
    avatar = MediaField(max_size=1_000_000, recipe="square.webp", crop_field="avatar_crop")
    avatar_crop = CropField()

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    text = models.TextField()

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return f"/notes/{self.pk}/"


class NoteAttachment(MediaAttachment):
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="attachments")
    accepts = Accepts(kinds=("image", "document"), max_count=3, recipe="banner.webp")

    class Meta(MediaAttachment.Meta):
        constraints = [models.UniqueConstraint(fields=["note", "media"], name="note_media_once")]


class Leaflet(models.Model):
    """Knows nothing of the fields of the media app."""

    sheet = models.ForeignKey(MediaFile, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"leaflet {self.pk}"


class Flyer(models.Model):
    """Has kept its files by itself so far."""

    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=300)
    words = models.TextField(blank=True)
    printed_at = models.DateTimeField(null=True)
    sheet = models.FileField(upload_to="flyers", blank=True)
    original = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    picture = MediaField()

    def __str__(self) -> str:
        return self.name
