"""The outline of a list: its stretches are whole pages of it, and no page spans two months."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from apps.core.ids import first_id, moment_of
from apps.core.keyset import Ordering, read_page
from apps.media import selectors
from apps.media.models import MediaFile

pytestmark = pytest.mark.django_db
Shelf = Callable[..., list[MediaFile]]


@pytest.fixture
def shelf(owner: Any) -> Shelf:
    """Files of the owner that came at these moments, all of different sizes."""

    def make(*moments: datetime) -> list[MediaFile]:
        rows = [
            MediaFile(
                id=UUID(int=first_id(moment).int + number),
                owner=owner,
                original_name=f"{number:03}.jpg",
                media_type="image",
                mime_type="image/jpeg",
                size=number,
                status="ready",
            )
            for number, moment in enumerate(moments)
        ]
        return MediaFile.objects.bulk_create(rows)

    return make


def _outline(owner: Any, ordering: str = "-pk", size: int = 4) -> list[selectors.Stretch]:
    rows = selectors.list_media_by_user(user_id=owner.pk)
    parsed = Ordering.parse(ordering)
    return selectors.read_outline(rows, ordering=parsed, size=size, user_id=owner.pk)


def _day(month: int, day: int = 2, year: int = 2024) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_stretches_begin_with_pages_and_with_months(owner: Any, shelf: Shelf) -> None:
    shelf(*[_day(1)] * 3, *[_day(3)] * 6)
    found = [(one.count, one.mark) for one in _outline(owner)]
    assert found == [(4, "2024-03"), (2, "2024-03"), (2, "2024-01"), (1, "2024-01")]


@pytest.mark.parametrize("ordering", ["-pk", "pk", "-size", "size", "original_name"])
def test_the_ways_lead_to_every_file_once(owner: Any, shelf: Shelf, ordering: str) -> None:
    shelf(*(_day(1 + number % 7, 1 + number) for number in range(11)))
    rows = selectors.list_media_by_user(user_id=owner.pk)
    parsed = Ordering.parse(ordering)
    seen = []
    for stretch in _outline(owner, ordering):
        page = read_page(rows, ordering=parsed, size=stretch.count, cursor=stretch.cursor)
        assert len(page.items) == stretch.count
        if parsed.field == "pk":
            assert {selectors.month_of(media) for media in page.items} == {stretch.mark}
        seen += page.items
    assert seen == list(rows.order_by(*parsed.columns(reverse=False)))


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 9])
def test_every_length_is_told_whole(owner: Any, shelf: Shelf, count: int) -> None:
    shelf(*[_day(5)] * count)
    assert sum(stretch.count for stretch in _outline(owner)) == count
    assert sum(stretch.count for stretch in _outline(owner, "size")) == count


def test_nothing_has_no_outline(owner: Any) -> None:
    assert _outline(owner) == []


def test_the_marks_of_other_orders_are_their_values(owner: Any, shelf: Shelf) -> None:
    shelf(*[_day(1)] * 6)
    assert [one.mark for one in _outline(owner, "-size")] == ["5", "1"]


def test_an_outline_costs_three_queries(
    owner: Any, shelf: Shelf, django_assert_num_queries: Any
) -> None:
    shelf(*(_day(1 + number % 12, year=2000 + number) for number in range(25)))
    with django_assert_num_queries(3):
        assert len(_outline(owner)) > 20


def test_ids_of_another_kind_do_no_harm(owner: Any, shelf: Shelf) -> None:
    (strange,) = shelf(_day(1))
    MediaFile.objects.filter(pk=strange.pk).update(id=UUID(int=2**128 - 1))
    assert [one.count for one in _outline(owner)] == [1]


def test_the_moment_of_an_id() -> None:
    moment = datetime(2024, 2, 29, 23, 59, 59, 999000, tzinfo=UTC)
    assert moment_of(first_id(moment)) == moment
