"""API tokens in the `Authorization` header."""

from __future__ import annotations

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class HeaderTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # no types
    """As the library does it, but a header that is no text is a wrong token, not an error."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        if not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        found: tuple[Any, Any] = super().authenticate_credentials(token)
        return found
