"""Notifications and mails as operators see them: how it goes, not what is told."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.media.admin.manners import LookOnlyAdmin
from apps.notifications import mailing, services
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

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Rows are never edited here, but whoever may change them may end what they gave out."""
        return request.user.has_perm("notifications.change_notification")

    @admin.action(description=_("End the addresses of pictures in mails"), permissions=["work"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Notification]) -> None:
        services.revoke_previews(notifications=rows)


@admin.register(Mail)
class MailAdmin(LookOnlyAdmin):
    list_display = ["recipient", "is_digest", "state", "attempts", "due_at", "finished_at", "error"]
    list_filter = ["state", "is_digest"]
    list_select_related = ["recipient"]
    search_fields = ["recipient__username"]
    ordering = ["-pk"]
    actions = ["send_again"]

    def has_work_permission(self, request: HttpRequest) -> bool:
        """Rows are never edited here, but whoever may change mails may have them sent."""
        return request.user.has_perm("notifications.change_mail")

    @admin.action(description=_("Send again (unknown or failed)"), permissions=["work"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Mail]) -> None:
        count = mailing.send_again(mails=rows)
        self.message_user(request, _("%(count)s queued again.") % {"count": count})


@admin.register(Announcement)
class AnnouncementAdmin(LookOnlyAdmin):
    list_display = ["kind", "actor", "recipient", "due_at", "started_at", "finished_at", "attempts"]
    list_filter = ["kind", ("finished_at", admin.EmptyFieldListFilter)]
    list_select_related = ["actor", "recipient"]
    search_fields = ["actor__username"]
    ordering = ["-pk"]
