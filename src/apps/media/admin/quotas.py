"""The form in which operators say how much somebody may store: in gigabytes, as people count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.media.models import Quota

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
