"""Events, the people invited to them, and the pictures that are in their galleries."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.media.fields import CropField, MediaField
from apps.media.models import Accepts, MediaAttachment, MediaFile

# Lists of what is to come begin to read here before now.
LONGEST = timedelta(days=31)
MOST_PHOTOS = 2_000


class Visibility(models.TextChoices):
    INVITED = "invited", _("Invited people only")
    PUBLIC = "public", _("Public – everybody")


class Answer(models.TextChoices):
    """What somebody says to an invitation; nothing yet is the empty text."""

    YES = "yes", _("Yes")
    MAYBE = "maybe", _("Maybe")
    NO = "no", _("No")


class Event(models.Model):
    """Something that takes place. Its banner and its gallery are seen by whoever may see it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("host"),
    )
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(
        _("text"), max_length=10_000, blank=True, validators=[MaxLengthValidator(10_000)]
    )
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"), null=True, blank=True)
    place = models.CharField(_("place"), max_length=200, blank=True)
    visibility = models.CharField(
        _("visibility"), max_length=16, choices=Visibility.choices, default=Visibility.INVITED
    )
    guests_add_photos = models.BooleanField(_("guests add photos"), default=False)
    banner = MediaField(
        kinds=("image",), recipe="banner.webp", crop_field="banner_crop", verbose_name=_("banner")
    )
    banner_crop = CropField(_("banner crop"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    # What the visitor it was read for gets of it: see `selectors.events_shown_to`.
    rights: frozenset[str] = frozenset()
    photo_count: int = 0
    own_answer: str | None = None  # None: not invited
    shown_banner: MediaFile | None = None

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["host", "starts_at", "id"], name="event_host"),
            models.Index(
                fields=["starts_at", "id"],
                name="event_public",
                condition=Q(visibility=Visibility.PUBLIC),
            ),
            models.Index(fields=["starts_at", "id"], name="event_start"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values), name="event_visibility_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
                name="event_ends_after_start",
                violation_error_message=_("An event ends after it has begun."),
            ),
            models.CheckConstraint(condition=~Q(title=""), name="event_has_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("events:event", args=[self.pk])

    def clean(self) -> None:
        if self.ends_at and self.starts_at and self.ends_at - self.starts_at > LONGEST:
            words = gettext("An event takes at most %(most)s days.") % {"most": LONGEST.days}
            raise ValidationError({"ends_at": words})


class EventPhoto(MediaAttachment):
    """A picture or film in the gallery of an event."""

    accepts = Accepts(kinds=("image", "video"), max_count=MOST_PHOTOS)
    host_name = "event"

    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="photos", verbose_name=_("event")
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    # For the visitor it was read for: see `selectors.photos_shown`.
    may_remove = False

    class Meta(MediaAttachment.Meta):
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [
            models.Index(fields=["event", "position", "id"], name="event_photo_order"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "media"], name="event_photo_once"),
        ]

    @property
    def name(self) -> str:
        """What the photo is called where it has to be named."""
        return self.shown_alt_text or str(self.media)


class Invitation(models.Model):
    """That somebody is asked to come, and what they say to it."""

    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("event")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="invitations",
        verbose_name=_("user"),
    )
    answer = models.CharField(_("answer"), max_length=8, choices=Answer.choices, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(fields=["user", "event"], name="invitation_once"),
            models.CheckConstraint(
                condition=Q(answer__in=["", *Answer.values]), name="invitation_answer_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} to {self.event_id}"
