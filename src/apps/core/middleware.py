"""What every answer of the project has in common."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse

from apps.core.error_pages import answer_app_error, answer_error
from apps.core.errors import AppError

logger = logging.getLogger(__name__)

PERMISSIONS_POLICY = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"


class SafeHeadersMiddleware:
    """Adds the headers no view should have to think of and turns designed errors into answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, AppError):
            logger.info("refused code=%s path=%s", exception.code, request.path)
            return answer_app_error(request, exception)
        if isinstance(exception, OperationalError):
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
