"""An upload: a session in which bytes arrive. The row is there before the first byte."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.byteorder import PATTERN_OPS
from apps.core.ids import new_id
from apps.media.models.media_file import MediaFile

_TOKEN_BYTES = 24  # 192 bits; ids are time-ordered and must not be what opens an upload


def new_token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


class Upload(models.Model):
    """Explains the object at `key`, and at `final_key` once promotion has begun. They are the same
    where only the app writes.

    The owner's programs know it by its `token`. `length` is the size that was declared, `offset`
    how many bytes are durable, `storage_state` what the store needs to go on with them. Whoever
    writes holds `lock` until `lock_until` passes, and lets go soon after `lock_wanted` is set.

    `reserved` bytes are set aside in the owner's quota until the upload ends. A row that is not
    `completed` at `expires_at` is dropped together with its objects.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", _("Receiving")
        COMPLETED = "completed", _("Completed")
        FAILED = "failed", _("Failed")  # an import, whose owner will ask why

    class Source(models.TextChoices):
        FORM = "form", pgettext_lazy("upload", "Form")
        PATH = "path", pgettext_lazy("upload", "Path")
        PYTHON = "python", _("Python")
        TUS = "tus", _("Tus")
        DIRECT = "direct", pgettext_lazy("upload", "Direct")
        URL = "url", _("Url")

    class Role(models.TextChoices):
        WHOLE = "whole", pgettext_lazy("upload", "Whole")
        PARTIAL = (
            "partial",
            pgettext_lazy("upload", "Partial"),
        )  # becomes part of a final upload, never a file by itself
        FINAL = "final", pgettext_lazy("upload", "Final")  # made of partial ones

    class OnDuplicate(models.TextChoices):
        KEEP = "keep", pgettext_lazy("upload", "Keep")  # and say so
        REFUSE = "refuse", _("Refuse")
        LINK = "link", pgettext_lazy("upload", "Link")  # give the file that is there

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token = models.CharField(
        _("token"), max_length=43, unique=True, default=new_token, editable=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="media_uploads",
        verbose_name=_("owner"),
    )
    source = models.CharField(_("source"), max_length=16, choices=Source.choices)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.WHOLE)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.RECEIVING
    )
    original_name = models.CharField(_("original name"), max_length=255)
    # What the media file will say: the fields of `upload_media`, `tags` included.
    fields = models.JSONField(_("fields"), default=dict, blank=True)
    # The file that gets a new version; without one, a new file is made.
    replaces = models.ForeignKey(
        MediaFile,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="replacements",
        verbose_name=_("replaces"),
    )
    on_duplicate = models.CharField(
        _("on duplicate"), max_length=16, choices=OnDuplicate.choices, default=OnDuplicate.KEEP
    )
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)  # as it was declared

    storage = models.CharField(_("storage"), max_length=64)
    key = models.CharField(_("key"), max_length=255, unique=True)
    final_key = models.CharField(_("final key"), max_length=255, blank=True)
    storage_state = models.JSONField(_("state at the storage"), default=dict, blank=True)
    length = models.BigIntegerField(_("length"), null=True, blank=True)
    offset = models.BigIntegerField(_("offset"), default=0)
    reserved = models.BigIntegerField(_("reserved"), default=0)
    part_size = models.BigIntegerField(_("part size"), null=True, blank=True)  # of a direct upload
    # as a tus client gave it, and gets it back
    metadata = models.TextField(_("metadata"), blank=True)
    parts = models.TextField(_("parts"), blank=True)  # the tokens that a final upload was made of
    url = models.TextField(_("URL"), blank=True)  # where an import comes from

    lock = models.UUIDField(_("lock"), null=True, blank=True)
    lock_until = models.DateTimeField(_("lock until"), null=True, blank=True)
    lock_wanted = models.BooleanField(_("lock wanted"), default=False)

    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # of an import
    due_at = models.DateTimeField(_("due"), null=True, blank=True)  # when an import is tried, again
    failure_code = models.CharField(_("failure code"), max_length=64, blank=True)
    failure_message = models.CharField(_("failure message"), max_length=255, blank=True)

    media = models.ForeignKey(
        MediaFile,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="uploads",
        verbose_name=_("file"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        indexes = [
            models.Index(fields=["expires_at"], name="upload_expiry"),
            models.Index(
                fields=["due_at"], name="upload_import_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(
                fields=["final_key"],
                name="upload_final_key_bytes",
                opclasses=[PATTERN_OPS],
                condition=~Q(final_key=""),
            ),
            models.Index(fields=["owner", "sha256"], name="upload_sha256", condition=~Q(sha256="")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(reserved__gte=0), name="upload_reserved_positive"),
            models.CheckConstraint(
                condition=Q(state="completed", media__isnull=False)
                | (~Q(state="completed") & Q(media=None)),
                name="upload_completed_has_media",
            ),
            models.CheckConstraint(
                condition=Q(offset__gte=0) & (Q(length=None) | Q(length__gte=models.F("offset"))),
                name="upload_offset_within_length",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed", failure_code=""), name="upload_failed_has_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_name} ({self.state})"

    @property
    def is_appended(self) -> bool:
        """Whether the object grows over many requests."""
        return self.source in {self.Source.TUS, self.Source.URL}

    @property
    def is_whole(self) -> bool:
        """Whether every declared byte is durable."""
        return self.length is not None and self.offset == self.length
