"""Figures for Prometheus: what this machine's processes have counted, and what the database knows.

`/metrics` is not there (404) until the operator sets a token or opens it. Processes of one machine
count into one directory, where there is one (`METRICS_DIR`; the library asks
`PROMETHEUS_MULTIPROC_DIR` when it is imported); else each answers for itself. Labels have few
values, all of them ours: never a name, an address or an id.
"""

from __future__ import annotations

import functools
import hmac
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.core.errors import AppError
from apps.core.methods import read_only

logger = logging.getLogger(__name__)

COUNTED = CollectorRegistry()
REQUEST_BUCKETS = (0.025, 0.1, 0.5, 1, 5, 30, 300)
STORAGE_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1, 5, 30)

REQUEST_SECONDS = Histogram(
    "media_app_request_seconds",
    "Time until an answer began, by the name of the address",
    ["view"],
    registry=COUNTED,
    buckets=REQUEST_BUCKETS,
)
REQUESTS = Counter(
    "media_app_requests", "Answers, by method and status", ["method", "status"], registry=COUNTED
)
REFUSALS = Counter(
    "media_app_refusals",
    "Requests that were refused, by the error's code",
    ["code"],
    registry=COUNTED,
)
STORAGE_SECONDS = Histogram(
    "media_app_storage_seconds",
    "Time of one operation on a storage; of reading, until the first bytes",
    ["store", "operation"],
    registry=COUNTED,
    buckets=STORAGE_BUCKETS,
)
STORAGE_FAILURES = Counter(
    "media_app_storage_failures",
    "Operations on a storage that failed, by the error's code",
    ["store", "operation", "code"],
    registry=COUNTED,
)
OPERATIONS = (
    "open_object read_range size_of exists promote put_file fetch remove seal discard "
    "begin_parts list_parts complete_parts close checkpoint take_file append_object"
).split()

State = Callable[[], Iterable[Metric]]
Class = TypeVar("Class", bound=type)
_states: list[State] = []


def add_state(state: State) -> None:
    """Have `state` asked at each scrape for what the database knows."""
    if state not in _states:
        _states.append(state)


def render_metrics() -> bytes:
    """Everything, in Prometheus' text format."""
    return generate_latest(counted()) + generate_latest(_known())


def counted() -> CollectorRegistry:
    """What the processes of this machine have counted, or this one alone."""
    directory = getattr(settings, "METRICS_DIR", "")
    if not directory:
        return COUNTED
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]
    return registry


def _known() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_States())
    return registry


class _States(Collector):
    def describe(self) -> Iterable[Metric]:
        return []  # asked when they are registered, and not before

    def collect(self) -> Iterator[Metric]:
        """With the database away, what was counted is told all the same."""
        found: list[Metric] = []
        try:
            for state in _states:
                found.extend(state())
        except DatabaseError as error:
            logger.warning("metrics: the database does not answer: %s", error)
            found = []
        up = GaugeMetricFamily("media_app_database_up", "Whether the database answered")
        up.add_metric([], float(bool(found)))
        yield from (*found, up)


def _may_see(request: HttpRequest) -> bool:
    wanted = getattr(settings, "METRICS_TOKEN", "")
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not wanted:
        return bool(getattr(settings, "METRICS_OPEN", False))
    return hmac.compare_digest(given.encode(), wanted.encode())


@never_cache
@read_only
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever brings the token as `Authorization: Bearer …`; others learn nothing of it."""
    if not _may_see(request):
        raise Http404
    return HttpResponse(render_metrics(), content_type=CONTENT_TYPE_LATEST)


def measured(store: str) -> Callable[[Class], Class]:
    """A class whose `OPERATIONS` are timed, and their failures counted, under the name `store`."""

    def dress(found: Class) -> Class:
        for operation in OPERATIONS:
            if method := getattr(found, operation, None):
                setattr(found, operation, _timed(method, store, operation))
        return found

    return dress


def _timed(method: Callable[..., Any], store: str, operation: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with _timing(store, operation):
            return method(*args, **kwargs)

    return timed


@contextmanager
def _timing(store: str, operation: str) -> Iterator[None]:
    begun = time.perf_counter()
    try:
        yield
    except AppError as error:
        STORAGE_FAILURES.labels(store, operation, error.code).inc()
        raise
    finally:
        STORAGE_SECONDS.labels(store, operation).observe(time.perf_counter() - begun)
