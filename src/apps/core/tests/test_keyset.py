"""Keyset pages: complete, in order, in both directions, whatever is inserted meanwhile."""

from __future__ import annotations

import base64
import json
from functools import reduce
from operator import or_
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from apps.core.keyset import (
    CursorError,
    Ordering,
    cursor_after,
    read_neighbours,
    read_page,
    rows_between,
)

ORDERINGS = ["-pk", "pk", "first_name", "-first_name"]


@pytest.fixture
def rows(db: None) -> list[Any]:
    # Many ties: pages must not lose or repeat rows of equal sort value.
    people = get_user_model()
    made = [people(username=f"u{number}", first_name=f"n{number % 3}") for number in range(23)]
    return people.objects.bulk_create(made)


def _all() -> Any:
    return get_user_model().objects.all()


@pytest.mark.parametrize("text", ORDERINGS)
@pytest.mark.parametrize("size", [1, 5, 22, 23, 24])
def test_forward_gives_every_row_once_in_order(rows: Any, text: str, size: int) -> None:
    ordering = Ordering.parse(text)
    seen, cursor = [], None
    while True:
        page = read_page(_all(), ordering=ordering, size=size, cursor=cursor)
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(_all().order_by(*ordering.columns(reverse=False)))


@pytest.mark.parametrize("text", ORDERINGS)
def test_neighbours_are_those_beside_it_in_the_list(rows: Any, text: str) -> None:
    ordering = Ordering.parse(text)
    every = list(_all().order_by(*ordering.columns(reverse=False)))
    for before, row, after in zip([None, *every], every, [*every[1:], None], strict=False):
        assert read_neighbours(_all(), ordering=ordering, row=row) == (before, after)
    gone = every[7]  # what has left the list still has its place in it
    rest = _all().exclude(pk=gone.pk)
    assert read_neighbours(rest, ordering=ordering, row=gone) == (every[6], every[8])


@pytest.mark.parametrize("text", ORDERINGS)
def test_rows_between_two_are_those_of_the_list(rows: Any, text: str) -> None:
    ordering = Ordering.parse(text)
    every = list(_all().order_by(*ordering.columns(reverse=False)))
    for first, last in [(0, 22), (3, 3), (4, 17), (6, 7)]:
        for ends in ((every[first].pk, every[last].pk), (every[last].pk, every[first].pk)):
            found = rows_between(_all(), ordering=ordering, ends=ends)
            assert set(found) == set(every[first : last + 1])
    gone = _all().exclude(pk=every[5].pk)
    for ends in ((every[5].pk, every[9].pk), ()):
        assert not rows_between(gone, ordering=ordering, ends=ends)


@pytest.mark.parametrize("text", ORDERINGS)
@pytest.mark.parametrize("size", [1, 4, 30])
def test_rows_of_either_condition_come_once_in_order(rows: Any, text: str, size: int) -> None:
    ordering = Ordering.parse(text)
    either = [Q(first_name="n1"), Q(username__endswith="3"), Q(username="u1"), Q(pk__in=())]
    pages, cursor = [], None
    while not pages or cursor:
        page = read_page(_all(), ordering=ordering, size=size, cursor=cursor, either=either)
        pages.append(page)
        cursor = page.next
    wanted = _all().filter(reduce(or_, either)).order_by(*ordering.columns(reverse=False))
    assert [row for page in pages for row in page.items] == list(wanted)
    if len(pages) > 1:
        back = pages[-1].previous
        again = read_page(_all(), ordering=ordering, size=size, cursor=back, either=either)
        assert again.items == pages[-2].items


def test_without_a_condition_to_fulfil_there_is_nothing(rows: Any) -> None:
    assert read_page(_all(), ordering=Ordering.parse("pk"), size=5, either=[]).items == []


@pytest.mark.parametrize("text", ORDERINGS)
def test_backward_returns_to_the_first_page(rows: Any, text: str) -> None:
    ordering = Ordering.parse(text)
    first = read_page(_all(), ordering=ordering, size=5)
    second = read_page(_all(), ordering=ordering, size=5, cursor=first.next)
    back = read_page(_all(), ordering=ordering, size=5, cursor=second.previous)
    assert back.items == first.items
    assert first.previous is None
    assert back.previous is None
    assert back.next is not None


def test_a_row_inserted_meanwhile_moves_nothing(rows: Any) -> None:
    ordering = Ordering.parse("-pk")
    first = read_page(_all(), ordering=ordering, size=5)
    get_user_model().objects.create(username="late")
    second = read_page(_all(), ordering=ordering, size=5, cursor=first.next)
    assert second.items == list(reversed(rows))[5:10]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor",
    [
        "%%%",
        "aGVsbG8",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(json.dumps(["pk", True, False, None, "x"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["pk", True, False, 1, 2]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["pk", True, 1, None, "x"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["pk", True, False, {}, "x"]).encode()).decode(),
    ],
)
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        read_page(_all(), ordering=Ordering.parse("-pk"), size=5, cursor=cursor)


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
@pytest.mark.parametrize("either", [None, [Q(first_name="n1"), Q(username="u1")]])
def test_a_time_that_is_none_in_utc_breaks_nothing(time: str, either: Any) -> None:
    ordering = Ordering.parse("date_joined")
    cursor = cursor_after(ordering, value=time, pk=1)
    try:
        page = read_page(_all(), ordering=ordering, size=5, cursor=cursor, either=either)
    except CursorError:
        return
    assert page.items == []  # some databases know it


@given(st.text(max_size=60))
def test_no_text_breaks_the_decoder(text: str) -> None:
    from apps.core.keyset import _decode

    with pytest.raises(CursorError):
        _decode(text + "!", Ordering.parse("-pk"))
