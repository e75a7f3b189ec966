"""How often somebody may do something costly: counted exactly, in every process at once.

Counts are in the default cache, whose `add` and `incr` must be single steps: those of Redis and of
`apps.core.caches.MachineCache` are. A cache that does not answer limits nobody: what is limited is
effort, and every right is checked elsewhere.
"""

from __future__ import annotations

import logging
import zlib
from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from apps.core.caches import CACHE_AWAY
from apps.core.errors import AppError
from apps.core.words import gettext_noop as _

logger = logging.getLogger(__name__)


class RateExceededError(AppError):
    """Too much in too short a time; `retry_after` says when the next period begins."""

    code = "throttled"
    status = 429
    message = _("Too many requests in a short time. Please try again later.")


class ExactRate(SimpleRateThrottle):
    """So many per period, which begins for each key at a time of its own.

    A throttle of the API framework; `check_rate` asks it for other views. Whoever is refused is
    counted on, and let in when the next period begins.
    """

    num_requests: int
    duration: int  # seconds
    _passed = 0.0  # seconds of the period

    def allow_request(self, request: Any, view: Any) -> bool:
        key = self.get_cache_key(request, view)
        if self.rate is None or key is None:
            return True
        return self._count(key) <= self.num_requests

    def get_ident(self, request: Any) -> str:
        return client_address(request) or ""

    def wait(self) -> float:
        """Seconds until the next period."""
        return float(self.duration - self._passed)

    def _count(self, key: str) -> int:
        # Without a shift all would come back in the same second.
        now = self.timer() + zlib.crc32(key.encode()) % self.duration
        period, self._passed = divmod(now, self.duration)
        entry = f"{key}_{int(period)}"
        try:
            self.cache.add(entry, 0, self.duration)
            return int(self.cache.incr(entry))
        except (*CACHE_AWAY, ValueError) as error:
            logger.warning("rates are not counted: %r", error)
            return 0


class AddressRate(ExactRate):
    """Counted by network address, whoever it is."""

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class VisitorRate(ExactRate):
    """Counted by user, and by network address for those who are not signed in."""

    def get_cache_key(self, request: Any, view: Any) -> str:
        user = request.user
        ident = user.pk if user and user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}


def check_rate(rate: type[ExactRate], request: HttpRequest) -> None:
    """Count one; raise `RateExceededError` for one too many."""
    throttle = rate()
    if not throttle.allow_request(request, None):
        error = RateExceededError(rate.scope)
        error.retry_after = int(throttle.wait()) + 1
        raise error


def client_address(request: HttpRequest | Request) -> str | None:
    """The visitor's network address, behind as many proxies as the settings say there are; nothing
    when no visitor asks, as in a sign-in by code.

    Where they say nothing, the API framework would believe any `X-Forwarded-For`; here it is none.
    """
    if api_settings.NUM_PROXIES is None:
        return request.META.get("REMOTE_ADDR")
    address: str | None = BaseThrottle().get_ident(cast("Request", request))
    return address
