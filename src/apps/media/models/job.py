"""A job: one unit of background work, written in the transaction that makes it necessary."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.origins import ORIGIN_LENGTH
from apps.media.models.media_file import MediaFile


class Job(models.Model):
    """The truth about work; the broker only hints at it.

    A worker owns a running job while `lease` is its token and `lease_until` has not passed.
    `subject` tells jobs of one kind apart (which rendition, which stretch of a film). A media file
    is not ready before its `needed` jobs are done. The higher `priority`, the sooner.
    """

    class Kind(models.TextChoices):
        INSPECT = "inspect", _("Inspect")
        SCAN = "scan", _("Scan")
        RENDER = "render", _("Render")
        STREAM = "stream", _("Stream")
        JOIN = "join", _("Join")
        MUX = "mux", _("Mux")
        EDIT = "edit", _("Edit")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    FAST, SLOW = "media.fast", "media.slow"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    media = models.ForeignKey(
        MediaFile, on_delete=models.CASCADE, related_name="jobs", verbose_name=_("file")
    )
    version = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("part"), max_length=64, blank=True)
    needed = models.BooleanField(_("needed"), default=True)
    queue = models.CharField(_("queue"), max_length=32, default=FAST)
    priority = models.SmallIntegerField(_("priority"), default=0)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    progress = models.PositiveSmallIntegerField(_("progress"), default=0)  # 0–100
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    error = models.TextField(_("error"), blank=True)  # for the operator; never shown to users
    # The request and the trace that caused it (`apps.core.origins`). The database has a default of
    # its own: during an upgrade the version before writes rows, too.
    origin = models.CharField(
        _("origin"), max_length=ORIGIN_LENGTH, blank=True, default="", db_default=""
    )
    due_at = models.DateTimeField(_("due"))  # not before
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)  # last handed to the broker
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(
                fields=["queue", "-priority", "due_at"],
                name="job_queued",
                condition=Q(state="queued"),
            ),
            models.Index(fields=["due_at"], name="job_due", condition=Q(state="queued")),
            models.Index(fields=["lease_until"], name="job_running", condition=Q(state="running")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["media", "version", "kind", "subject"],
                condition=Q(state__in=("queued", "running")),
                name="job_active_once",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease__isnull=False, lease_until__isnull=False),
                name="job_running_has_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.media_id} ({self.state})"
