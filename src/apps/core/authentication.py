"""API tokens in the `Authorization` header."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.settings import knox_settings
from rest_framework.exceptions import AuthenticationFailed


class HeaderTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # no types
    """As the library does it, but a header that is no text is a wrong token, not an error; and the
    other tokens of the user are looked through when this one is renewed, not at every request."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        if not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        found: tuple[Any, Any] = super().authenticate_credentials(token)
        return found

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Remove expired tokens of the user; whether this is one of them."""
        if _is_fresh(auth_token):
            return False
        return bool(super()._cleanup_token(auth_token))


def _is_fresh(token: Any) -> bool:
    """Whether it was renewed so recently that the library would not do so again."""
    if token.expiry is None or not knox_settings.AUTO_REFRESH:
        return False
    now = timezone.now()
    again = timedelta(seconds=knox_settings.MIN_REFRESH_INTERVAL)
    return bool(now < token.expiry and now + knox_settings.TOKEN_TTL - token.expiry <= again)
