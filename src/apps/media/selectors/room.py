"""What takes the room of an owner, and what would give some of it back.

Bytes are those the owner's account is charged with: every version counts, renditions do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from django.db.models import Count, DateField, Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from apps.core.ids import first_id
from apps.media.models import Grant, MediaFile, MediaVersion, ShareLink, Visibility
from apps.media.models.media_file import MediaType
from apps.media.policies import Visitor
from apps.media.selectors.bars import Plot, stack_bars
from apps.media.selectors.lookalikes import count_look_groups
from apps.media.selectors.media import with_details
from apps.media.selectors.uploads import StorageUsage, get_storage_usage
from apps.media.selectors.uses import is_used

MONTHS = 12
LARGEST = 10
LEAST = 0.6  # of a bar of 100: what is less would not be seen
LARGE = 20 * 1024**2  # bytes
LONG_THERE = timedelta(days=180)


@dataclass(frozen=True)
class Part:
    """The files of one media type; `start` and `width` place it on a bar of 100, so that it is
    seen."""

    media_type: str
    files: int
    bytes: int
    start: float
    width: float

    @property
    def label(self) -> str:
        return str(MediaType(self.media_type).plural)


@dataclass(frozen=True)
class Amount:
    """So many things of so many bytes together."""

    count: int
    bytes: int


@dataclass(frozen=True)
class RoomReport:
    """The account of an owner, taken apart. `copies` are files with the bytes of an older one."""

    usage: StorageUsage
    parts: list[Part]
    months: Plot  # counted in bytes
    largest: list[MediaFile]
    trash: Amount
    old_versions: Amount
    copies: Amount
    alike: int  # groups of pictures that look the same
    unused: Amount

    @property
    def has_suggestions(self) -> bool:
        amounts = (self.trash, self.old_versions, self.copies, self.unused)
        return self.alike > 0 or any(amount.count for amount in amounts)


def get_room_report(*, user: Visitor) -> RoomReport:
    """All of it, in a fixed number of queries that go through the owner's files once each."""
    usage = get_storage_usage(user=user)
    versions = MediaVersion.objects.filter(media__owner=user.pk)
    living = MediaFile.objects.filter(owner=user.pk, deleted_at=None)
    trashed = versions.exclude(media__deleted_at=None)
    old = versions.filter(media__deleted_at=None).exclude(number=F("media__version"))
    return RoomReport(
        usage=usage,
        parts=_parts(versions, most=max(usage.quota, usage.used)),
        months=_months(versions),
        largest=list(with_details(living.order_by("-size", "-pk"))[:LARGEST]),
        trash=_amount(trashed, "media"),
        old_versions=_amount(old, "pk"),
        copies=_amount(list_copies(user=user), "pk"),
        alike=count_look_groups(user=user),
        unused=_amount(list_large_unused(user=user), "pk"),
    )


def list_copies(*, user: Visitor) -> QuerySet[MediaFile]:
    """Files of `user` with the same bytes as an older one that is there, too."""
    own = MediaFile.objects.filter(owner=user.pk, deleted_at=None)
    return (
        own.filter(duplicate_of__deleted_at=None)
        .exclude(duplicate_of=None)
        .select_related("duplicate_of")
    )


def list_large_unused(*, user: Visitor) -> QuerySet[MediaFile]:
    """Large files of `user` that have been there for half a year, in no collection, used by nothing
    and opened to nobody."""
    old = MediaFile.objects.filter(
        pk__lt=first_id(timezone.now() - LONG_THERE),
        owner=user.pk,
        deleted_at=None,
        size__gte=LARGE,
        visibility=Visibility.PRIVATE,
    )
    shared = ShareLink.objects.filter(media=OuterRef("pk"))
    granted = Grant.objects.filter(media=OuterRef("pk"))
    return old.filter(~Exists(shared), ~Exists(granted), ~is_used())


def _amount(rows: QuerySet[MediaFile] | QuerySet[MediaVersion], counted: str) -> Amount:
    found = rows.aggregate(count=Count(counted, distinct=True), bytes=Sum("size"))
    return Amount(found["count"], found["bytes"] or 0)


def _parts(versions: QuerySet[MediaVersion], *, most: int) -> list[Part]:
    """The media types, the one with the most bytes first."""
    kinds = versions.values_list("media__media_type").order_by()
    rows = kinds.annotate(Count("media", distinct=True), bytes=Sum("size")).order_by("-bytes")
    found = list(rows)
    widths = [max(100 * size / most, LEAST) if most else 0 for _, _, size in found]
    starts = [0, *accumulate(widths)]
    return [
        Part(kind, files, size, start, width)
        for (kind, files, size), start, width in zip(found, starts, widths, strict=False)
    ]


def _months(versions: QuerySet[MediaVersion]) -> Plot:
    """The last `MONTHS` months, the oldest first."""
    firsts = _first_days(timezone.localdate())
    recent = versions.filter(created_at__date__gte=firsts[0]).order_by()
    months = recent.annotate(month=TruncMonth("created_at", output_field=DateField()))
    rows = months.values_list("month", "media__media_type").annotate(Count("pk"), Sum("size"))
    return stack_bars(firsts, rows, kinds=MediaType.values)


def _first_days(today: date) -> list[date]:
    count = today.year * 12 + today.month - 1
    return [
        date(number // 12, number % 12 + 1, 1) for number in range(count - MONTHS + 1, count + 1)
    ]
