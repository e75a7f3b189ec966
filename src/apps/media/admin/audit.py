"""The audit trail as operators read it and take it along; nobody changes it."""

from __future__ import annotations

import json
import uuid
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.spreadsheets import csv_lines
from apps.media.admin.manners import LookOnlyAdmin
from apps.media.models import AuditEvent

EXPORTED_AT_ONCE = 2_000  # rows


class ActorFilter(admin.SimpleListFilter):
    """By whom: everybody who ever did something would be too many to choose from, so the names in
    the list lead here."""

    title, parameter_name = _("actor"), "actor"
    template = "media/admin/actor_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # without any, the filter would not be asked

    def queryset(self, request: HttpRequest, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return rows.filter(actor_name=self.value()) if self.value() else rows

    def choices(self, changelist: Any) -> Any:
        others = changelist.get_filters_params().items()
        hidden = [(name, value) for name, values in others for value in values]
        yield {
            "name": self.parameter_name,
            "value": self.value() or "",
            "others": [(name, value) for name, value in hidden if name != self.parameter_name],
        }


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnlyAdmin):
    """Who opened, closed, removed or looked into what: read and taken along, never changed."""

    list_display = ["created_at", "act", "who", "what", "details"]
    list_filter = ["act", ActorFilter, "created_at"]
    ordering = ["-pk"]
    search_fields = ["media_id"]
    search_help_text = _("The id of a file or of a collection")
    actions = ["export"]
    columns = [
        "created_at",
        "act",
        "actor_id",
        "actor_name",
        "media_id",
        "collection_id",
        "details",
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, rows: QuerySet[AuditEvent], term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        if not term:
            return rows, False
        try:
            wanted = uuid.UUID(term.strip())
        except ValueError:
            return rows.none(), False
        return rows.filter(Q(media_id=wanted) | Q(collection_id=wanted)), False

    @admin.display(description=_("who"), ordering="actor_name")
    def who(self, event: AuditEvent) -> str:
        if not event.actor_name:
            return "–"
        query = urlencode({"actor": event.actor_name})
        return format_html('<a href="?{}">{}</a>', query, event.actor_name)

    @admin.display(description=_("what"))
    def what(self, event: AuditEvent) -> str:
        wanted = event.media_id or event.collection_id
        if wanted is None:
            return "–"
        return format_html('<a href="?q={}">{}</a>', wanted, wanted)

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, rows: QuerySet[AuditEvent]) -> StreamingHttpResponse:
        """All that is chosen, also over many pages: written while it is read."""
        found = rows.values_list(*self.columns).iterator(chunk_size=EXPORTED_AT_ONCE)
        return StreamingHttpResponse(
            csv_lines(chain([self.columns], map(_readable, found))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )


def _readable(row: tuple[Any, ...]) -> list[Any]:
    moment, *middle, details = row
    return [moment.isoformat(), *middle, json.dumps(details, sort_keys=True)]
