"""The addresses of the site and some that fail, each in the way in which its status comes about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from apps.core.errors import SourceTooLargeError
from apps.core.rates import RateExceededError
from config import urls
from config.urls import handler400, handler403, handler404, handler500

__all__ = ["FAILURES", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

INSIDE = "/srv/inside SELECT secret"
FAILURES: Mapping[int, Callable[[], Exception]] = {
    400: lambda: BadRequest(INSIDE),
    403: lambda: PermissionDenied(INSIDE),
    404: lambda: Http404(INSIDE),
    413: lambda: SourceTooLargeError(INSIDE),
    429: lambda: RateExceededError(INSIDE),
    500: lambda: RuntimeError(INSIDE),
    503: lambda: OperationalError(INSIDE),
}


def fail(request: HttpRequest, status: int) -> HttpResponse:
    raise FAILURES[status]()


urlpatterns = [*urls.urlpatterns, path("fails/<int:status>/", fail)]
