"""The list that somebody comes from: it is named in the address of a file's page, which leads on
along it.

What names a list are the parameters of the library, or `within`: the id of a collection, whose
order then counts. Without any it is the library as it opens, for those whose file it is.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.urls import reverse

from apps.core.keyset import Ordering, read_neighbours
from apps.core.rates import RateExceededError, check_rate
from apps.media import selectors
from apps.media.exceptions import NotVisibleError
from apps.media.filters import MediaFilter
from apps.media.models import Collection, MediaFile
from apps.media.rates import SearchRate
from apps.media.views.api import ORDERINGS

WITHIN = "within"
NAMES = frozenset({*MediaFilter.base_filters, "ordering", WITHIN})
DEFAULT_SORT = next(iter(ORDERINGS))
Pair = tuple[MediaFile | None, MediaFile | None]
Ids = tuple[uuid.UUID | None, uuid.UUID | None]


@dataclass(frozen=True)
class Neighbours:
    """What stands beside a file on the list somebody comes from, and the way back there."""

    previous: MediaFile | None
    next: MediaFile | None
    back_url: str
    place: str = ""  # the title of the collection


def read_trail(request: HttpRequest) -> str:
    """What the addresses of files on the same list end with: nothing, or `?` and the rest."""
    kept = _read(request.GET)
    return f"?{kept.urlencode()}" if kept else ""


def trail_of(query: QueryDict) -> str:
    """The same for the files of a library that `query` asks for."""
    return f"?{query.urlencode()}" if query else ""


def trail_within(collection: Collection) -> str:
    """The same for the files of a collection."""
    return f"?{WITHIN}={collection.pk}"


def redirect_along(request: HttpRequest, media: MediaFile) -> HttpResponseRedirect:
    """To the page of `media`, on the list that the present address names."""
    return HttpResponseRedirect(f"{media.get_absolute_url()}{read_trail(request)}")


def find_neighbours(request: HttpRequest, media: MediaFile) -> Neighbours | None:
    """What `media`, as the visitor sees it, stands between; None where no list leads here.

    A fixed number of queries, however long the list is.
    """
    query = _read(request.GET)
    if media.deleted_at is not None:
        return None
    if query.get(WITHIN):
        return _in_collection(request, media, str(query[WITHIN]))
    if media.owner_id != request.user.pk:
        return None
    query.pop(WITHIN, None)
    before, after = _shown(request, _in_library(request, media, query))
    return Neighbours(before, after, f"{reverse('media:library')}{trail_of(query)}")


def _read(sent: QueryDict) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name, values in sent.lists():
        if name in NAMES and any(values):
            kept.setlist(name, values)
    return kept


def _in_library(request: HttpRequest, media: MediaFile, query: QueryDict) -> Ids:
    try:
        if query.get("q"):
            check_rate(SearchRate, request)
    except RateExceededError:
        return None, None  # the page itself is no search
    rows = selectors.list_media_by_user(user_id=request.user.pk).only("pk")
    found = MediaFilter(query, queryset=rows, request=request).qs
    sort = ORDERINGS.get(query.get("ordering", ""), ORDERINGS[DEFAULT_SORT])
    before, after = read_neighbours(found, ordering=Ordering.parse(sort), row=media)
    return before.pk if before else None, after.pk if after else None


def _in_collection(request: HttpRequest, media: MediaFile, named: str) -> Neighbours | None:
    user = request.user
    try:
        found = selectors.get_visible_collection(user=user, collection_id=uuid.UUID(named))
    except (ValueError, NotVisibleError):
        return None
    items = selectors.list_collection_items(user=user, collection=found)
    item = items.filter(media=media.pk).first()
    if item is None:
        return None
    last, following = read_neighbours(items, ordering=Ordering.parse("position"), row=item)
    ids = (last.media_id if last else None, following.media_id if following else None)
    before, after = _shown(request, ids)
    return Neighbours(before, after, found.get_absolute_url(), str(found))


def _shown(request: HttpRequest, ids: Ids) -> Pair:
    """The two as the visitor gets them, with what a preview of them needs."""
    rows = selectors.with_details(MediaFile.objects.filter(pk__in=[one for one in ids if one]))
    found = {media.pk: media for media in selectors.shown_to(request.user, list(rows))}
    before, after = (found.get(one) if one else None for one in ids)
    return before, after
