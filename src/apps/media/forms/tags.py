"""Tags in one line of text, as people write them."""

from __future__ import annotations

import csv
import io
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class TagNamesInput(forms.TextInput):
    """Completed from the tags that the visitor has."""

    template_name = "media/widgets/tag_names.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})


class TagNamesField(forms.CharField):
    """Names with commas between them; a name that has a comma stands in double quotes."""

    widget = TagNamesInput

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("Separate tags with commas."))
        super().__init__(required=False, max_length=4_000, **options)

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return ", ".join(_quoted(name) for name in value)

    def clean(self, value: Any) -> list[str]:
        text = str(super().clean(value)).replace("\n", ",").replace("\r", "")
        rows = csv.reader([text], skipinitialspace=True)
        return [name.strip() for row in rows for name in row if name.strip()]


def _quoted(name: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([name])
    return line.getvalue()
