"""An erasure: everything of one user goes, in many short transactions that any process may go on
with. What is left of it afterwards names nobody."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class Erasure(models.Model):
    """`subject` is the account's primary key as text; it and the name are dropped at the end.

    `removed` counts rows by model; stored objects and their bytes are counted by storage. All are
    kept up to date in the transactions that remove, so that an interrupted run loses no count.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    subject_name = models.CharField(_("subject name"), max_length=255, blank=True)
    keeps_account = models.BooleanField(_("keeps the account"), default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("requested by"),
    )
    removed = models.JSONField(_("removed"), default=dict)
    objects_by_storage = models.JSONField(_("objects by storage"), default=dict)
    bytes_by_storage = models.JSONField(_("bytes by storage"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], name="erasure_open_once", condition=Q(finished_at=None)
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(subject="", subject_name=""),
                name="erasure_finished_names_nobody",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def pseudonym(self) -> str:
        """What stands for the user's name where one has to stand."""
        return f"erased-{self.pk.hex[-12:]}"
