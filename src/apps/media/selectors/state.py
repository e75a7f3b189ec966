"""What the database knows of the site at this moment, as figures for Prometheus.

Asked at every scrape: each question has an index, or goes along the accounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from apps.media.conf import options
from apps.media.models import Job, Quota, Tombstone, Upload, WebhookDelivery

NEARLY_FULL = 0.9
QUEUES = (Job.FAST, Job.SLOW)


def collect_state() -> Iterable[Metric]:
    """Every figure, in a fixed number of queries."""
    yield from _jobs()
    yield from _transfers()
    yield from _accounts()
    yield from _leftovers()


def _gauge(name: str, told: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(name, told)
    gauge.add_metric([], value)
    return gauge


def _jobs() -> Iterable[Metric]:
    counts = GaugeMetricFamily(
        "media_app_jobs", "Jobs by queue and state", labels=["queue", "state"]
    )
    waits = GaugeMetricFamily(
        "media_app_job_wait_seconds",
        "How long the job has waited that could have begun first",
        labels=["queue"],
    )
    rows = Job.objects.order_by().values_list("queue")
    queued = rows.filter(state=Job.State.QUEUED).annotate(Count("pk"), Min("due_at"))
    waiting = {queue: (count, since) for queue, count, since in queued}
    running = dict(rows.filter(state=Job.State.RUNNING).annotate(Count("pk")))
    for queue in sorted({*QUEUES, *waiting, *running}):
        count, since = waiting.get(queue, (0, None))
        counts.add_metric([queue, "queued"], count)
        counts.add_metric([queue, "running"], running.get(queue, 0))
        waits.add_metric([queue], _age(since))
    return counts, waits


def _transfers() -> Iterable[Metric]:
    receiving = Upload.objects.filter(state=Upload.State.RECEIVING).count()
    imports = Upload.objects.filter(due_at__isnull=False).count()
    deliveries = WebhookDelivery.objects.filter(state="queued").count()
    return (
        _gauge("media_app_uploads_receiving", "Uploads that are not complete", receiving),
        _gauge("media_app_imports_waiting", "Imports by address that are not done", imports),
        _gauge("media_app_deliveries_waiting", "Messages to webhooks not yet sent", deliveries),
    )


def _accounts() -> Iterable[Metric]:
    limit = Coalesce(F("bytes_limit"), options().quota_bytes)
    found = Quota.objects.aggregate(
        bytes=Sum("bytes_used"),
        reserved=Sum("bytes_reserved"),
        files=Sum("files_used"),
        full=Count("pk", filter=Q(bytes_used__gte=limit * NEARLY_FULL)),
    )
    return (
        _gauge("media_app_stored_bytes", "Bytes of originals in all accounts", found["bytes"] or 0),
        _gauge("media_app_reserved_bytes", "Bytes set aside for uploads", found["reserved"] or 0),
        _gauge("media_app_files", "Files in all accounts", found["files"] or 0),
        _gauge("media_app_accounts_nearly_full", "Accounts at 90 % or more", found["full"]),
    )


def _leftovers() -> Iterable[Metric]:
    found = Tombstone.objects.aggregate(count=Count("pk"), since=Min("due_at"))
    return (
        _gauge("media_app_tombstones", "Objects that are to be removed", found["count"]),
        _gauge(
            "media_app_tombstone_wait_seconds",
            "How long the object is due that could have gone first",
            _age(found["since"]),
        ),
    )


def _age(since: datetime | None) -> float:
    return max((timezone.now() - since).total_seconds(), 0) if since else 0
