"""What the scanner found, and what reviewers do with it. Bytes are not shown here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from apps.core.errors import AppError
from apps.core.keyset import CursorError, Ordering, read_page
from apps.media import selectors, services
from apps.media.policies import may_review

ROWS = 50
URL = "admin:media_quarantine"


def quarantine(request: HttpRequest) -> HttpResponse:
    """The list, and the form for what is done with those that are ticked."""
    if not may_review(request.user):
        raise PermissionDenied
    if request.method == "POST":
        return _act(request)
    try:
        page = read_page(
            selectors.list_quarantined(user=request.user),
            ordering=Ordering.parse("-pk"),
            size=ROWS,
            cursor=request.GET.get("cursor"),
        )
    except CursorError:
        return HttpResponseRedirect(reverse(URL))
    context = {
        **admin.site.each_context(request),
        "title": gettext("Quarantine"),
        "page": page,
        "items": selectors.with_findings(page.items),
        "may_delete": _may_delete(request),
    }
    return TemplateResponse(request, "media/admin/quarantine.html", context)


def _act(request: HttpRequest) -> HttpResponse:
    act = ACTS.get(request.POST.get("do", ""))
    ids = _read_ids(request)
    try:
        if act is None or not ids:
            messages.error(request, gettext("Select some files first."))
        else:
            _tell(request, act(request, ids))
    except AppError as error:
        messages.error(request, error.detail)
    return HttpResponseRedirect(request.get_full_path())


def _read_ids(request: HttpRequest) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in request.POST.getlist("ids")]
    except ValueError:
        return []


def _tell(request: HttpRequest, outcomes: list[services.Outcome]) -> None:
    refused = [outcome for outcome in outcomes if outcome.code]
    if done := len(outcomes) - len(refused):
        words = ngettext("%(count)s file done.", "%(count)s files done.", done)
        messages.success(request, words % {"count": done})
    for outcome in refused:
        messages.warning(request, f"{outcome.media_id}: {outcome.detail}")


def _release(request: HttpRequest, ids: list[uuid.UUID]) -> list[services.Outcome]:
    reason = request.POST.get("reason", "")
    return services.release_quarantined(user=request.user, ids=ids, reason=reason)


def _rescan(request: HttpRequest, ids: list[uuid.UUID]) -> list[services.Outcome]:
    return services.rescan_quarantined(user=request.user, ids=ids)


def _remove(request: HttpRequest, ids: list[uuid.UUID]) -> list[services.Outcome]:
    if not _may_delete(request):
        raise PermissionDenied
    return services.remove_quarantined(user=request.user, ids=ids)


def _may_delete(request: HttpRequest) -> bool:
    """As elsewhere in the administration, being staff alone is not enough."""
    return request.user.has_perm("media.delete_mediafile")


ACTS: Mapping[str, Callable[[HttpRequest, list[uuid.UUID]], list[services.Outcome]]] = {
    "release": _release,
    "rescan": _rescan,
    "remove": _remove,
}
