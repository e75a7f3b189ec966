"""Jobs: what waits, runs and has failed; tried again or cancelled by one call of a service."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from apps.media import services
from apps.media.admin.manners import LookOnlyAdmin
from apps.media.models import Job

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class QueueFilter(admin.SimpleListFilter):
    """Named queues only: asking the table which there are would read all of it."""

    title, parameter_name = _("queue"), "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(queue, queue) for queue in (Job.FAST, Job.SLOW)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Job]) -> QuerySet[Job]:
        return rows.filter(queue=self.value()) if self.value() else rows


@admin.register(Job)
class JobAdmin(LookOnlyAdmin):
    list_display = [
        "kind",
        "subject",
        "file",
        "queue",
        "state",
        "attempts",
        "priority",
        "percent",
        "error_code",
        "age",
    ]
    list_filter = ["state", "kind", QueueFilter, ("error_code", admin.EmptyFieldListFilter)]
    list_select_related = ["media"]
    search_fields = ["media"]
    search_help_text = _("The id of a file or of a job, or an error code")
    actions = ["retry", "cancel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("media__search_text", "media__owner_text")

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[Job], term: str
    ) -> tuple[QuerySet[Job], bool]:
        if not term:
            return rows, False
        try:
            wanted = uuid.UUID(term.strip())
        except ValueError:
            return rows.filter(error_code=term.strip()), False
        return rows.filter(Q(media=wanted) | Q(pk=wanted)), False

    @admin.display(description=_("media file"))
    def file(self, job: Job) -> str:
        url = reverse("admin:media_mediafile_change", args=[job.media_id])
        return format_html('<a href="{}">{}</a>', url, job.media)

    @admin.display(description=_("progress"))
    def percent(self, job: Job) -> str:
        return f"{job.progress} %"

    @admin.display(description=_("age"), ordering="pk")
    def age(self, job: Job) -> str:
        return timesince(job.created_at, depth=1)

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Rows are never edited here, but whoever may change jobs may have them done or not."""
        return request.user.has_perm("media.change_job")

    @admin.action(description=_("Try again (failed or cancelled)"), permissions=["work"])
    def retry(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self._count(
            request, [services.retry_job(job=job) for job in rows], _("%(count)s queued again.")
        )

    @admin.action(description=_("Cancel (queued or running)"), permissions=["work"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Job]) -> None:
        self._count(
            request, [services.cancel_job(job=job) for job in rows], _("%(count)s cancelled.")
        )

    def _count(self, request: HttpRequest, done: list[bool], words: StrPromise) -> None:
        self.message_user(request, words % {"count": sum(done)}, messages.SUCCESS)
        if left := done.count(False):
            words = _("%(count)s not in a state for it.")
            self.message_user(request, words % {"count": left}, messages.WARNING)
