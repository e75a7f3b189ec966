"""The forms of the pages. They tidy and explain; what may be stored is the services' decision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django import forms

from apps.media.models import MediaFile
from apps.media.models.media_file import MediaType, Status, Visibility

SORTS = [
    ("-created_at", "Newest"),
    ("created_at", "Oldest"),
    ("original_name", "Name"),
    ("-size", "Largest"),
    ("size", "Smallest"),
]
KINDS = [
    ("", "All"),
    (MediaType.IMAGE, "Photos"),
    (MediaType.VIDEO, "Videos"),
    (MediaType.AUDIO, "Audio"),
    (MediaType.DOCUMENT, "Documents"),
    (MediaType.OTHER, "Other"),
]
STATES = [
    ("", "Any status"),
    (Status.READY, "Ready"),
    (Status.PROCESSING, "Processing"),
    (Status.PENDING, "Waiting"),
    (Status.FAILED, "Failed"),
    (Status.QUARANTINED, "Quarantined"),
]
AUDIENCES = [
    (Visibility.PRIVATE, "Private – only you"),
    (Visibility.UNLISTED, "Unlisted – whoever has the address"),
    (Visibility.PUBLIC, "Public – everybody"),
]


class TagNamesField(forms.CharField):
    """Names with commas between them; a name that has a comma stands in double quotes."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "Separate tags with commas.")
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


class UploadForm(forms.Form):
    """What is said once about all files of one upload."""

    tags = TagNamesField(label="Tags for all files")
    visibility = forms.ChoiceField(choices=AUDIENCES, initial=Visibility.PRIVATE, required=False)

    def clean_visibility(self) -> str:
        return self.cleaned_data["visibility"] or Visibility.PRIVATE


class MediaEditForm(forms.Form):
    """What an owner says about one file. A field that was not sent stays as it is."""

    title = forms.CharField(max_length=255, required=False)
    caption = forms.CharField(
        max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    alt_text = forms.CharField(
        label="Alternative text",
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What the picture shows, for people who cannot see it.",
    )
    tags = TagNamesField()
    visibility = forms.ChoiceField(choices=AUDIENCES, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    @classmethod
    def of(cls, media: MediaFile) -> MediaEditForm:
        """The form with the present values of `media` (its tags prefetched)."""
        names = ("title", "caption", "alt_text", "visibility")
        present: dict[str, Any] = {name: getattr(media, name) for name in names}
        return cls(initial={**present, "tags": [tag.name for tag in media.tags.all()]})

    def changes(self) -> dict[str, Any]:
        """The valid values that were sent, as `services.update_media` takes them."""
        sent = {name: value for name, value in self.cleaned_data.items() if name in self.data}
        if not sent.get("visibility", True):
            del sent["visibility"]
        return sent


class LibraryForm(forms.Form):
    """The bar above the library: the controls for what `MediaFilter` understands, and the sort."""

    q = forms.CharField(
        label="Search",
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "Search your library", "autocomplete": "off"}
        ),
    )
    media_type = forms.ChoiceField(
        label="Kind", choices=KINDS, required=False, widget=forms.RadioSelect
    )
    tag = forms.ChoiceField(label="Tag", required=False)
    status = forms.ChoiceField(label="Status", choices=STATES, required=False)
    ordering = forms.ChoiceField(label="Sort", choices=SORTS, required=False)

    def __init__(self, *args: Any, tag_names: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Any tag"), *((name, name) for name in tag_names)]
        self.fields["tag"].choices = choices  # type: ignore[attr-defined]
