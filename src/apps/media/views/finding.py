"""Suggestions for the search of the library and for tags, while somebody types."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import selectors
from apps.media.rates import SuggestRate

LONGEST = 200  # characters


class SuggestionsView(PersonalView):
    """The options of a list box; nothing where there are none."""

    def get(self, request: HttpRequest) -> HttpResponse:
        check_rate(SuggestRate, request)
        typed = request.GET.get("q", "")[:LONGEST]
        found = selectors.suggest_words(user=request.user, typed=typed)
        context = {"suggestions": found}
        return render(request, "media/parts/suggestions.html", context)


class TagSuggestionsView(PersonalView):
    """The tags of whoever asks that begin so, as options of a list box."""

    def get(self, request: HttpRequest) -> HttpResponse:
        check_rate(SuggestRate, request)
        typed = request.GET.get("q", "")[:LONGEST]
        context = {"tags": selectors.suggest_tags(user=request.user, typed=typed)}
        return render(request, "media/parts/tag_suggestions.html", context)
