"""The answer to too many failed sign-ins, for pages and programs alike."""

from __future__ import annotations

from typing import Any

from axes.helpers import get_cool_off
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from apps.core.error_pages import answer_error


def answer_lockout(
    request: HttpRequest, credentials: dict[str, Any] | None, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Refuse further attempts until the pause is over; the same words whether the name exists."""
    pause = get_cool_off(request)
    seconds = int(pause.total_seconds()) if pause else 60
    return answer_error(
        request,
        status=429,
        code="locked_out",
        detail=gettext("Too many failed attempts to sign in. Please try again later."),
        headers={"Retry-After": str(seconds)},
    )
