"""The library in a form of another app: parts of pages, for its script to let people choose."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import selectors
from apps.media.filters import MediaFilter
from apps.media.models.media_file import MediaType
from apps.media.rates import SearchRate
from apps.media.views.listing import read_shown

WHOLE = re.compile(r"[0-9]{1,18}")


class ChooserView(PersonalView):
    """The visitor's files of the asked `kind`s, at most `max_size` bytes each: a page of choices.

    A convenience for honest browsers: what may be attached is judged when the form is sent.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        if words := request.GET.get("q", ""):
            check_rate(SearchRate, request)
        kinds = [kind for kind in request.GET.getlist("kind") if kind in MediaType.values]
        rows = selectors.list_choosable_media(
            user=request.user,
            kinds=kinds or MediaType.values,
            max_size=_whole(request.GET.get("max_size", "")),
        )
        found = MediaFilter({"q": words}, queryset=rows, request=request).qs
        cursor = request.GET.get("cursor", "")
        page = read_shown(found, ordering="-pk", cursor=cursor or None)
        context: dict[str, Any] = {"items": page.items, "words": words, "query": request.GET}
        context["next_url"] = _address(request, cursor=page.next) if page.next else ""
        context["url"], context["cursor"] = request.path, cursor
        return render(request, f"media/parts/{_template(request)}", context)


def _template(request: HttpRequest) -> str:
    """The whole chooser, its results, or more of them."""
    if request.GET.get("cursor"):
        return "choices.html"
    return "choice_results.html" if "q" in request.GET else "chooser.html"


def _address(request: HttpRequest, *, cursor: str) -> str:
    query = request.GET.copy()
    query["cursor"] = cursor
    pairs = [(key, value) for key, values in query.lists() for value in values]
    return f"{reverse('media:choose')}?{urlencode(pairs)}"


def _whole(text: str) -> int | None:
    return int(text) if WHOLE.fullmatch(text) else None
