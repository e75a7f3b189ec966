"""The forms of events. They tidy and explain; what may be stored is the services' decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.events.models import Answer, Event, EventPhoto, Visibility
from apps.media.forms import AttachmentsFormField, MediaForm, MediaModelForm

MOMENT = "%Y-%m-%dT%H:%M"


def _moment(**options: Any) -> forms.DateTimeField:
    """A field for a moment in the time zone of the site."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
    return forms.DateTimeField(widget=widget, input_formats=[MOMENT, f"{MOMENT}:%S"], **options)


class EventForm(MediaModelForm):
    """What is said of an event, and its banner."""

    starts_at = _moment(label=_("Begins"))
    ends_at = _moment(label=_("Ends"), required=False, help_text=_("Leave it empty if it is open."))
    visibility = forms.ChoiceField(
        label=_("Who sees it"),
        choices=Visibility.choices,
        help_text=_("Whoever sees the event sees its banner and its photos."),
    )
    guests_add_photos = forms.BooleanField(label=_("Guests may add photos"), required=False)

    class Meta:
        model = Event
        fields = [
            "title",
            "starts_at",
            "ends_at",
            "place",
            "text",
            "visibility",
            "guests_add_photos",
            "banner",
        ]
        labels = {
            "title": _("Title"),
            "place": _("Place"),
            "text": _("What it is about"),
            "banner": _("Banner"),
        }
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "text": forms.Textarea(attrs={"rows": 5}),
        }

    def fields_chosen(self) -> dict[str, Any]:
        """The valid values, as the services take them."""
        chosen = dict(self.cleaned_data)
        item = chosen.pop("banner", None)
        banner = item.media if item else None
        return {**chosen, "banner": banner, "banner_crop": item.crop if item else None}


class AddPhotosForm(MediaForm):
    """Photos and films for the gallery of an event."""

    photos = AttachmentsFormField(
        label=_("Photos and videos"),
        through=EventPhoto,
        crops=False,
        captions=True,
        help_text=_("Whoever sees the event sees them."),
        error_messages={"required": _("Choose some photos first.")},
    )


class WordsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is said of one photo in the gallery; its prefix tells of which."""

    class Meta:
        model = EventPhoto
        fields = ["alt_text", "caption"]
        labels = {"alt_text": _("Alternative text"), "caption": _("Caption")}
        widgets = {
            "alt_text": forms.TextInput(attrs={"autocomplete": "off"}),
            "caption": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, data: Any = None, *, photo: EventPhoto) -> None:
        super().__init__(data, instance=photo, prefix=str(photo.media_id))
        own = {"alt_text": photo.media.alt_text, "caption": photo.media.caption}
        for name, words in own.items():
            self.fields[name].widget.attrs["placeholder"] = words


class InviteForm(forms.Form):
    """Whom to ask."""

    name = forms.CharField(
        label=_("User name"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )


class AnswerForm(forms.Form):
    """Whether somebody comes."""

    answer = forms.ChoiceField(choices=Answer.choices)
