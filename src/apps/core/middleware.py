"""What every answer of the project has in common."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.urls import get_script_prefix
from django.utils import translation
from django.utils.translation import gettext

from apps.core.error_pages import answer_app_error, answer_error, wants_page
from apps.core.errors import AppError
from apps.core.methods import METHODS, methods_of, page_above
from apps.core.metrics import REFUSALS
from apps.core.problems import CONTENT_TYPE

logger = logging.getLogger(__name__)

PERMISSIONS_POLICY = "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()"


class SafeHeadersMiddleware:
    """Adds the headers no view should have to think of, turns designed errors into answers, and
    refuses methods that no address has: some views would take TRACE for GET."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = request.method in METHODS
        response = self.get_response(request) if known else _refuse_method(request, METHODS)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_: object
    ) -> HttpResponse | None:
        """A method that a page does not take is refused for that, not for a missing token."""
        allowed = methods_of(view)
        if request.method in allowed:
            return None
        return _maybe_open_page(request) or _refuse_method(request, allowed)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, AppError):
            REFUSALS.labels(exception.code).inc()
            logger.info("refused code=%s path=%s", exception.code, request.path)
            return answer_app_error(request, exception)
        if isinstance(exception, InterfaceError | OperationalError):
            REFUSALS.labels("database_unavailable").inc()
            logger.error("database unavailable: %s", exception)
            detail = gettext(
                "The database does not answer at the moment. Please try again shortly."
            )
            return answer_error(
                request,
                status=503,
                code="database_unavailable",
                detail=detail,
                headers={"Retry-After": "5"},
            )
        return None


class LanguageMiddleware(LocaleMiddleware):
    """Answers in the language that the visitor asks for, and says so where there are words.

    Files are the same in every language: a `Vary` would have shared caches keep each of them
    once for every browser's list of languages.
    """

    async_capable = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        with translation.override(translation.get_language()):  # the next request has its own
            return super().__call__(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return super().process_response(request, response) if _has_words(response) else response


def _has_words(response: HttpResponseBase) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    is_file = "ETag" in response.headers
    return kind in {"text/html", "application/json", CONTENT_TYPE} and not is_file


def _maybe_open_page(request: HttpRequest) -> HttpResponse | None:
    """Who opens the address of a form, as by a reload after a refusal or by signing in again, is
    led to the page that has the form."""
    if request.method != "GET" or not wants_page(request):
        return None
    page = page_above(request.path_info)
    if page is None:
        return None
    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    return HttpResponseRedirect(f"{get_script_prefix().rstrip('/')}{page}{query}")


def _refuse_method(request: HttpRequest, allowed: frozenset[str]) -> HttpResponse:
    detail = gettext("This method is not known here.")
    headers = {"Allow": ", ".join(sorted(allowed))}
    return answer_error(
        request, status=405, code="method_not_allowed", detail=detail, headers=headers
    )
