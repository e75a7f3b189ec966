"""The forms of the pages. They tidy and explain; what may be stored is the services' decision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.media.forms.tags import TagNamesField
from apps.media.models import Caption, Collection, MediaFile, Webhook
from apps.media.models.media_file import MediaType, Status, Visibility

SORTS = [
    ("-created_at", _("Newest")),
    ("created_at", _("Oldest")),
    ("original_name", _("Name")),
    ("-size", _("Largest")),
    ("size", _("Smallest")),
]
KINDS = [("", _("All")), *((kind, kind.plural) for kind in MediaType)]
STATES = [
    ("", _("Any status")),
    (Status.READY, _("Ready")),
    (Status.PROCESSING, _("Processing")),
    (Status.PENDING, _("Waiting")),
    (Status.FAILED, _("Failed")),
    (Status.QUARANTINED, _("Quarantined")),
]
SIGHTS = [
    ("", _("Any visibility")),
    (Visibility.PRIVATE, _("Private")),
    (Visibility.UNLISTED, _("Unlisted")),
    (Visibility.PUBLIC, _("Public")),
]
MB = 1_000_000
AT_LEAST = [
    ("", _("Any size")),
    (MB, _("1 MB or more")),
    (10 * MB, _("10 MB or more")),
    (100 * MB, _("100 MB or more")),
    (1000 * MB, _("1 GB or more")),
]
AT_MOST = [
    ("", _("Any size")),
    (MB, _("1 MB or less")),
    (10 * MB, _("10 MB or less")),
    (100 * MB, _("100 MB or less")),
    (1000 * MB, _("1 GB or less")),
]
COLORS = [
    ("red", pgettext_lazy("colour", "Red")),
    ("orange", pgettext_lazy("colour", "Orange")),
    ("yellow", pgettext_lazy("colour", "Yellow")),
    ("green", pgettext_lazy("colour", "Green")),
    ("teal", pgettext_lazy("colour", "Teal")),
    ("blue", pgettext_lazy("colour", "Blue")),
    ("purple", pgettext_lazy("colour", "Purple")),
    ("pink", pgettext_lazy("colour", "Pink")),
    ("brown", pgettext_lazy("colour", "Brown")),
    ("black", pgettext_lazy("colour", "Black")),
    ("grey", pgettext_lazy("colour", "Grey")),
    ("white", pgettext_lazy("colour", "White")),
]
AUDIENCES = [
    (Visibility.PRIVATE, _("Private – only you")),
    (Visibility.UNLISTED, _("Unlisted – whoever has the address")),
    (Visibility.PUBLIC, _("Public – everybody")),
]

CAPTION_KINDS = [
    (Caption.Kind.SUBTITLES, _("Subtitles – what is said")),
    (Caption.Kind.CAPTIONS, _("Captions – also what is heard")),
]
PLACES = [
    ("hidden", _("Hidden – others get a copy without it")),
    ("shared", _("Shared with the file")),
]
TOLD = [
    (Webhook.Event.READY, _("A file of yours is ready")),
    (Webhook.Event.REJECTED, _("A file of yours is refused")),
    (Webhook.Event.DELETED, _("A file of yours is deleted")),
]


class UploadForm(forms.Form):
    """What is said once about all files of one upload."""

    tags = TagNamesField(label=_("Tags for all files"))
    visibility = forms.ChoiceField(
        label=_("Visibility"), choices=AUDIENCES, initial=Visibility.PRIVATE, required=False
    )

    def clean_visibility(self) -> str:
        return self.cleaned_data["visibility"] or Visibility.PRIVATE


class PercentField(forms.FloatField):
    """A share of a picture's side."""

    def __init__(self, **options: Any) -> None:
        widget = forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.1"})
        super().__init__(required=False, min_value=0, max_value=100, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:.4g}" if isinstance(value, float) else value


