"""`/share/{token}/`: the page of a share link, and the bytes under it.

Nothing here tells who shares; the address is kept from other sites, search engines and caches.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from apps.core.error_pages import answer_app_error
from apps.core.errors import AppError
from apps.core.methods import read_only
from apps.media import selectors, services
from apps.media.forms import SharePasswordForm
from apps.media.models import ShareLink
from apps.media.views.listing import read_shown
from apps.media.views.openings import find_link, is_unlocked, unlock

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "private, no-store",
}

Answer = Callable[..., HttpResponseBase]


def as_shared(view: Answer) -> Answer:
    """Let `view` answer under a share link: neither found, kept nor told of by others."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except AppError as error:
            response = answer_app_error(request, error)
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response

    return answer


# No right of the visitor is used, so that nobody can misuse it from another site; and since the
# address is told to nobody, browsers do not say where the form came from.
@method_decorator([csrf_exempt, sensitive_post_parameters("password")], name="dispatch")
class ShareView(View):
    """What a link shows, or the form for its password."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, link: str) -> HttpResponse:
        row = find_link(request, link)
        if not is_unlocked(request, row):
            return _ask(request, SharePasswordForm())
        if row.media_id:
            return _show_file(request, row, row.media_id)
        return _show_collection(request, row, None)

    def post(self, request: HttpRequest, link: str) -> HttpResponse:
        row = find_link(request, link)
        form = SharePasswordForm(request.POST)
        if not row.has_password:
            return redirect(row)
        if form.is_valid() and unlock(request, row, form.cleaned_data["password"]):
            return redirect(row)
        form.add_error("password", gettext("This is not the password."))
        return _ask(request, form, status=422)


@read_only
def media_page(request: HttpRequest, link: str, media_id: uuid.UUID) -> HttpResponse:
    """One file of what a link shows."""
    row = find_link(request, link)
    return _show_file(request, row, media_id) if is_unlocked(request, row) else redirect(row)


@read_only
def collection_page(request: HttpRequest, link: str, collection_id: uuid.UUID) -> HttpResponse:
    """One collection below that of a link."""
    row = find_link(request, link)
    if is_unlocked(request, row):
        return _show_collection(request, row, collection_id)
    return redirect(row)


def _ask(request: HttpRequest, form: SharePasswordForm, *, status: int = 200) -> HttpResponse:
    return render(request, "media/share_locked.html", {"form": form}, status=status)


def _show_file(request: HttpRequest, link: ShareLink, media_id: uuid.UUID) -> HttpResponse:
    media = selectors.get_shared_media(link=link, media_id=media_id, details=True)
    services.maybe_note_opening(user=request.user, link=link, media=media)
    metadata = media.current.metadata  # read first: whether a sound may come is known from it
    context = {
        "media": media,
        "link": link,
        "pages": metadata.get("pages", 0),
        "chapters": metadata.get("chapters", []),
    }
    return render(request, "media/share.html", context)


def _show_collection(
    request: HttpRequest, link: ShareLink, collection_id: uuid.UUID | None
) -> HttpResponse:
    collection = selectors.get_shared_collection(link=link, collection_id=collection_id)
    services.maybe_note_opening(user=request.user, link=link)
    rows = selectors.list_shared_items(link=link, collection=collection)
    page = read_shown(rows, ordering="position", cursor=request.GET.get("cursor"))
    context = {
        "collection": collection,
        "link": link,
        "page": page,
        "items": selectors.get_shared_items(link=link, items=page.items),
        "children": selectors.list_shared_children(collection=collection),
    }
    return render(request, "media/share_collection.html", context)
