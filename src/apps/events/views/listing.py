"""One page of a list for the pages of the site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from apps.core.keyset import CursorError, Ordering, Page, read_page
from apps.core.words import gettext_noop as _
from apps.events.exceptions import BadRequestError

EVENTS, PHOTOS = 24, 60  # on one page

M = TypeVar("M", bound=Model)


def read_shown(
    rows: QuerySet[M],
    *,
    ordering: str,
    size: int,
    cursor: str | None,
    either: Sequence[Q] | None = None,
) -> Page[M]:
    """The page of `rows` at `cursor`; raises `BadRequestError` where it is none of ours."""
    order = Ordering.parse(ordering)
    try:
        return read_page(rows, ordering=order, size=size, cursor=cursor, either=either)
    except CursorError as error:
        raise BadRequestError(detail=_("This page of the list does not exist any more.")) from error
