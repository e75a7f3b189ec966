"""The operator's view of media: look, filter, act. Every action is one call of a service."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import AppError
from apps.media import links, selectors, services
from apps.media.admin.manners import FoundByOwner, KeptAdmin, LookOnlyAdmin, ReadOnlyInline
from apps.media.admin.overview import overview
from apps.media.admin.quarantine import quarantine
from apps.media.admin.uses import narrow_search
from apps.media.models import (
    Job,
    MediaFile,
    MediaVersion,
    Rendition,
    Tag,
    Tombstone,
    Upload,
    Visibility,
    fold_tag,
    normalise_tag,
)
from apps.media.policies import Action, can_access, may_review


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
class MediaFileAdmin(FoundByOwner):
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
    search_fields = ["search_text", "sha256"]
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

    @admin.display(description=_("preview"))
    def preview(self, media: MediaFile) -> str:
        return format_html(
            '<img class="thumbnail" src="{}" alt="{}" width="64" height="64" loading="lazy">',
            links.thumbnail_url(media),
            media,
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


@admin.register(Upload)
class UploadAdmin(LookOnlyAdmin):
    list_display = ["original_name", "owner", "source", "state", "created_at", "expires_at"]
    list_filter = ["state", "source"]
    list_select_related = ["owner"]


@admin.register(Tombstone)
class TombstoneAdmin(LookOnlyAdmin):
    list_display = ["key", "storage", "attempts", "last_error", "due_at"]


class TagForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses what `rename_tag` would."""

    def clean(self) -> dict[str, Any]:
        name, renamed = self.cleaned_data.get("name", ""), copy(self.instance)
        renamed.name, renamed.folded = normalise_tag(name), fold_tag(name)
        renamed.full_clean()
        return self.cleaned_data


@admin.register(Tag)
class TagAdmin(FoundByOwner, KeptAdmin):
    form = TagForm
    list_display = ["name", "owner"]
    list_select_related = ["owner"]
    search_fields = ["name"]
    fields = ["name", "owner"]
    readonly_fields = ["owner"]

    def save_model(self, request: HttpRequest, obj: Tag, form: Any, change: bool) -> None:
        services.rename_tag(tag=obj, name=form.cleaned_data["name"])
