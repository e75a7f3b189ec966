"""Notifications and mails as operators see them: how it goes, not what is told."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.media.admin.records import LookOnlyAdmin
from apps.notifications import services
from apps.notifications.models import Announcement, Mail, Notification


@admin.register(Notification)
class NotificationAdmin(LookOnlyAdmin):
    list_display = ["recipient", "kind", "count", "email", "created_at", "read_at"]
    list_filter = ["kind", "email"]
    list_select_related = ["recipient"]
    search_fields = ["recipient__username"]
    ordering = ["-pk"]
    exclude = ["preview_token"]
    actions = ["revoke"]

    @admin.action(description=_("End the addresses of pictures in mails"))
    def revoke(self, request: HttpRequest, rows: QuerySet[Notification]) -> None:
        services.revoke_previews(notifications=rows)


@admin.register(Mail)
class MailAdmin(LookOnlyAdmin):
    list_display = ["recipient", "is_digest", "state", "attempts", "due_at", "finished_at", "error"]
    list_filter = ["state", "is_digest"]
    list_select_related = ["recipient"]
    search_fields = ["recipient__username"]
    ordering = ["-pk"]


@admin.register(Announcement)
class AnnouncementAdmin(LookOnlyAdmin):
    list_display = ["kind", "actor", "due_at", "started_at", "finished_at", "attempts"]
    list_filter = ["kind", ("finished_at", admin.EmptyFieldListFilter)]
    list_select_related = ["actor"]
    search_fields = ["actor__username"]
    ordering = ["-pk"]
