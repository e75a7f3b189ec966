"""Many files as one ZIP, to whoever may have them; what somebody may not have is not in theirs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from apps.core.methods import read_only
from apps.core.words import gettext_noop as _
from apps.media import archives, selectors, services
from apps.media.exceptions import BadRequestError
from apps.media.views.rights import visitor_of

MOST_IDS = 100  # as many as fit into an address everywhere
ROWS_AT_ONCE = 500


@read_only
def collection_archive(request: HttpRequest, collection_id: uuid.UUID) -> HttpResponseBase:
    user = visitor_of(request)
    collection = selectors.get_visible_collection(user=user, collection_id=collection_id)
    batches = selectors.batches_below(user=user, collection=collection)
    return archives.deliver_archive(request, user=user, title=collection.title, batches=batches)


@require_http_methods(["GET", "HEAD", "POST"])
def selection_archive(request: HttpRequest) -> HttpResponseBase:
    """By an address that names the files, which a broken download can be gone on with; by a form
    where they are too many for one."""
    user = visitor_of(request)
    if request.method == "POST":
        ids = list(dict.fromkeys(read_ids(request.POST.getlist("ids"))))
        if 0 < len(ids) <= MOST_IDS:
            return redirect(selection_url(ids))
    else:
        ids = _read_address(request.GET.get("ids", ""))
    if not ids:
        raise BadRequestError(detail=_("Select some files first."))
    return archives.deliver_archive(
        request, user=user, title=gettext("Selected files"), batches=_batches(ids)
    )


def selection_url(ids: Sequence[uuid.UUID]) -> str:
    """Where the ZIP of these files is. Raises `BadRequestError` for too many."""
    return f"{reverse('media:selection-archive')}?ids={','.join(pk.hex for pk in _few(ids))}"


def read_ids(texts: Sequence[str]) -> list[uuid.UUID]:
    """The ids that a form sent: one in each field, or many with commas between them.

    Raises `BadRequestError`.
    """
    try:
        return [uuid.UUID(part) for text in texts for part in text.split(",") if part]
    except ValueError as error:
        raise BadRequestError from error


def _batches(ids: list[uuid.UUID]) -> list[archives.Batch]:
    if len(ids) > services.MOST_SELECTED:
        detail = _("At most %(most)s files at once.")
        raise BadRequestError(detail=detail, values={"most": services.MOST_SELECTED})
    starts = range(0, len(ids), ROWS_AT_ONCE)
    return [((), ids[start : start + ROWS_AT_ONCE]) for start in starts]


def _read_address(text: str) -> list[uuid.UUID]:
    try:
        ids = [uuid.UUID(part) for part in text.split(",")]
    except ValueError as error:
        raise BadRequestError(detail=_("Name the files by their ids, with commas.")) from error
    return _few(list(dict.fromkeys(ids)))


def _few(ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    if len(ids) > MOST_IDS:
        detail = _("At most %(most)s files; put more into a collection first.")
        raise BadRequestError(detail=detail, values={"most": MOST_IDS})
    return list(ids)
