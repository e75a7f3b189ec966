"""One page of a list for the pages of the site."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

from apps.core.keyset import CursorError, Ordering, Page, read_page
from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError

PAGE_SIZE = 60

M = TypeVar("M", bound=Model)


def read_shown(
    rows: QuerySet[M],
    *,
    ordering: str,
    cursor: str | None,
    count: int | None = None,
    most: int | None = None,
) -> Page[M]:
    """The page of `rows` at `cursor`, of `count` at most if that is said, and never of more than
    `most`; raises `BadRequestError` where it is none of ours."""
    most = most or PAGE_SIZE
    size = min(count or most, most)
    try:
        return read_page(rows, ordering=Ordering.parse(ordering), size=size, cursor=cursor)
    except CursorError as error:
        raise BadRequestError(detail=_("This page of the list does not exist any more.")) from error
