"""How the site as a whole is doing: for operators, who may see all of it.

Nothing here goes through all files: work that waits and what failed lately have indexes, what came
lately is a range of ids, and what is stored is the sum of the accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.core.ids import first_id
from apps.media.models import Job, MediaFile, Quota, Status, Upload
from apps.media.models.media_file import MediaType

DAYS = 14
MOST = 10


@dataclass(frozen=True)
class Queue:
    """Work of one kind: what waits, since when the one that has waited longest could begin, and
    what is being done."""

    name: str
    waiting: int
    since: datetime | None
    running: int


@dataclass(frozen=True)
class Day:
    """What came on one day; `height` is percent of the day with the most bytes."""

    date: date
    files: int
    bytes: int
    height: float


@dataclass(frozen=True)
class Slice:
    """So much of something; `width` is percent of the largest."""

    name: str
    count: int
    bytes: int
    width: float


@dataclass(frozen=True)
class Overview:
    """The state of the site. `failures` counts codes of jobs that failed in the last `DAYS` days,
    `kinds` what came in them by media type, `owners` those with the most bytes."""

    bytes: int
    files: int
    receiving: int
    quarantined: int
    queues: list[Queue]
    failures: list[tuple[str, int]]
    days: list[Day]
    kinds: list[Slice]
    owners: list[Slice]


def get_overview() -> Overview:
    """All of it, in a fixed number of queries."""
    stored = Quota.objects.aggregate(bytes=Sum("bytes_used"), files=Sum("files_used"))
    recent = _since(DAYS)
    kinds = recent.values_list("media_type")
    owners = Quota.objects.values_list("owner__username", "files_used", "bytes_used")
    return Overview(
        bytes=stored["bytes"] or 0,
        files=stored["files"] or 0,
        receiving=Upload.objects.filter(state=Upload.State.RECEIVING).count(),
        quarantined=MediaFile.objects.filter(status=Status.QUARANTINED).count(),
        queues=_queues(),
        failures=_failures(),
        days=_days(recent),
        kinds=_slices(_named(kinds.annotate(Count("pk"), bytes=Sum("size")).order_by("-bytes"))),
        owners=_slices(owners.order_by("-bytes_used")[:MOST]),
    )


def _since(days: int) -> QuerySet[MediaFile]:
    first = timezone.localdate() - timedelta(days=days - 1)
    start = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    return MediaFile.objects.filter(pk__gte=first_id(start)).order_by()


def _queues() -> list[Queue]:
    jobs = Job.objects.order_by().values_list("queue")
    waiting = {
        name: (count, since)
        for name, count, since in jobs.filter(state=Job.State.QUEUED).annotate(
            Count("pk"), Min("due_at")
        )
    }
    running = dict(jobs.filter(state=Job.State.RUNNING).annotate(Count("pk")))
    names = sorted({Job.FAST, Job.SLOW, *waiting, *running})
    return [
        Queue(name, *waiting.get(name, (0, None)), running=running.get(name, 0)) for name in names
    ]


def _failures() -> list[tuple[str, int]]:
    jobs = Job.objects.filter(
        pk__gte=first_id(timezone.now() - timedelta(days=DAYS)), state=Job.State.FAILED
    )
    counted = jobs.order_by().values_list("error_code").annotate(count=Count("pk"))
    return list(counted.order_by("-count", "error_code")[:MOST])


def _days(recent: QuerySet[MediaFile]) -> list[Day]:
    rows = recent.values_list(TruncDate("created_at")).annotate(Count("pk"), Sum("size"))
    found = {day: (files, size) for day, files, size in rows}
    most = max((size for _, size in found.values()), default=0)
    today = timezone.localdate()
    dates = [today - timedelta(days=number) for number in reversed(range(DAYS))]
    return [
        Day(day, files, size, _percent(size, most))
        for day in dates
        for files, size in [found.get(day, (0, 0))]
    ]


def _named(rows: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Media types as people call them."""
    return ((str(MediaType(kind).label), count, size) for kind, count, size in rows)


def _slices(rows: Iterable[tuple[Any, ...]]) -> list[Slice]:
    """Of rows of a name, a count and bytes, the largest first."""
    found = list(rows)
    most = found[0][2] if found else 0
    return [Slice(name, count, size, _percent(size, most)) for name, count, size in found]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0
