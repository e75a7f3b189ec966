"""How much people store and may store, which operators say in gigabytes, as people count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.media import services
from apps.media.admin.manners import FoundByOwner, KeptAdmin
from apps.media.conf import options
from apps.media.models import Quota
from apps.media.policies import may_change_quotas

FULL = 90  # percent of the quota
GIB = 1024**3
MOST = 2**20  # GiB, far below what the column holds


class QuotaForm(forms.ModelForm):  # type: ignore[type-arg]
    """`space` is `bytes_limit`; left empty, both limits are those of the settings."""

    space = forms.DecimalField(
        label=_("Space in GB"),
        required=False,
        min_value=0,
        max_value=MOST,
        decimal_places=3,
        help_text=_("Empty: as much as everybody. What is stored already stays in any case."),
    )

    class Meta:
        model = Quota
        fields: ClassVar[Any] = ["owner", "files_limit"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        limit = self.instance.bytes_limit
        if limit is not None:
            self.initial["space"] = round(Decimal(limit) / GIB, 3)

    def clean(self) -> dict[str, Any] | None:
        """What was left alone stays to the byte."""
        cleaned = super().clean()
        if "space" in self.changed_data and "space" in self.cleaned_data:
            space = self.cleaned_data["space"]
            self.instance.bytes_limit = None if space is None else int(space * GIB)
        return cleaned


@admin.register(Quota)
class QuotaAdmin(FoundByOwner, KeptAdmin):
    """How much somebody stores and may store. Whoever has stored nothing yet has no row; one is
    added by naming them."""

    form = QuotaForm
    list_display = ["owner", "usage", "used", "set_aside", "files_used", "limit"]
    list_select_related = ["owner"]
    list_per_page = 50
    show_full_result_count = False
    ordering = ["-bytes_used", "pk"]
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
