"""The outline of a long list: how many files follow each other where, and the ways to them.

A page that shows any part of a list at once, without having read what comes before, needs to know
where the parts are. One walk along an index of the list tells; the rows themselves are not read.
`bench/run library` measures what a person waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import Lag, Lead, RowNumber
from django.utils import timezone

from apps.core.ids import first_id, moment_of
from apps.core.keyset import Ordering, cursor_after
from apps.media.models import MediaFile

YEAR = 12  # months
DAWN = datetime(1970, 1, 2, tzinfo=UTC)  # of the clock of ids; a day later, whatever the zone


@dataclass(frozen=True)
class Stretch:
    """`count` files that follow each other; those of one month, in a list by time.

    `cursor` is the way to them (None: they are the first), `mark` their month as 2024-03, or else
    the value by which the first of them is sorted.
    """

    cursor: str | None
    count: int
    mark: str


def read_outline(
    rows: QuerySet[MediaFile], *, ordering: Ordering, size: int, user_id: Any
) -> list[Stretch]:
    """All of `rows`, files of one user, in stretches of at most `size`.

    They begin at every `size`-th row of the list, so that those of a page of `size` are whole, and
    at every month.
    """
    months = _months_of(user_id) if ordering.field == "pk" else []
    marks = list(_walk(rows, ordering, size, [first_id(month) for month in months]))
    if not marks:
        return []
    total = marks[-1]["place"]
    if not _begins(marks[-1], size):
        marks.pop()  # it came to tell how many there are
    ends = [*(mark["place"] for mark in marks[1:]), total + 1]
    return [
        Stretch(
            cursor=_way_to(mark, ordering),
            count=end - mark["place"],
            mark=f"{months[mark['month']]:%Y-%m}" if months else str(mark["value"]),
        )
        for mark, end in zip(marks, ends, strict=True)
    ]


def month_of(media: MediaFile) -> str:
    """The month that a list by time shows `media` in, as 2024-03."""
    return f"{timezone.localtime(_made_at(media.pk)):%Y-%m}"


def _begins(mark: dict[str, Any], size: int) -> bool:
    return bool(mark["rest"] == 1 % size or mark["month"] != mark["month_before"])


def _way_to(mark: dict[str, Any], ordering: Ordering) -> str | None:
    if mark["before"] is None:
        return None
    return cursor_after(ordering, value=mark.get("value_before"), pk=mark["before"])


def _walk(
    rows: QuerySet[MediaFile], ordering: Ordering, size: int, starts: Sequence[UUID]
) -> Iterable[dict[str, Any]]:
    """The rows that begin a stretch, and the last one of all."""
    order = ordering.columns(reverse=False)

    def along(function: Any) -> Window:
        return Window(function, order_by=order)

    month = _number_of_month(starts, 0, len(starts) - 1)
    values: dict[str, Any] = {}
    if ordering.field != "pk":
        values = {"value": F(ordering.field), "value_before": along(Lag(ordering.field))}
    found = rows.order_by().annotate(
        place=along(RowNumber()),
        rest=along(RowNumber()) % size,
        before=along(Lag("pk")),
        after=along(Lead("pk")),
        month=month,
        month_before=along(Lag(month)),
        **values,
    )
    ends_or_begins = Q(rest=1 % size) | ~Q(month=F("month_before")) | Q(after=None)
    names = ("place", "rest", "before", "month", "month_before", *values)
    marks: Iterable[dict[str, Any]] = found.filter(ends_or_begins).order_by("place").values(*names)
    return marks


def _number_of_month(starts: Sequence[UUID], low: int, high: int) -> Any:
    """Which of the months that begin with the ids `starts` a row is of, found by halves."""
    if low >= high:
        return Value(max(low, 0), output_field=IntegerField())
    middle = (low + high + 1) // 2
    return Case(
        When(pk__lt=starts[middle], then=_number_of_month(starts, low, middle - 1)),
        default=_number_of_month(starts, middle, high),
    )


def _months_of(user_id: Any) -> list[datetime]:
    """The beginnings of all months from the oldest file of the user to the newest."""
    ids = MediaFile.objects.filter(owner_id=user_id, deleted_at=None).values_list("pk", flat=True)
    oldest, newest = ids.order_by("pk").first(), ids.order_by("-pk").first()
    if oldest is None or newest is None:
        return []
    first, last = (timezone.localtime(_made_at(name)) for name in (oldest, newest))
    numbers = range(first.year * YEAR + first.month - 1, last.year * YEAR + last.month)
    zone = timezone.get_current_timezone()
    return [datetime(number // YEAR, number % YEAR + 1, 1, tzinfo=zone) for number in numbers]


def _made_at(name: UUID) -> datetime:
    """Within what can be: a project may have brought ids of its own kind."""
    try:
        return min(max(moment_of(name), DAWN), timezone.now())
    except OverflowError:
        return timezone.now()
