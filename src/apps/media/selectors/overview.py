"""How the site as a whole is doing: for operators, who may see all of it.

Nothing here goes through all files: work that waits and what failed lately have indexes, what came
lately is a range of ids, and what is stored is the sum of the accounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Min, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncHour
from django.utils import timezone

from apps.core.ids import first_id
from apps.media.models import Job, MediaFile, Quota, Status, Upload
from apps.media.models.media_file import MediaType
from apps.media.selectors.bars import Plot, Row, stack_bars

DAYS = 14
HOURS = 24
LONGEST = timedelta(days=2)  # that work is looked for
MOST = 10
UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Queue:
    """Work of one kind: what waits, since when the one that has waited longest could begin, and
    what is being done."""

    name: str
    waiting: int
    since: datetime | None
    running: int


@dataclass(frozen=True)
class Slice:
    """So much of something; `width` is percent of the largest, `media_type` what it is all of."""

    name: str
    count: int
    bytes: int
    width: float
    media_type: str = ""


@dataclass(frozen=True)
class Overview:
    """The state of the site.

    `depths` is how many jobs were waiting or running when each of the last `HOURS` hours ended.
    `failures` counts codes of jobs that failed in the last `DAYS` days, `failed` the days; `days`
    and `kinds` are what came in them, `owners` those with the most bytes.
    """

    bytes: int
    files: int
    receiving: int
    quarantined: int
    queues: list[Queue]
    depths: Plot
    failures: list[tuple[str, int]]
    failed: Plot
    days: Plot  # counted in bytes
    kinds: list[Slice]
    owners: list[Slice]

    @property
    def failed_today(self) -> int:
        return self.failed.bars[-1].count


def get_overview() -> Overview:
    """All of it, in a fixed number of queries."""
    queues = _queues()
    stored = Quota.objects.aggregate(bytes=Sum("bytes_used"), files=Sum("files_used"))
    recent = _since(DAYS)
    name = f"owner__{get_user_model().USERNAME_FIELD}"
    owners = Quota.objects.values_list(name, "files_used", "bytes_used")
    return Overview(
        bytes=stored["bytes"] or 0,
        files=stored["files"] or 0,
        receiving=Upload.objects.filter(state=Upload.State.RECEIVING).count(),
        quarantined=MediaFile.objects.filter(status=Status.QUARANTINED).count(),
        queues=queues,
        depths=_depths(now=sum(queue.waiting + queue.running for queue in queues)),
        failures=_failures(),
        failed=_failed(),
        days=_days(recent),
        kinds=_kinds(recent),
        owners=_slices(owners.order_by("-bytes_used")[:MOST]),
    )


def _since(days: int) -> QuerySet[MediaFile]:
    return MediaFile.objects.filter(pk__gte=first_id(_beginning(days))).order_by()


def _beginning(days: int) -> datetime:
    """Midnight before the last so many days, of which today is one."""
    first = timezone.localdate() - timedelta(days=days - 1)
    return timezone.make_aware(datetime.combine(first, datetime.min.time()))


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


def _depths(*, now: int) -> Plot:
    """Of what is unfinished `now`, back hour by hour: less what came since, and more what ended.

    A job that took longer than `LONGEST` is not seen to have waited before.
    """
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=number) for number in range(HOURS)]
    jobs = Job.objects.order_by().filter(pk__gte=first_id(hours[-1] - LONGEST))
    came = _per_hour(jobs, "created_at", since=hours[-1])
    ended = _per_hour(jobs, "finished_at", since=hours[-1])
    rows: list[Row] = []
    for hour in hours:
        rows.append((hour, UNFINISHED, now, now))
        now = max(now - came.get(hour, 0) + ended.get(hour, 0), 0)
    return stack_bars(hours[::-1], rows, kinds=[UNFINISHED])


def _per_hour(jobs: QuerySet[Job], field: str, *, since: datetime) -> dict[datetime, int]:
    hours = jobs.filter(**{f"{field}__gte": since}).values_list(TruncHour(field, tzinfo=UTC))
    return dict(hours.annotate(Count("pk")))


def _failures() -> list[tuple[str, int]]:
    counted = _failed_jobs().values_list("error_code").annotate(count=Count("pk"))
    return list(counted.order_by("-count", "error_code")[:MOST])


def _failed() -> Plot:
    rows = _failed_jobs().values_list(TruncDate("created_at")).annotate(Count("pk"))
    failed: list[Row] = [(day, Job.State.FAILED, count, count) for day, count in rows]
    return stack_bars(_dates(), failed, kinds=[Job.State.FAILED])


def _failed_jobs() -> QuerySet[Job]:
    first = first_id(_beginning(DAYS))
    return Job.objects.filter(pk__gte=first, state=Job.State.FAILED).order_by()


def _days(recent: QuerySet[MediaFile]) -> Plot:
    rows = recent.values_list(TruncDate("created_at"), "media_type")
    return stack_bars(_dates(), rows.annotate(Count("pk"), Sum("size")), kinds=MediaType.values)


def _dates() -> list[date]:
    today = timezone.localdate()
    return [today - timedelta(days=number) for number in reversed(range(DAYS))]


def _kinds(recent: QuerySet[MediaFile]) -> list[Slice]:
    rows = recent.values_list("media_type").annotate(Count("pk"), bytes=Sum("size"))
    slices = _slices(rows.order_by("-bytes"))
    return [
        replace(slice_, name=str(MediaType(slice_.name).plural), media_type=slice_.name)
        for slice_ in slices
    ]


def _slices(rows: Iterable[tuple[Any, ...]]) -> list[Slice]:
    """Of rows of a name, a count and bytes, the largest first."""
    found = list(rows)
    most = found[0][2] if found else 0
    return [Slice(name, count, size, _percent(size, most)) for name, count, size in found]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0
