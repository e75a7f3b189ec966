"""One page of posts, and the addresses of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.core.keyset import CursorError, Ordering, Page, read_page
from apps.posts import selectors
from apps.posts.exceptions import UnknownCursorError
from apps.posts.models import Post
from apps.users.models import User

PAGE_SIZE = 20
NEWEST = Ordering.parse("-pk")


@dataclass(frozen=True)
class Listing:
    """`by`: only what that person wrote; `following`: only what those wrote whom one follows."""

    page: Page[Post]
    by: User | None = None
    following: bool = False

    @property
    def items(self) -> list[Post]:
        return self.page.items

    @property
    def more_url(self) -> str | None:
        """The next posts alone, without the page around them."""
        return self._address("posts:more", self.page.next)

    @property
    def next_url(self) -> str | None:
        return self._address("posts:feed", self.page.next)

    @property
    def previous_url(self) -> str | None:
        return self._address("posts:feed", self.page.previous)

    def _address(self, name: str, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        query = {"cursor": cursor}
        if self.by is not None:
            query["by"] = self.by.get_username()
        if self.following:
            query["of"] = "following"
        return f"{reverse(name)}?{urlencode(query)}"


def read_listing(
    request: HttpRequest, *, by: User | None = None, following: bool = False, cursor: str = ""
) -> Listing:
    """The page of posts at `cursor` for whoever asks; raises `UnknownCursorError`."""
    rows = selectors.list_posts(by=by, followed_of=request.user if following else None)
    ways = selectors.ways_to_posts(user=request.user)
    try:
        page = read_page(rows, ordering=NEWEST, size=PAGE_SIZE, cursor=cursor or None, either=ways)
    except CursorError as error:
        raise UnknownCursorError(cursor) from error
    selectors.posts_shown_to(request.user, page.items)
    return Listing(page=page, by=by, following=following)
