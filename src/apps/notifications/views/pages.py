"""The pages of notifications, and what mails lead to without a sign-in."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from apps.core.error_pages import answer_app_error
from apps.core.errors import AppError
from apps.core.keyset import CursorError, Ordering, read_page
from apps.core.methods import read_only
from apps.core.pages import PersonalView
from apps.core.rates import AddressRate, check_rate
from apps.core.words import gettext_noop as _
from apps.media import delivery
from apps.media.exceptions import BadRequestError
from apps.notifications import selectors, services, tokens
from apps.notifications.kinds import DEFAULTS, Email, Kind, Ways
from apps.notifications.live import STREAMS

PAGE_SIZE = 30
UNTOLD = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "private, no-store",
}


class PreviewRate(AddressRate):
    """Pictures of mails, by network address: readers fetch many, guessers fetch more."""

    scope = "mail_preview"
    rate = "300/min"


class UnsubscribeRate(AddressRate):
    scope = "unsubscribe"
    rate = "60/min"


class ListView(PersonalView):
    def get(self, request: HttpRequest) -> HttpResponse:
        rows = selectors.list_notifications(user=request.user)
        try:
            page = read_page(
                rows,
                ordering=Ordering.parse("-pk"),
                size=PAGE_SIZE,
                cursor=request.GET.get("cursor") or None,
            )
        except CursorError as error:
            raise BadRequestError(
                detail=_("This page of the list does not exist any more.")
            ) from error
        shown = selectors.show(request.user, page.items)
        unread = selectors.count_unread(user=request.user)
        context = {"page": page, "shown": shown, "unread": unread}
        return render(request, "notifications/list.html", context)


class BellView(PersonalView):
    """The bell alone, for whoever looks at a page: nothing while the count is the one they see."""

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        """Signed out meanwhile. A page for signing in would be put where the bell is."""
        return HttpResponse(status=401)

    def get(self, request: HttpRequest) -> HttpResponse:
        count = selectors.count_unread(user=request.user)
        if request.GET.get("seen") == str(count):
            return HttpResponse(status=204)
        return render(request, "notifications/parts/bell.html", {"count": count})


class StreamView(PersonalView):
    """A stream that tells whenever the bell's count has changed; 204 where there is no room."""

    http_method_names = ["get"]

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(status=401)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        stream = STREAMS.open(request)
        if stream is None:
            return HttpResponse(status=204)  # browsers do not ask again
        answer = StreamingHttpResponse(stream, content_type="text/event-stream")
        answer.headers["X-Accel-Buffering"] = "no"  # nginx passes it on as it comes
        return answer


class OpenView(PersonalView):
    """Leads to what it tells of, and notes that it was read."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
        row = selectors.get_notification(user=request.user, notification_id=notification_id)
        (shown,) = selectors.show(request.user, [row])
        services.mark_read(user=request.user, ids=[row.pk])
        return redirect(shown.url)


class ReadView(PersonalView):
    """Notes that one was read, or all of them."""

    def post(self, request: HttpRequest, notification_id: uuid.UUID | None = None) -> HttpResponse:
        ids = None if notification_id is None else [notification_id]
        services.mark_read(user=request.user, ids=ids)
        return redirect("notifications:list")


class PreferencesView(PersonalView):
    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"ways": selectors.ways_of(request.user).items(), "choices": Email.choices}
        return render(request, "notifications/preferences.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        # Of a kind that is newer than the form nothing was said.
        asked = [kind for kind in DEFAULTS if f"{kind}-email" in request.POST]
        ways = {kind: _said(request, kind) for kind in asked}
        services.set_preferences(user=request.user, ways=ways)
        messages.success(request, gettext("Changes saved."))
        return redirect("notifications:preferences")


def _said(request: HttpRequest, kind: Kind) -> Ways:
    email = request.POST[f"{kind}-email"]
    if email not in Email.values:
        raise BadRequestError(detail=_("There is no such choice."))
    return Ways(in_page=f"{kind}-in_page" in request.POST, email=Email(email))


@read_only
def preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """The picture of a mail. Nobody is asked who they are, and nothing else is told."""
    check_rate(PreviewRate, request)
    try:
        media, rendition = selectors.get_preview(token=token)
    except AppError as error:
        return _untold(answer_app_error(request, error))
    return delivery.deliver_preview(request, media, rendition)


# RFC 8058: a program of the mail's reader posts here without a cookie. The address is the right.
@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribeView(View):
    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        check_rate(UnsubscribeRate, request)
        try:
            return _untold(super().dispatch(request, *args, **kwargs))
        except AppError as error:
            return _untold(answer_app_error(request, error))

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        kinds = tokens.read_token(token)[1]
        context = {"kinds": [kind.label for kind in kinds]}
        return render(request, "notifications/unsubscribe.html", context)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        user_id, kinds = tokens.read_token(token)
        services.unsubscribe(user_id=user_id, kinds=kinds)
        return render(request, "notifications/unsubscribe.html", {"done": True})


def _untold(response: Any) -> Any:
    for name, value in UNTOLD.items():
        response.headers[name] = value
    return response
