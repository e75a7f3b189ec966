"""The pages that list posts: the feed, and what somebody's own page shows of theirs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.pages import PageView
from apps.posts.views.listing import Listing, read_listing
from apps.users.models import User
from apps.users.selectors import get_person

FOLLOWING = "following"


def _asked(request: HttpRequest) -> Listing:
    """What the query asks for: `by` a name, `of=following`, at a `cursor`."""
    name, cursor = request.GET.get("by", ""), request.GET.get("cursor", "")
    by = get_person(username=name) if name else None
    following = request.GET.get("of") == FOLLOWING and request.user.is_authenticated
    return read_listing(request, by=by, following=following, cursor=cursor)


class FeedPage(PageView):
    """What was written for the visitor to see, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "posts/feed.html", {"listing": _asked(request)})


class MorePosts(PageView):
    """The next posts of a list, without the page around them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"listing": _asked(request), "appended": True}
        return render(request, "posts/parts/posts.html", context)


def read_section(request: HttpRequest, person: User) -> dict[str, Any]:
    """What the page of `person` shows of their posts (see `apps.users.sections`)."""
    return {"listing": read_listing(request, by=person)}
