"""The filters of the library that are on, each with the address of the list without it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import QueryDict
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext

from apps.media.forms import LibraryForm

# What the bar itself shows.
PLAIN = frozenset({"q", "media_type", "ordering"})


@dataclass(frozen=True)
class Active:
    """One filter in words, and where it is off."""

    label: str
    url: str


def active_filters(form: LibraryForm, query: QueryDict) -> list[Active]:
    """In the order of the form; what it does not know is named as it was sent."""
    known = [name for name in form.fields if name in query and name not in PLAIN]
    others = [name for name in query if name not in form.fields]
    return [
        Active(label=_words(form, name, value), url=_without(query, name, value))
        for name in [*known, *others]
        for value in query.getlist(name)
        if value
    ]


def _words(form: LibraryForm, name: str, value: str) -> str:
    if name in ("since", "until"):
        return _day(name, value)
    field = form.fields.get(name)
    choices = dict(getattr(field, "choices", ()))
    by_text = {str(key): str(words) for key, words in choices.items()}
    return by_text.get(value, value)


def _day(name: str, value: str) -> str:
    try:
        day = date_format(date.fromisoformat(value), gettext("j M Y"))
    except ValueError:
        day = value
    words = gettext("From %(day)s") if name == "since" else gettext("Until %(day)s")
    return words % {"day": day}


def _without(query: QueryDict, name: str, value: str) -> str:
    rest = query.copy()
    rest.setlist(name, [other for other in query.getlist(name) if other != value])
    ends = f"?{rest.urlencode()}" if rest.urlencode() else ""
    return f"{reverse('media:library')}{ends}"
