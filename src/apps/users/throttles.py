"""Limits on what strangers may try, counted per address of the network."""

from __future__ import annotations

from typing import Any

from rest_framework.throttling import SimpleRateThrottle


class SignUpThrottle(SimpleRateThrottle):
    """New accounts per address; also takes plain Django requests."""

    scope = "signup"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class TokenThrottle(SignUpThrottle):
    """Attempts to get a token, right or wrong, per address."""

    scope = "token"
