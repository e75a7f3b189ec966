"""The project's own user, so that it can grow without a migration of all; who follows whom."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_token
from apps.media.fields import CropField, MediaField
from apps.media.models import MediaFile, Rendition

EMAIL_LINK_LIFETIME = timedelta(days=1)


class User(AbstractUser):
    """A person with an account. What their page tells is everybody's."""

    display_name = models.CharField(_("display name"), max_length=80, blank=True)
    about = models.TextField(_("about"), max_length=2_000, blank=True)
    # What they chose to read in, and get mails in; empty where they never did.
    language = models.CharField(_("language"), max_length=20, blank=True, editable=False)
    avatar = MediaField(recipe="square.webp", crop_field="avatar_crop", verbose_name=_("avatar"))
    avatar_crop = CropField(_("avatar crop"))
    cover = MediaField(recipe="banner.webp", crop_field="cover_crop", verbose_name=_("cover"))
    cover_crop = CropField(_("cover crop"))

    # What the visitor they were read for gets of them: see `selectors.show_faces`, `get_profile`.
    face: Rendition | None = None
    shown_cover: MediaFile | None = None

    @property
    def shown_name(self) -> str:
        """What others read: the name that somebody gave themselves, else that of the account."""
        return self.display_name or self.get_username()

    def get_absolute_url(self) -> str:
        return reverse("users:profile", args=[self.get_username()])


class Follow(models.Model):
    """That one person wants to see what another one posts for those who follow them."""

    follower = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="following",
        verbose_name=_("follower"),
    )
    followed = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="followers",
        verbose_name=_("followed"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("following")
        verbose_name_plural = _("followings")
        constraints = [
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(condition=~Q(follower=F("followed")), name="follow_another"),
        ]

    def __str__(self) -> str:
        return f"{self.follower} → {self.followed}"


class EmailChange(models.Model):
    """An address that somebody says is theirs, until they open the link that is sent there.

    There is one for each person: another takes its place, and ends the link of the one before.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="email_change",
        verbose_name=_("user"),
    )
    address = models.EmailField(_("address"))
    token = models.CharField(_("token"), max_length=43, default=new_token, editable=False)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # to send the link
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("change of an e-mail address")
        verbose_name_plural = _("changes of e-mail addresses")
        indexes = [models.Index(fields=["asked_at"], name="email_change_age")]

    def __str__(self) -> str:
        return f"change of the address of {self.user_id}"
