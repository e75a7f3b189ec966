"""What the app's own work counts, for Prometheus (see `apps.core.metrics`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from apps.core.metrics import COUNTED
from apps.media.exceptions import RejectedError

JOB_BUCKETS = (0.1, 0.5, 2, 10, 60, 300, 1800)

UPLOADS = Counter(
    "media_app_uploads",
    "Uploads that became files or versions, by way in",
    ["source"],
    registry=COUNTED,
)
UPLOADED_BYTES = Counter("media_app_uploaded_bytes", "Their bytes", ["source"], registry=COUNTED)
REJECTIONS = Counter(
    "media_app_rejections",
    "Uploads whose bytes were refused, by the error's code",
    ["code"],
    registry=COUNTED,
)
JOB_SECONDS = Histogram(
    "media_app_job_seconds",
    "Time of one attempt at a job, by kind and by how it ended",
    ["kind", "outcome"],
    registry=COUNTED,
    buckets=JOB_BUCKETS,
)
JOB_FAILURES = Counter(
    "media_app_job_failures",
    "Jobs that failed for good, by the error's code",
    ["kind", "code"],
    registry=COUNTED,
)


@contextmanager
def counting_rejections() -> Iterator[None]:
    """Counts the `RejectedError` that passes, by its code."""
    try:
        yield
    except RejectedError as error:
        REJECTIONS.labels(error.code).inc()
        raise
