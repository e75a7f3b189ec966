"""Events in the administration, with the beginning of their galleries; invitations beside them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.events.models import Event, EventPhoto, Invitation
from apps.media.admin import MediaAttachmentFormSet, MediaAttachmentInline, MediaFieldsMixin

SHOWN_PHOTOS = 50


class EventPhotoFormSet(MediaAttachmentFormSet):
    """The first photos: all of them are more fields than a form may send."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_first"):
            self._first = list(super().get_queryset()[:SHOWN_PHOTOS])
        return self._first


class EventPhotoInline(MediaAttachmentInline):
    """A look at the gallery; what is in it is changed on the event's page."""

    model = EventPhoto
    formset = EventPhotoFormSet
    fields = ["preview", "position", "media", "alt_text", "added_by", "created_at"]
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventPhoto]:
        return super().get_queryset(request).select_related("added_by")


@admin.register(Event)
class EventAdmin(MediaFieldsMixin, admin.ModelAdmin):  # type: ignore[type-arg,misc]
    list_display = ["title", "host", "starts_at", "place", "visibility", "photo_total"]
    list_filter = ["visibility", "starts_at"]
    list_select_related = ["host"]
    search_fields = ["title", "place", "host__username"]
    date_hierarchy = "starts_at"
    autocomplete_fields = ["host"]
    readonly_fields = ["created_at", "updated_at", "photo_total"]
    fields = [
        ("title", "host"),
        ("starts_at", "ends_at"),
        "place",
        "text",
        "banner",
        ("visibility", "guests_add_photos"),
        ("created_at", "updated_at"),
        "photo_total",
    ]
    inlines = [EventPhotoInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        rows: QuerySet[Event] = super().get_queryset(request)
        return rows.annotate(photo_total=Count("photos"))

    @admin.display(description=_("photos"), ordering="photo_total")
    def photo_total(self, event: Any) -> int:
        return int(event.photo_total)


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """On their own: an event may have more guests than a form has fields."""

    list_display = ["user", "event", "answer", "answered_at"]
    list_filter = ["answer"]
    list_select_related = ["user", "event"]
    search_fields = ["user__username", "event__title"]
    autocomplete_fields = ["user", "event"]
    readonly_fields = ["answered_at"]
    show_full_result_count = False
