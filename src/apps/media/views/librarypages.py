"""The library: a visitor's own files as a list of any length, of which script asks for any part."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from apps.core.keyset import Ordering, Page, rows_between
from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import selectors
from apps.media.filters import MediaFilter
from apps.media.forms import LibraryForm
from apps.media.models import MediaFile
from apps.media.rates import SearchRate
from apps.media.views import listing
from apps.media.views.api import ORDERINGS
from apps.media.views.archives import read_ids
from apps.media.views.chips import active_filters
from apps.media.views.listing import read_shown
from apps.media.views.pages import PLACES
from apps.media.views.trails import DEFAULT_SORT, trail_of

IDS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Listing:
    """One page of a list and the addresses of its neighbours; `more_url` gives cards alone."""

    page: Page[MediaFile]
    query: QueryDict

    @property
    def items(self) -> list[MediaFile]:
        return self.page.items

    @property
    def is_filtered(self) -> bool:
        return any(name != "ordering" for name in self.query)

    @property
    def is_newest(self) -> bool:
        """Whether a file that arrives now stands first."""
        sort = self.query.get("ordering", DEFAULT_SORT)
        return not self.is_filtered and sort == DEFAULT_SORT and self.page.previous is None

    @property
    def outline_url(self) -> str | None:
        """Where script learns what there is beyond this first page."""
        if self.page.previous is not None:
            return None
        return f"{reverse('media:media-outline')}{trail_of(self.query)}"

    @property
    def cards_url(self) -> str:
        return f"{reverse('media:media-cards')}{trail_of(self.query)}"

    @property
    def ids_url(self) -> str:
        return f"{reverse('media:media-ids')}{trail_of(self.query)}"

    @property
    def months(self) -> str:
        """The months of a list by time, each with how many files of it are here: `2024-03*12`."""
        if self.query.get("ordering", DEFAULT_SORT).removeprefix("-") != "created_at":
            return ""
        groups = groupby(self.items, key=selectors.month_of)
        return " ".join(f"{month}*{len(list(files))}" for month, files in groups)

    @property
    def trail(self) -> str:
        """What the addresses of its files end with, for their pages to lead along the list."""
        return trail_of(self.query)

    @property
    def more_url(self) -> str | None:
        return self._address("media:media-cards", self.page.next)

    @property
    def next_url(self) -> str | None:
        return self._address("media:library", self.page.next)

    @property
    def previous_url(self) -> str | None:
        return self._address("media:library", self.page.previous)

    def _address(self, name: str, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        pairs = [(key, value) for key, values in self.query.lists() for value in values]
        return f"{reverse(name)}?{urlencode([*pairs, ('cursor', cursor)])}"


@dataclass(frozen=True)
class Wish:
    """What of the library somebody wants to see: which files, in which order, from where on."""

    rows: QuerySet[MediaFile]
    query: QueryDict
    ordering: str
    cursor: str
    count: int | None

    @classmethod
    def of(cls, request: HttpRequest) -> Wish:
        query = request.GET.copy()
        if query.get("q"):
            check_rate(SearchRate, request)
        cursor, count = (query.pop(name, [""])[-1] for name in ("cursor", "count"))
        for name in [name for name, values in query.lists() if not any(values)]:
            del query[name]  # a control left alone says nothing
        rows = selectors.list_media_by_user(user_id=request.user.pk)
        return cls(
            rows=MediaFilter(query, queryset=rows, request=request).qs,
            query=query,
            ordering=ORDERINGS.get(query.get("ordering", ""), ORDERINGS[DEFAULT_SORT]),
            cursor=cursor,
            count=int(count) if count.isdecimal() and len(count) < len("1000") else None,
        )


def _read_listing(request: HttpRequest) -> Listing:
    wish = Wish.of(request)
    rows = selectors.with_details(wish.rows)
    page = read_shown(rows, ordering=wish.ordering, cursor=wish.cursor, count=wish.count)
    return Listing(page=page, query=wish.query)


class LibraryView(PersonalView):
    """The visitor's own files with the filter bar."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = _read_listing(request)
        tags = selectors.list_tags(user=request.user)
        places = list(selectors.list_editable_collections(user=request.user)[:PLACES])
        sent = found.query.copy()
        for name, value in (("media_type", ""), ("ordering", DEFAULT_SORT)):
            sent.setdefault(name, value)
        form = LibraryForm(sent, tag_names=[tag.name for tag in tags], places=places)
        context = {
            "listing": found,
            "form": form,
            "places": places,
            "active": active_filters(form, found.query),
        }
        return render(request, "media/library.html", context)


class CardsView(PersonalView):
    """The next page of the library, without the page around it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        appended = "count" not in request.GET  # those of an outline stand for themselves
        context = {"listing": _read_listing(request), "appended": appended}
        return render(request, "media/parts/cards.html", context)


class OutlineView(PersonalView):
    """Where in the library how many files are: `[count, mark, cursor]` of each stretch."""

    def get(self, request: HttpRequest) -> HttpResponse:
        wish = Wish.of(request)
        stretches = selectors.read_outline(
            wish.rows,
            ordering=Ordering.parse(wish.ordering),
            size=listing.PAGE_SIZE,
            user_id=request.user.pk,
        )
        rows = [(stretch.count, stretch.mark, stretch.cursor) for stretch in stretches]
        return JsonResponse({"stretches": rows})


class IdsView(PersonalView):
    """The ids of the files of a list, for who selects what their browser has not been sent.

    All of them in their order, or with `ends` (two ids with a comma) those from one file to the
    other; so many at once, and the cursor of those that follow.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        wish = Wish.of(request)
        ordering = Ordering.parse(wish.ordering)
        rows = wish.rows.only("pk", ordering.field)
        if "ends" in request.GET:
            ends = read_ids([request.GET["ends"]])
            rows = rows_between(rows, ordering=ordering, ends=ends)
        page = read_shown(rows, ordering=wish.ordering, cursor=wish.cursor, most=IDS_AT_ONCE)
        return JsonResponse({"ids": [media.pk for media in page.items], "next": page.next})
