"""`/healthz`: this process answers. `/readyz`: everything a visitor's file needs is there."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping

from celery import current_app
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from apps.core.methods import read_only
from apps.core.storage import object_store

logger = logging.getLogger(__name__)

BROKER_SECONDS = 1


@never_cache
@read_only
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@read_only
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part answers, else 503; the body names each part as `ok` or `away`."""
    parts = {name: _state(name, check) for name, check in CHECKS.items()}
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse(
        {"status": "ok" if ready else "away", "parts": parts}, status=200 if ready else 503
    )


def _state(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # a probe reports any failure; it must not become one
        logger.warning("readiness: %s is away: %r", name, error)
        return "away"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _storage() -> None:
    object_store().exists(f"probe/{secrets.token_hex(8)}")


def _broker() -> None:
    with current_app.connection_for_write() as link:
        link.ensure_connection(max_retries=0, timeout=BROKER_SECONDS)


def _worker() -> None:
    """A worker for each queue of `HEALTH_QUEUES`; any worker where the setting is absent."""
    answers = current_app.control.inspect(timeout=BROKER_SECONDS).active_queues() or {}
    if not answers:
        raise RuntimeError("no worker answers")
    served = {queue["name"] for queues in answers.values() for queue in queues}
    if unserved := set(getattr(settings, "HEALTH_QUEUES", ())) - served:
        raise RuntimeError(f"no worker serves {', '.join(sorted(unserved))}")


CHECKS: Mapping[str, Callable[[], None]] = {
    "database": _database,
    "storage": _storage,
    "broker": _broker,
    "worker": _worker,
}
