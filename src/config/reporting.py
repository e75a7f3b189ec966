"""Reports errors to Sentry, or to what speaks its protocol, where the operator names one.

What is sent says what went wrong and where in the code: no cookies, no bodies, few headers,
no local variables, no addresses of visitors; share links and what is signed are masked.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from apps.core.logs import clean_line

KEPT_HEADERS = frozenset({"accept", "content-length", "content-type", "range", "user-agent"})
DROPPED = ("cookies", "data", "env", "query_string")


def start_reporting(dsn: str, **options: Any) -> None:
    """Report errors to `dsn` from now on. `options` are the library's, for tests."""
    try:
        import sentry_sdk  # noqa: PLC0415  only where it is wanted
    except ImportError as error:
        told = "SENTRY_DSN needs the extra 'reporting': pip install 'media-app[reporting]'"
        raise ImproperlyConfigured(told) from error
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=clean_event,
        before_breadcrumb=clean_event,
        **options,
    )


def clean_event(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """`event` without what nobody outside may read."""
    request = event.get("request")
    if isinstance(request, dict):
        for name in DROPPED:
            request.pop(name, None)
        headers = request.get("headers", {})
        request["headers"] = {
            name: value for name, value in headers.items() if name.lower() in KEPT_HEADERS
        }
    event.pop("user", None)
    cleaned: dict[str, Any] = _clean(event)
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return "\n".join(clean_line(line) for line in value.split("\n"))
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value
