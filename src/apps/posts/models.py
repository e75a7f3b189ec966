"""Posts: what somebody tells, with pictures and films, to everybody or to few."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.media.models import Accepts, MediaAttachment

LONGEST = 5_000  # characters


class Audience(models.TextChoices):
    PUBLIC = "public", _("Everybody")
    FOLLOWERS = "followers", _("Followers")
    ONLY_ME = "only_me", _("Only the author")


class Post(models.Model):
    """One post. Its id is the order of writing; its attachments are seen by whoever sees it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="posts",
        verbose_name=_("author"),
    )
    text = models.TextField(
        _("text"), max_length=LONGEST, blank=True, validators=[MaxLengthValidator(LONGEST)]
    )
    audience = models.CharField(
        _("audience"), max_length=16, choices=Audience.choices, default=Audience.FOLLOWERS
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True)

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        indexes = [
            models.Index(fields=["author", "-id"], name="post_author"),
            models.Index(fields=["-id"], name="post_public", condition=Q(audience="public")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(audience__in=Audience.values), name="post_audience_known"
            ),
        ]

    def __str__(self) -> str:
        day = date_format(self.created_at, "SHORT_DATE_FORMAT")
        return self.text[:60] or gettext("Post of %(day)s") % {"day": day}

    def get_absolute_url(self) -> str:
        return reverse("posts:post", args=[self.pk])


class PostMedia(MediaAttachment):
    """A picture or a film of a post."""

    accepts = Accepts(kinds=("image", "video"), max_count=10, recipe="part.webp")

    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="attachments", verbose_name=_("post")
    )

    class Meta(MediaAttachment.Meta):
        verbose_name = _("file of a post")
        verbose_name_plural = _("files of a post")
        constraints = [
            models.UniqueConstraint(fields=["post", "media"], name="post_media_once"),
        ]
