"""What every answer of the project has in common."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from apps.core.error_pages import answer_app_error, answer_error
from apps.core.errors import AppError

logger = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PERMISSIONS_POLICY = "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()"


class SafeHeadersMiddleware:
    """Adds the headers no view should have to think of, turns designed errors into answers, and
    refuses methods that no address has: some views would take TRACE for GET."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = request.method in METHODS
        response = self.get_response(request) if known else _refuse_method(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, AppError):
            logger.info("refused code=%s path=%s", exception.code, request.path)
            return answer_app_error(request, exception)
        if isinstance(exception, InterfaceError | OperationalError):
            logger.error("database unavailable: %s", exception)
            detail = "The database does not answer at the moment. Please try again shortly."
            return answer_error(
                request,
                status=503,
                code="database_unavailable",
                detail=detail,
                headers={"Retry-After": "5"},
            )
        return None


def _refuse_method(request: HttpRequest) -> HttpResponse:
    detail = "This method is not known here."
    headers = {"Allow": ", ".join(sorted(METHODS))}
    return answer_error(
        request, status=405, code="method_not_allowed", detail=detail, headers=headers
    )
