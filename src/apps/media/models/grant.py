"""A grant: a right that an owner gives to one user or group, until it ends or is taken back."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.ids import new_id
from apps.media.models.collection import Collection
from apps.media.models.media_file import MediaFile


class Grant(models.Model):
    """The right to view or edit one file, or one collection with all below it."""

    class Permission(models.TextChoices):
        VIEW = "view", pgettext_lazy("right", "View")
        EDIT = "edit", pgettext_lazy("right", "Edit")  # and view, and attach

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    media = models.ForeignKey(
        MediaFile,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="grants",
        verbose_name=_("file"),
    )
    collection = models.ForeignKey(
        Collection,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="grants",
        verbose_name=_("collection"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="media_grants",
        verbose_name=_("user"),
    )
    group = models.ForeignKey(
        Group,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="media_grants",
        verbose_name=_("group"),
    )
    permission = models.CharField(
        _("permission"), max_length=8, choices=Permission.choices, default=Permission.VIEW
    )
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("granted by"),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        indexes = [
            models.Index(
                fields=["expires_at"], name="grant_expiry", condition=Q(expires_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(media=None) ^ Q(collection=None), name="grant_of_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(user=None) ^ Q(group=None), name="grant_to_one_recipient"
            ),
            models.CheckConstraint(
                condition=Q(permission__in=("view", "edit")), name="grant_permission_known"
            ),
            # Nulls are distinct: each holds for its own kind of grant only.
            models.UniqueConstraint(F("user"), F("media"), name="grant_user_media_once"),
            models.UniqueConstraint(F("group"), F("media"), name="grant_group_media_once"),
            models.UniqueConstraint(F("user"), F("collection"), name="grant_user_collection_once"),
            models.UniqueConstraint(
                F("group"), F("collection"), name="grant_group_collection_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.permission} to {self.user or self.group}"

    @classmethod
    def in_force(cls) -> QuerySet[Grant]:
        """Those that have not ended, by the database's clock."""
        return cls.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))
