"""A media file: what an owner knows as "my file". Its bytes belong to a version."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from apps.core.ids import new_id
from apps.media.models.tag import Tag
from apps.media.storage import StoredFile


class MediaType(models.TextChoices):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    OTHER = "other"


class Status(models.TextChoices):
    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    QUARANTINED = "quarantined"


class Visibility(models.TextChoices):
    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


UNFINISHED = (Status.PENDING, Status.PROCESSING)
FRACTION = (MinValueValidator(0.0), MaxValueValidator(1.0))


class MediaFile(models.Model):
    """One file of an owner: identity, metadata, visibility and state.

    The facts about bytes (`mime_type` … `duration`) are those of the current version, copied here
    so that a list needs no join. `width` and `height` are pixels, upright; `duration` is seconds;
    `size` is bytes; `placeholder` is a thumbhash in base64, `likeness` a perceptual hash of 16 hex
    digits.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="media_files"
    )
    title = models.CharField(max_length=255, blank=True)
    caption = models.TextField(max_length=10_000, blank=True)
    alt_text = models.TextField(max_length=2_000, blank=True)
    tags = models.ManyToManyField(Tag, related_name="media_files", blank=True)
    visibility = models.CharField(
        max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    # Whether others get the original with the place it was taken at.
    share_location = models.BooleanField(default=False)
    focal_x = models.FloatField(default=0.5, validators=FRACTION)
    focal_y = models.FloatField(default=0.5, validators=FRACTION)

    original_name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=16, choices=MediaType.choices)
    mime_type = models.CharField(max_length=127)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration = models.FloatField(null=True, blank=True)
    placeholder = models.CharField(max_length=64, blank=True)
    color = models.CharField(max_length=7, blank=True)
    likeness = models.CharField(max_length=16, blank=True)
    version = models.PositiveIntegerField(default=1)

    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    # Clean, and there is something to show: what others may see does not wait for the last job.
    usable = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=255, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)  # 0–100

    search_text = models.TextField(blank=True, editable=False)
    # What only the owner may find it by: camera, lens, time.
    owner_text = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "media file"
        permissions = [("review_quarantine", "Can fetch files that are in quarantine")]
        indexes = [
            # Lists run along (owner, …, id): ids are time-ordered, so id is the creation order.
            models.Index(fields=["owner", "-id"], name="media_owner", condition=Q(deleted_at=None)),
            models.Index(
                fields=["owner", "media_type", "-id"],
                name="media_owner_type",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                fields=["owner", "status", "-id"],
                name="media_owner_status",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                fields=["owner", "size", "id"],
                name="media_owner_size",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                fields=["owner", "original_name", "id"],
                name="media_owner_name",
                condition=Q(deleted_at=None),
            ),
            models.Index(
                fields=["-id"],
                name="media_public",
                condition=Q(deleted_at=None, visibility="public", usable=True),
            ),
            models.Index(
                fields=["owner", "-id"], name="media_trash", condition=Q(deleted_at__isnull=False)
            ),
            models.Index(
                fields=["deleted_at"],
                name="media_trash_due",
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(fields=["sha256"], name="media_sha256", condition=~Q(sha256="")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="media_status_known"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values), name="media_visibility_known"
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="media_progress_percent"),
            models.CheckConstraint(
                condition=~Q(status="failed", failure_code=""), name="media_failed_has_code"
            ),
            models.CheckConstraint(condition=Q(size__gte=0), name="media_size_not_negative"),
            models.CheckConstraint(
                condition=Q(focal_x__range=(0, 1), focal_y__range=(0, 1)), name="media_focal_inside"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.original_name

    def get_absolute_url(self) -> str:
        return reverse("media:detail", args=[self.pk])

    @property
    def current(self) -> MediaVersion:
        """The version whose bytes the file has now (one query, then remembered)."""
        if "_current" not in self.__dict__ or self._current.number != self.version:
            self._current: MediaVersion = self.versions.defer("text").get(number=self.version)
        return self._current

    @property
    def file(self) -> StoredFile:
        """The current bytes as a Django file, opened when first read."""
        return self.current.file

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED


class MediaVersion(models.Model):
    """One immutable set of bytes of a media file and what is known of them.

    `metadata` holds facts that an engine found (see `processing.types.Facts`); `text` is the
    beginning of a document's words. Nobody but the owner gets bytes that are not `clean`.
    """

    class Scan(models.TextChoices):
        PENDING = "pending"
        CLEAN = "clean"
        INFECTED = "infected"

    media = models.ForeignKey(MediaFile, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    storage = models.CharField(max_length=64)
    key = models.CharField(max_length=255, unique=True)
    original_name = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=127)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration = models.FloatField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    text = models.TextField(blank=True)
    scan = models.CharField(max_length=16, choices=Scan.choices, default=Scan.PENDING)
    scanned_at = models.DateTimeField(null=True, blank=True)
    scanner = models.CharField(max_length=64, blank=True)
    signature = models.CharField(max_length=200, blank=True)  # what was found
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(F("media"), F("number"), name="media_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.original_name} (version {self.number})"

    @property
    def file(self) -> StoredFile:
        return StoredFile(alias=self.storage, key=self.key, size=self.size, name=self.original_name)
