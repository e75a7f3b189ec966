"""Downloads at the pace, and as many at a time, as whoever asks is allowed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.core.pacing import Slot, drop_body, meter
from apps.core.rates import check_rate, client_address
from apps.media.exceptions import TooManyDownloadsError
from apps.media.policies import Visitor, allowance_of, limits_downloads
from apps.media.rates import ArchiveRate
from apps.media.views.rights import visitor_of

View = Callable[..., HttpResponseBase]
LARGE = 1024 * 1024  # bytes: a page of thumbnails is not many downloads
_BODIES = {200, 206}


def limited(view: View) -> View:
    """Limit what `view` sends: by pacing it here, or by telling nginx where nginx sends it."""

    @wraps(view)
    def limited_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        return _limit(request, response, least=LARGE) if limits_downloads() else response

    return limited_view


def limited_archive(view: View) -> View:
    """The same for archives, of which each part is a download: one byte of the end may cost the
    reading of all. They have a rate, too."""

    @wraps(view)
    def archive_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        visitor_of(request)  # a program counts as the user of its token
        check_rate(ArchiveRate, request)
        response = view(request, *args, **kwargs)
        return _limit(request, response, least=0) if limits_downloads() else response

    return archive_view


def _limit(request: HttpRequest, response: HttpResponseBase, *, least: int) -> HttpResponseBase:
    visitor = visitor_of(request)
    allowed = allowance_of(visitor)
    if isinstance(response, StreamingHttpResponse) and response.status_code in _BODIES:
        try:
            large = int(response.headers["Content-Length"]) >= least
            slot = _take_slot(request, visitor, allowed.downloads) if large else None
        except TooManyDownloadsError:
            drop_body(response)
            raise
        meter(response, rate=allowed.bandwidth, slot=slot)
    elif allowed.bandwidth and "X-Accel-Redirect" in response.headers:
        response.headers["X-Accel-Limit-Rate"] = str(allowed.bandwidth)
    return response


def _take_slot(request: HttpRequest, visitor: Visitor, places: int | None) -> Slot | None:
    if places is None:
        return None
    who = visitor.pk if visitor.is_authenticated else client_address(request)
    slot = Slot.take(f"download_{who}", places=places)
    if slot is None:
        raise TooManyDownloadsError(who)
    return slot
