"""A media file: what an owner knows as "my file". Its bytes belong to a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from apps.core.filetypes import FILE_TYPES
from apps.core.ids import new_id
from apps.media.exceptions import NotVisibleError
from apps.media.models.bands import band_indexes
from apps.media.models.tag import Tag
from apps.media.processing.swatches import swatch_of
from apps.media.storage import StoredFile

if TYPE_CHECKING:
    from apps.media.models.rendition import Rendition


class MediaType(models.TextChoices):
    IMAGE = "image", _("Image")
    VIDEO = "video", _("Video")
    AUDIO = "audio", _("Audio")
    DOCUMENT = "document", _("Document")
    OTHER = "other", _("Other")

    @property
    def plural(self) -> Promise:
        """What many files of it are called, in the language of whoever reads it then."""
        return _PLURALS[self]


_PLURALS = {
    MediaType.IMAGE: _("Photos"),
    MediaType.VIDEO: _("Videos"),
    MediaType.AUDIO: _("Audio"),
    MediaType.DOCUMENT: _("Documents"),
    MediaType.OTHER: _("Other"),
}


class Status(models.TextChoices):
    PENDING = "pending", _("Pending")
    PROCESSING = "processing", _("Processing")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    QUARANTINED = "quarantined", _("Quarantined")


class Visibility(models.TextChoices):
    PRIVATE = "private", _("Private")
    UNLISTED = "unlisted", _("Unlisted")
    PUBLIC = "public", _("Public")


class Lifetime(models.TextChoices):
    KEPT = "kept", _("Kept")  # until somebody deletes it
    USED = "used", _("Used")  # as long as something uses it


# What a file says of its current bytes.
VERSION_FACTS = (
    "original_name mime_type size sha256 width height duration placeholder color likeness".split()
)
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
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="media_files",
        verbose_name=_("owner"),
    )
    title = models.CharField(_("title"), max_length=255, blank=True)
    caption = models.TextField(_("caption"), max_length=10_000, blank=True)
    alt_text = models.TextField(_("alternative text"), max_length=2_000, blank=True)
    tags = models.ManyToManyField(
        Tag, related_name="media_files", blank=True, verbose_name=_("tags")
    )
    visibility = models.CharField(
        _("visibility"), max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    # Whether others get the original with the place it was taken at.
    share_location = models.BooleanField(_("share the location"), default=False)
    focal_x = models.FloatField(_("focal point across"), default=0.5, validators=FRACTION)
    focal_y = models.FloatField(_("focal point down"), default=0.5, validators=FRACTION)

    original_name = models.CharField(_("original name"), max_length=255)
    media_type = models.CharField(_("type"), max_length=16, choices=MediaType.choices)
    mime_type = models.CharField(_("MIME type"), max_length=127)
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration = models.FloatField(_("duration"), null=True, blank=True)
    placeholder = models.CharField(_("placeholder"), max_length=64, blank=True)
    color = models.CharField(_("colour"), max_length=7, blank=True)
    # Which colour people would call that (see `processing.swatches`).
    swatch = models.CharField(
        _("swatch"),
        max_length=8,
        blank=True,
        db_default="",  # rows of a release that does not know of it
    )
    likeness = models.CharField(_("likeness"), max_length=16, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    # The highest number that a version ever had: none comes again, since addresses carry it that
    # caches keep for ever.
    latest_version = models.PositiveIntegerField(_("latest version"), default=1)
    # What others get: the last good version. Nothing yet, or nothing any more: None.
    published_version = models.PositiveIntegerField(_("published version"), null=True, blank=True)
    # An older file of the owner with the same bytes.
    duplicate_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="duplicates",
        verbose_name=_("duplicate of"),
    )

    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.PENDING
    )
    # A version is clean, and there is something of it to show: what others may see does not wait
    # for the last job.
    usable = models.BooleanField(_("usable"), default=False)
    # Why it failed; of a file that is ready, why it could not be processed again.
    failure_code = models.CharField(_("failure code"), max_length=64, blank=True)
    failure_message = models.CharField(_("failure message"), max_length=255, blank=True)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0)  # 0–100

    search_text = models.TextField(_("search text"), blank=True, editable=False)
    # What only the owner may find it by: camera, lens, time.
    owner_text = models.TextField(_("owner text"), blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    deleted_at = models.DateTimeField(_("in the trash since"), null=True, blank=True)
    # Pictures of one owner that look alike share one: the id of one that is or was among them.
    look = models.UUIDField(_("look"), null=True, blank=True, editable=False)
    # When it goes unless something uses it then.
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    lifetime = models.CharField(
        _("lifetime"),
        max_length=8,
        choices=Lifetime.choices,
        default=Lifetime.KEPT,
        db_default=Lifetime.KEPT,  # rows of a release that does not know of it
    )

    # What the visitor it was read for may do with it: for showing only, see `selectors.shown_to`.
    rights: frozenset[str] = frozenset()
    # The token of the share link it was read by: its addresses lead through there.
    share_token = ""

    class Meta:
        verbose_name = _("media file")
        verbose_name_plural = _("media files")
        permissions = [
            ("review_quarantine", "Can fetch files that are in quarantine"),
            ("share_mediafile", "Can change who sees a media file"),
        ]
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
                fields=["owner", "swatch", "-id"],
                name="media_owner_swatch",
                condition=Q(deleted_at=None) & ~Q(swatch=""),
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
                fields=["owner", "look"],
                name="media_owner_look",
                condition=Q(deleted_at=None, look__isnull=False),
            ),
            *band_indexes(),
            models.Index(
                fields=["-id"], name="media_quarantined", condition=Q(status="quarantined")
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
            models.Index(
                fields=["expires_at"], name="media_due", condition=Q(expires_at__isnull=False)
            ),
            models.Index(
                fields=["id"], name="media_in_use", condition=Q(lifetime="used", expires_at=None)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="media_status_known"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values), name="media_visibility_known"
            ),
            models.CheckConstraint(
                condition=Q(lifetime__in=Lifetime.values), name="media_lifetime_known"
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
        """The version whose bytes the file has now (one query, then remembered). Raises
        `NotVisibleError` when the file was deleted since it was read."""
        if "_current" not in self.__dict__ or self._current.number != self.version:
            if (found := self.versions.defer("text").filter(number=self.version).first()) is None:
                raise NotVisibleError(self.pk, self.version)
            self._current: MediaVersion = found
        return self._current

    @current.setter
    def current(self, version: MediaVersion) -> None:
        """For who knows it already."""
        self._current = version

    @cached_property
    def current_renditions(self) -> list[Rendition]:
        """What is shown of it: one query, but for files that `selectors.with_details` gave.

        Where it is not known who looks, what others get.
        """
        number = self.version if "edit" in self.rights else self.published_version
        return list(self.renditions.shown().filter(version=number or self.version))

    @property
    def file(self) -> StoredFile:
        """The current bytes as a Django file, opened when first read."""
        return self.current.file

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def is_public(self) -> bool:
        """Whether everybody gets some version of it, and lists show it."""
        alive = self.usable and self.deleted_at is None
        return alive and self.visibility == Visibility.PUBLIC

    @property
    def is_settled(self) -> bool:
        """Whether others get the current version, as soon as they get any."""
        return self.published_version in {None, self.version}

    def take_facts(self, version: MediaVersion) -> None:
        """Make `version` the current one, with what is known of its bytes; nothing is saved."""
        for name in VERSION_FACTS:
            setattr(self, name, getattr(version, name))
        self.swatch = swatch_of(self.color)
        self.media_type = FILE_TYPES[version.mime_type].kind
        self.version = version.number
        self.__dict__.pop("_current", None)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """As always; what was remembered of the version is forgotten, too."""
        for name in ("_current", "current_renditions"):
            self.__dict__.pop(name, None)
        super().refresh_from_db(*args, **kwargs)


class MediaVersion(models.Model):
    """One immutable set of bytes of a media file and what is known of them.

    `metadata` holds facts that an engine found (see `processing.types.Facts`); `text` is the
    beginning of a document's words. Nobody but the owner gets bytes that are not `clean`. Once
    `complete`, all that the file needs has been made of it and is served, also while it is made
    anew.
    """

    class Scan(models.TextChoices):
        PENDING = "pending", _("Pending")
        CLEAN = "clean", _("Clean")
        INFECTED = "infected", _("Infected")

    BY_HAND = "review"  # in the place of a scanner's name

    media = models.ForeignKey(
        MediaFile, on_delete=models.CASCADE, related_name="versions", verbose_name=_("file")
    )
    number = models.PositiveIntegerField(_("number"))
    storage = models.CharField(_("storage"), max_length=64)
    key = models.CharField(_("key"), max_length=255, unique=True)
    original_name = models.CharField(_("original name"), max_length=255)
    mime_type = models.CharField(_("MIME type"), max_length=127)
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    width = models.PositiveIntegerField(_("width"), null=True, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration = models.FloatField(_("duration"), null=True, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    text = models.TextField(_("text"), blank=True)
    placeholder = models.CharField(_("placeholder"), max_length=64, blank=True)
    color = models.CharField(_("colour"), max_length=7, blank=True)
    likeness = models.CharField(_("likeness"), max_length=16, blank=True)
    # The moment of a film that its poster shows, seconds; without one the choice is ours.
    poster_at = models.FloatField(_("moment of the poster"), null=True, blank=True)
    # How it was made of an older version: `of` (its number), `rotate`, `crop`, `lossless`.
    edit = models.JSONField(_("edit"), null=True, blank=True)
    # once somebody has read it all
    crc32 = models.PositiveBigIntegerField(_("CRC-32"), null=True, blank=True)
    scan = models.CharField(_("scan"), max_length=16, choices=Scan.choices, default=Scan.PENDING)
    scanned_at = models.DateTimeField(_("scanned"), null=True, blank=True)
    scanner = models.CharField(_("scanner"), max_length=64, blank=True)
    signature = models.CharField(_("signature"), max_length=200, blank=True)  # what was found
    complete = models.BooleanField(_("complete"), default=False)
    failure_code = models.CharField(_("failure code"), max_length=64, blank=True)
    failure_message = models.CharField(_("failure message"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # since when another one is current
    replaced_at = models.DateTimeField(_("replaced"), null=True, blank=True)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        indexes = [
            models.Index(
                fields=["replaced_at"],
                name="version_replaced",
                condition=Q(replaced_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(F("media"), F("number"), name="media_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.original_name} (version {self.number})"

    @property
    def file(self) -> StoredFile:
        return StoredFile(alias=self.storage, key=self.key, size=self.size, name=self.original_name)

    @property
    def is_held_by_hand(self) -> bool:
        """In quarantine because of a person, not of a scanner."""
        return self.scan == self.Scan.INFECTED and self.scanner == self.BY_HAND