class MediaEditForm(forms.Form):
    """What an owner says about one file. A field that was not sent stays as it is."""

    title = forms.CharField(label=_("Title"), max_length=255, required=False)
    caption = forms.CharField(
        label=_("Caption"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    alt_text = forms.CharField(
        label=_("Alternative text"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What the picture shows, for people who cannot see it."),
    )
    tags = TagNamesField(label=_("Tags"))
    visibility = forms.ChoiceField(label=_("Visibility"), choices=AUDIENCES, required=False)
    place = forms.ChoiceField(
        label=_("Place it was taken at"),
        choices=PLACES,
        required=False,
        help_text=_("The file says where it was taken. What is made of it never does."),
    )

    focal_across = PercentField(label=_("From left to right, in percent"))
    focal_down = PercentField(label=_("From top to bottom, in percent"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    @classmethod
    def of(cls, media: MediaFile) -> MediaEditForm:
        """The form with the present values of `media` (its tags prefetched)."""
        names = ("title", "caption", "alt_text", "visibility")
        present: dict[str, Any] = {name: getattr(media, name) for name in names}
        place = "shared" if media.share_location else "hidden"
        tags = [tag.name for tag in media.tags.all()]
        focal = {"focal_across": 100 * media.focal_x, "focal_down": 100 * media.focal_y}
        return cls(initial={**present, **focal, "place": place, "tags": tags})

    def changes(self) -> dict[str, Any]:
        """The valid values that were sent, as `services.update_media` takes them."""
        sent = {name: value for name, value in self.cleaned_data.items() if name in self.data}
        if not sent.get("visibility", True):
            del sent["visibility"]
        if place := sent.pop("place", ""):
            sent["share_location"] = place == "shared"
        for field, name in (("focal_across", "focal_x"), ("focal_down", "focal_y")):
            percent = sent.pop(field, None)
            if percent is not None:
                sent[name] = percent / 100
        return sent


class CaptionForm(forms.Form):
    """Captions for a film or a sound."""

    file = forms.FileField(
        label=_("Captions"),
        help_text=_("SubRip (.srt) or WebVTT (.vtt), at most 2 MiB."),
        widget=forms.FileInput(attrs={"accept": ".srt,.vtt,text/vtt"}),
        error_messages={"required": _("Choose a file of at most 2 MiB.")},
    )
    language = forms.CharField(
        label=_("Language"),
        max_length=35,
        help_text=_("A language tag such as en, de or pt-BR."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=CAPTION_KINDS)
    label = forms.CharField(
        label=_("Name in the menu"), max_length=100, required=False, help_text=_("Such as English.")
    )
    default = forms.BooleanField(label=_("Show unless switched off"), required=False)


class CollectionForm(forms.Form):
    """What is said of a collection."""

    title = forms.CharField(
        label=_("Title"), max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    visibility = forms.ChoiceField(
        label=_("Visibility"),
        choices=AUDIENCES,
        initial=Visibility.PRIVATE,
        required=False,
        help_text=_(
            "It opens the files that you put in. Nothing is more open than what it lies in."
        ),
    )

    def fields_sent(self) -> dict[str, Any]:
        """The valid values that were sent, as the services take them."""
        sent = {name: value for name, value in self.cleaned_data.items() if name in self.data}
        if not sent.get("visibility", True):
            del sent["visibility"]
        return sent


class WebhookForm(forms.Form):
    """An address, and what it is told."""

    url = forms.URLField(
        label=_("Address"),
        max_length=2048,
        assume_scheme="https",
        help_text=_("A public https address of yours that takes POST requests."),
    )
    events = forms.MultipleChoiceField(
        label=_("It is told when"),
        choices=TOLD,
        initial=[value for value, _words in TOLD],
        widget=forms.CheckboxSelectMultiple,
    )
    description = forms.CharField(label=_("Description"), max_length=200, required=False)

    @classmethod
    def of(cls, webhook: Webhook) -> WebhookForm:
        """The form as it stands."""
        names = ("url", "events", "description")
        return cls(initial={name: getattr(webhook, name) for name in names})


class DayInput(forms.DateInput):
    """A day in the browser's own way of choosing one."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "date"}, format="%Y-%m-%d")


class LibraryForm(forms.Form):
    """The bar above the library: the controls for what `MediaFilter` understands, and the sort."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Search your library"), "autocomplete": "off"}
        ),
    )
    media_type = forms.ChoiceField(
        label=_("Kind"), choices=KINDS, required=False, widget=forms.RadioSelect
    )
    tag = forms.ChoiceField(label=_("Tag"), required=False)
    status = forms.ChoiceField(label=_("Status"), choices=STATES, required=False)
    visibility = forms.ChoiceField(label=_("Visibility"), choices=SIGHTS, required=False)
    collection = forms.ChoiceField(label=_("Collection"), required=False)
    since = forms.DateField(label=_("From"), required=False, widget=DayInput)
    until = forms.DateField(label=_("To"), required=False, widget=DayInput)
    size_min = forms.ChoiceField(label=_("Smallest size"), choices=AT_LEAST, required=False)
    size_max = forms.ChoiceField(label=_("Largest size"), choices=AT_MOST, required=False)
    color = forms.MultipleChoiceField(
        label=_("Colour"), choices=COLORS, required=False, widget=forms.CheckboxSelectMultiple
    )
    ordering = forms.ChoiceField(label=_("Sort"), choices=SORTS, required=False)

    def __init__(
        self,
        *args: Any,
        tag_names: Iterable[str] = (),
        places: Iterable[Collection] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        tags = [("", gettext("Any tag")), *((name, name) for name in tag_names)]
        self.fields["tag"].choices = tags  # type: ignore[attr-defined]
        shelves = [("", gettext("Any collection")), *((str(one.pk), str(one)) for one in places)]
        self.fields["collection"].choices = shelves  # type: ignore[attr-defined]
