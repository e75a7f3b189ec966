"""What `CELERY_BROKER_URL` means for Celery: where messages go, and whom we believe to be there."""

from __future__ import annotations

from ssl import CERT_REQUIRED
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

NOWHERE = "memory://"


def broker_settings(url: str) -> dict[str, Any]:
    """Django's settings for the broker at `url`; without one, messages go nowhere.

    Raises `ImproperlyConfigured` for what Celery cannot reach, without repeating secrets.
    """
    for one in filter(None, url.split(";")):
        _ensure_reachable(one)
    return {
        "CELERY_BROKER_URL": url or NOWHERE,
        "CELERY_BROKER_TRANSPORT_OPTIONS": _REDIS if url.startswith("redis") else {},
        # Left to itself, the library believes any certificate.
        "CELERY_BROKER_USE_SSL": {"ssl_cert_reqs": CERT_REQUIRED}
        if url.startswith("rediss:") and "ssl_" not in urlsplit(url).query
        else False,
    }


_REDIS = {"socket_connect_timeout": 2, "socket_timeout": 5, "visibility_timeout": 3600}  # seconds


def _ensure_reachable(url: str) -> None:
    parts = urlsplit(url)
    try:
        known = parts.scheme.partition("+")[0] in TRANSPORT_ALIASES and (parts.port or True)
    except ValueError:
        known = False
    if not known:
        told = (
            "CELERY_BROKER_URL is redis://:password@host:6379/0 or amqp://…; write what is special "
            "in a password as %2F for /, %3F for ?, %23 for #, %40 for @."
        )
        raise ImproperlyConfigured(told)
