"""Which collections a file is in, and which it can be put into, for its page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.media import selectors
from apps.media.models import MediaFile

PLACES = 200  # to choose from, the last changed first
SHELVES = 50  # that it is in


def describe(request: HttpRequest, media: MediaFile) -> dict[str, Any]:
    user = request.user
    shelves = selectors.list_collections_with(user=user, media=media)[:SHELVES]
    if not user.is_authenticated or media.deleted_at is not None:
        return {"shelves": shelves}
    places = selectors.list_editable_collections(user=user)[:PLACES]
    return {"shelves": shelves, "places": places, "may_collect": True}
