"""The pages for people. Each works without script; partial answers only make it smoother.

A view makes one call of a service or a selector per thing it shows, and never touches bytes.
Designed errors become pages in the middleware, except where a form can show them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.core.errors import AppError
from apps.core.keyset import Ordering, Page
from apps.core.pages import PageView, PersonalView
from apps.core.rates import check_rate
from apps.media import selectors, services
from apps.media.conf import options
from apps.media.filters import MediaFilter
from apps.media.forms import LibraryForm, UploadForm
from apps.media.models import MediaFile
from apps.media.policies import may_empty_trash
from apps.media.uploadhandlers import discard_unclaimed, stream_uploads
from apps.media.views import listing
from apps.media.views.api import ORDERINGS
from apps.media.views.chips import active_filters
from apps.media.views.listing import read_shown
from apps.media.views.rates import SearchRate, UploadRate
from apps.media.views.trails import DEFAULT_SORT, trail_of

SHOWCASE_SIZE = 24
PLACES = 100  # collections to choose from
DAY = 24 * 3600


class HomeView(PageView):
    """The front door: the library for those who are in, what is public for those who are not."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect("media:library")
        rows = selectors.with_details(selectors.list_visible_media(user=request.user))
        items = selectors.shown_to(request.user, list(rows[:SHOWCASE_SIZE]))
        return render(request, "media/home.html", {"items": items})


# -- the library ------------------------------------------------------------------------------


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


# -- uploading --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of one file of a form: a media file, or the reason why not."""

    name: str
    media: MediaFile | None = None
    reason: str = ""


@method_decorator(csrf_exempt, name="dispatch")  # checked in `_take`, once uploads can stream
class UploadView(PersonalView):
    """The form for several files. Each is judged alone: one refusal does not stop the others."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, form=UploadForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(UploadRate, request)
        stream_uploads(request, user=request.user, collect_refusals=True)
        try:
            return self._take(request)
        finally:
            discard_unclaimed(request)

    @method_decorator(csrf_protect)
    def _take(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request.POST)
        files = request.FILES.getlist("files")
        if not files:
            form.add_error(None, gettext("Choose at least one file."))
        if not form.is_valid():
            return self._show(request, form=form, status=422)
        outcomes = [_upload_one(request, file, form.cleaned_data) for file in files]
        if any(outcome.reason for outcome in outcomes):
            return self._show(request, form=form, status=422, outcomes=outcomes)
        done = len(outcomes)
        words = ngettext("%(count)s file uploaded.", "%(count)s files uploaded.", done)
        messages.success(request, words % {"count": done})
        return redirect("media:library")

    def _show(self, request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
        context["usage"] = selectors.get_storage_usage(user=request.user)
        return render(request, "media/upload.html", context, status=status)


def _upload_one(request: HttpRequest, file: UploadedFile[Any], fields: dict[str, Any]) -> Outcome:
    name = file.name or gettext("file")
    try:
        media = services.upload_media(user=request.user, file=file, **fields)
    except AppError as error:
        return Outcome(name=name, reason=error.detail)
    except ValidationError as error:
        return Outcome(name=name, reason=" ".join(error.messages))
    return Outcome(name=name, media=media)


class StorageView(PersonalView):
    """What takes the visitor's room, and what would give some of it back."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"report": selectors.get_room_report(user=request.user)}
        return render(request, "media/storage.html", context)


class CopiesView(PersonalView):
    """Files of the visitor with the same bytes as an older one, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.with_details(selectors.list_copies(user=request.user))
        page = read_shown(rows, ordering="-pk", cursor=request.GET.get("cursor"))
        return render(request, "media/copies.html", {"page": page})


class UnusedView(PersonalView):
    """Large files of the visitor that nothing and nobody seems to need, the largest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.with_details(selectors.list_large_unused(user=request.user))
        page = read_shown(rows, ordering="-size", cursor=request.GET.get("cursor"))
        places = selectors.list_editable_collections(user=request.user)[:PLACES]
        return render(request, "media/unused.html", {"page": page, "places": places})


# -- the trash --------------------------------------------------------------------------------


class TrashView(PersonalView):
    """What the visitor has thrown away, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.with_details(selectors.list_trash(user=request.user))
        page = read_shown(rows, ordering="-pk", cursor=request.GET.get("cursor"))
        for media in page.items:
            media.goes_at = selectors.leaves_trash_at(media)  # type: ignore[attr-defined]
        context = {
            "page": page,
            "days": options().trash_lifetime // DAY,
            "may_empty": may_empty_trash(request.user),
        }
        return render(request, "media/trash.html", context)


class EmptyTrashView(PersonalView):
    """Removes all that is in the trash for good."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        done = services.empty_own_trash(user=request.user)
        whole = gettext("The trash is empty.")
        part = gettext("The trash is empty. Deleting all those files goes on for a while.")
        messages.success(request, whole if done else part)
        return redirect("media:trash")


class DeleteView(PersonalView):
    """Moves a file to the trash and offers to take that back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.delete_media(user=request.user, media=media)
        # The message's extra tag is the address that undoes what it tells of.
        undo = reverse("media:restore", args=[media.pk])
        words = gettext("“%(name)s” is in the trash.") % {"name": media}
        messages.success(request, words, extra_tags=undo)
        return _back(request, "media:library")


class RestoreView(PersonalView):
    """Takes a file out of the trash."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.restore_media(user=request.user, media=media)
        messages.success(request, gettext("“%(name)s” is back in your library.") % {"name": media})
        return _back(request, "media:trash")


class PurgeView(PersonalView):
    """Removes a file for good."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, media_id: uuid.UUID) -> HttpResponse:
        media = selectors.get_visible_media(user=request.user, media_id=media_id)
        services.delete_media(user=request.user, media=media, permanent=True)
        messages.success(request, gettext("“%(name)s” is deleted.") % {"name": media})
        return _back(request, "media:trash")


def _back(request: HttpRequest, name: str) -> HttpResponseRedirect:
    return back_to(request, reverse(name))


def back_to(request: HttpRequest, path: str, *, anchor: str = "") -> HttpResponseRedirect:
    """To the page of this site that the form names in `next`, else to `path`; there to `anchor`."""
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    place = f"#{anchor}" if anchor else ""
    return HttpResponseRedirect((asked if safe else path) + place)
