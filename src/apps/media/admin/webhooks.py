"""Webhooks as operators see them: what is sent where, and how it goes; never the secrets."""

from __future__ import annotations

from django.contrib import admin

from apps.media.admin.manners import FoundByOwner, LookOnlyAdmin
from apps.media.models import Webhook, WebhookDelivery


@admin.register(Webhook)
class WebhookAdmin(FoundByOwner, LookOnlyAdmin):
    list_display = ["owner", "url", "enabled", "disabled_reason", "failing_since", "created_at"]
    list_filter = ["enabled", "disabled_reason"]
    list_select_related = ["owner"]
    search_fields = ["url"]
    ordering = ["-pk"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LookOnlyAdmin):
    """What is in a message is for its owner: operators see that there is one."""

    list_display = [
        "event",
        "webhook",
        "state",
        "attempts",
        "answer_status",
        "error_code",
        "due_at",
        "finished_at",
    ]
    list_filter = ["state", "event"]
    exclude = ["payload", "lease"]
    search_fields = ["media_id"]
    ordering = ["-pk"]
