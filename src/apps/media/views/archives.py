"""Many files as one ZIP, to whoever may have them; what somebody may not have is not in theirs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from apps.core.words import gettext_noop as _
from apps.media import archives, selectors
from apps.media.exceptions import BadRequestError
from apps.media.views.rights import visitor_of

MOST_IDS = 100  # as many as fit into an address everywhere


@require_safe
def collection_archive(request: HttpRequest, collection_id: uuid.UUID) -> HttpResponseBase:
    user = visitor_of(request)
    collection = selectors.get_visible_collection(user=user, collection_id=collection_id)
    batches = selectors.batches_below(user=user, collection=collection)
    return archives.deliver_archive(request, user=user, title=collection.title, batches=batches)


@require_safe
def selection_archive(request: HttpRequest) -> HttpResponseBase:
    ids = _read_ids(request.GET.get("ids", ""))
    user = visitor_of(request)
    return archives.deliver_archive(
        request, user=user, title=gettext("Selected files"), batches=[((), ids)]
    )


def selection_url(ids: Sequence[uuid.UUID]) -> str:
    """Where the ZIP of these files is. Raises `BadRequestError` for too many."""
    return f"{reverse('media:selection-archive')}?ids={','.join(pk.hex for pk in _few(ids))}"


def _read_ids(text: str) -> list[uuid.UUID]:
    try:
        ids = [uuid.UUID(part) for part in text.split(",")]
    except ValueError as error:
        raise BadRequestError(detail=_("Name the files by their ids, with commas.")) from error
    return _few(dict.fromkeys(ids))


def _few(ids: Sequence[uuid.UUID] | dict[uuid.UUID, None]) -> list[uuid.UUID]:
    if len(ids) > MOST_IDS:
        detail = _("At most %(most)s files; put more into a collection first.")
        raise BadRequestError(detail=detail, values={"most": MOST_IDS})
    return list(ids)
