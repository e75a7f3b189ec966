"""Gives every request a number that its log lines and its later work have, and counts it."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.core.methods import METHODS
from apps.core.metrics import REQUEST_SECONDS, REQUESTS
from apps.core.origins import knowing, learn, request_id_of


class ObservedMiddleware:
    """Stands before all others.

    A proxy may give the number as `X-Request-ID`. An answer that went wrong on our side names it:
    whoever complains can say it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = request_id_of(request.headers.get("X-Request-ID", ""))
        begun = time.perf_counter()
        with knowing(request_id=number):
            response = self.get_response(request)
        _count(request, response, time.perf_counter() - begun)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            response.headers["X-Request-ID"] = number
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> None:
        if media_id := kwargs.get("media_id"):
            learn(media_id=str(media_id))


def _count(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    match = getattr(request, "resolver_match", None)
    view = (match.view_name or "unnamed") if match else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, str(response.status_code)).inc()
    REQUEST_SECONDS.labels(view).observe(seconds)
