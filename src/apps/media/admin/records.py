"""The operator's view of media: look, filter, act. Every action is one call of a service."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import AppError
from apps.media import links, selectors, services
from apps.media.admin.overview import overview
from apps.media.admin.quarantine import quarantine
from apps.media.admin.quotas import QuotaForm
from apps.media.admin.uses import narrow_search
from apps.media.conf import options
from apps.media.models import (
    Job,
    MediaFile,
    MediaVersion,
    Quota,
    Rendition,
    Tag,
    Tombstone,
    Upload,
    Visibility,
)
from apps.media.policies import Action, can_access, may_change_quotas, may_review

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


FULL = 90  # percent of the quota


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionInline(ReadOnlyInline):
    model = MediaVersion
    fields = [
        "number",
        "mime_type",
        "size",
        "sha256",
        "scan",
        "scanner",
        "signature",
        "scanned_at",
        "created_at",
    ]


class RenditionInline(ReadOnlyInline):
    model = Rendition
    fields = ["name", "version", "state", "mime_type", "width", "height", "size"]


class JobInline(ReadOnlyInline):
    model = Job
    fields = [
        "kind",
        "subject",
        "state",
        "attempts",
        "progress",
        "error_code",
        "created_at",
        "finished_at",
    ]


@admin.register(MediaFile)
class MediaFileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        "preview",
        "__str__",
        "owner",
        "media_type",
        "readable_size",
        "status",
        "visibility",
        "created_at",
    ]
    list_display_links = ["preview", "__str__"]
    list_filter = ["status", "media_type", "visibility", ("deleted_at", admin.EmptyFieldListFilter)]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["search_text", "owner__username", "sha256"]
    actions = [
        "trash",
        "restore",
        "reprocess",
        "make_private",
        "make_public",
        "rescan",
        "hold",
        "delete_permanently",
    ]
    inlines = [VersionInline, RenditionInline, JobInline]
    fields = [
        ("preview", "owner"),
        ("title", "visibility"),
        "caption",
        "alt_text",
        ("original_name", "mime_type", "readable_size"),
        ("width", "height", "duration"),
        ("status", "failure_code", "failure_message"),
        ("sha256", "version"),
        ("created_at", "updated_at", "deleted_at", "expires_at"),
    ]
    editable = {"title", "visibility", "caption", "alt_text", "expires_at"}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        names = [item for row in self.fields for item in ([row] if isinstance(row, str) else row)]
        may_share = obj is not None and can_access(request.user, obj, Action.SHARE)
        editable = self.editable if may_share else self.editable - {"visibility"}
        return [name for name in names if name not in editable]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        answer = super().change_view(request, object_id, *args, **kwargs)
        media = self.get_object(request, object_id)
        if media is not None and answer.status_code == HTTPStatus.OK:
            services.maybe_note_look(user=request.user, media=media)
        return answer

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("overview/", view(overview), name="media_overview"),
            path("quarantine/", view(quarantine), name="media_quarantine"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[MediaFile]:
        return selectors.with_details(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[MediaFile], term: str
    ) -> tuple[QuerySet[MediaFile], bool]:
        return super().get_search_results(request, narrow_search(request, rows), term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # ours go through the service, in pieces
        return actions

    def save_model(self, request: HttpRequest, obj: MediaFile, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in form.changed_data}
        services.update_media(user=request.user, media=obj, **fields)

    def delete_model(self, request: HttpRequest, obj: MediaFile) -> None:
        services.delete_media(user=request.user, media=obj, permanent=True)

    @admin.display(description="")
    def preview(self, media: MediaFile) -> str:
        return format_html(
            '<img src="{}" alt="" width="64" height="64" loading="lazy">',
            links.thumbnail_url(media),
        )

    @admin.display(description=_("size"), ordering="size")
    def readable_size(self, media: MediaFile) -> str:
        return filesizeformat(media.size)

    @admin.action(description=_("Move to the trash"), permissions=["delete"])
    def trash(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._each(request, rows, services.delete_media)

    @admin.action(description=_("Restore from the trash"), permissions=["delete"])
    def restore(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._each(request, rows, services.restore_media)

    @admin.action(description=_("Process again"), permissions=["change"])
    def reprocess(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._each(request, rows, services.reprocess_media)

    @admin.action(description=_("Make private"), permissions=["share"])
    def make_private(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._publish(request, rows, Visibility.PRIVATE)

    @admin.action(description=_("Make public"), permissions=["share"])
    def make_public(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._publish(request, rows, Visibility.PUBLIC)

    def _publish(self, request: HttpRequest, rows: QuerySet[MediaFile], visibility: str) -> None:
        ids = list(rows.values_list("pk", flat=True)[: services.MOST_SELECTED])
        outcomes = services.publish_many(user=request.user, ids=ids, visibility=visibility)
        for outcome in outcomes:
            if outcome.code:
                words = f"{outcome.media_id}: {outcome.detail}"
                self.message_user(request, words, messages.WARNING)
        done = sum(not outcome.code for outcome in outcomes)
        self.message_user(request, gettext("%(count)s done.") % {"count": done}, messages.SUCCESS)

    def has_share_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["media.change_mediafile", "media.share_mediafile"])

    @admin.action(description=_("Put into quarantine"), permissions=["review"])
    def hold(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._each(request, rows, services.hold_media)

    @admin.action(description=_("Scan for malware again"), permissions=["review"])
    def rescan(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        done = services.rescan_many(media_ids=list(rows.values_list("pk", flat=True)))
        words = ngettext("%(count)s will be scanned.", "%(count)s will be scanned.", done)
        self.message_user(request, words % {"count": done}, messages.SUCCESS)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return may_review(request.user)

    @admin.action(description=_("Delete for good"), permissions=["delete"])
    def delete_permanently(self, request: HttpRequest, rows: QuerySet[MediaFile]) -> None:
        self._each(request, rows, services.delete_media, permanent=True)

    def _each(
        self,
        request: HttpRequest,
        rows: QuerySet[MediaFile],
        service: Callable[..., object],
        **arguments: object,
    ) -> None:
        done = 0
        for media in rows:
            try:
                service(user=request.user, media=media, **arguments)
            except AppError as error:
                self.message_user(request, f"{media}: {error.detail}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, gettext("%(count)s done.") % {"count": done}, messages.SUCCESS)


class KeptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that come and go with what they belong to, never from pages of their own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        match = request.resolver_match
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        if match is None or (match.url_name or "").startswith(own):
            return False
        return super().has_delete_permission(request, obj)


class LookOnlyAdmin(KeptAdmin):
    """Rows that only services write."""

    list_per_page = 50
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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


@admin.register(Upload)
class UploadAdmin(LookOnlyAdmin):
    list_display = ["original_name", "owner", "source", "state", "created_at", "expires_at"]
    list_filter = ["state", "source"]
    list_select_related = ["owner"]


@admin.register(Tombstone)
class TombstoneAdmin(LookOnlyAdmin):
    list_display = ["key", "storage", "attempts", "last_error", "due_at"]


@admin.register(Quota)
class QuotaAdmin(KeptAdmin):
    """How much somebody stores and may store. Whoever has stored nothing yet has no row; one is
    added by naming them."""

    form = QuotaForm
    list_display = ["owner", "usage", "used", "set_aside", "files_used", "limit"]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    ordering = ["-bytes_used", "pk"]
    search_fields = ["owner__username"]
    autocomplete_fields = ["owner"]
    fields = ["owner", "usage", "used", "set_aside", "files_used", "space", "files_limit"]
    figures = ["usage", "used", "set_aside", "files_used"]

    class Media:
        css: ClassVar[Any] = {"all": ["media/dist/admin.css"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.figures if obj is None else ["owner", *self.figures]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is not None else ["owner", "space", "files_limit"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_change_quotas(request.user)

    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:
        services.set_quota(
            user=request.user,
            owner_id=obj.owner_id,
            bytes_limit=obj.bytes_limit,
            files_limit=obj.files_limit,
        )

    @admin.display(description=_("used"), ordering="bytes_used")
    def used(self, quota: Quota) -> str:
        return filesizeformat(quota.bytes_used)

    @admin.display(description=_("set aside for uploads"))
    def set_aside(self, quota: Quota) -> str:
        return filesizeformat(quota.bytes_reserved)

    @admin.display(description=_("limit"), ordering="bytes_limit")
    def limit(self, quota: Quota) -> str:
        if quota.bytes_limit is not None:
            return filesizeformat(quota.bytes_limit)
        return gettext("%(size)s (default)") % {"size": filesizeformat(options().quota_bytes)}

    @admin.display(description=_("usage"))
    def usage(self, quota: Quota) -> str:
        most = options().quota_bytes if quota.bytes_limit is None else quota.bytes_limit
        percent = min(100 * quota.bytes_used // most, 100) if most else 100
        return format_html(
            '<svg class="usage-bar{}" viewBox="0 0 100 10" width="128" height="8"'
            ' preserveAspectRatio="none" aria-hidden="true">'
            '<rect width="{}" height="10" fill="currentColor"/></svg> {} %',
            " usage-bar--full" if percent >= FULL else "",
            percent,
            percent,
        )


@admin.register(Tag)
class TagAdmin(KeptAdmin):
    list_display = ["name", "owner"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]
    fields = ["name", "owner"]
    readonly_fields = ["owner"]

    def save_model(self, request: HttpRequest, obj: Tag, form: Any, change: bool) -> None:
        services.rename_tag(tag=obj, name=form.cleaned_data["name"])
