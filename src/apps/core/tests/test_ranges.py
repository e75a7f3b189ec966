"""Range and If-Range headers as pure functions; the ids are those of the protocol table."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils.http import http_date
from hypothesis import given
from hypothesis import strategies as st

from apps.core.ranges import (
    ByteRange,
    RangeNotSatisfiableError,
    if_range_matches,
    parse_range,
)

N = 1000
HUGE = "9" * 20
MODIFIED = datetime(2026, 5, 4, 3, 2, 1, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        pytest.param("bytes=0-4", 0, 5, id="R-02"),
        pytest.param("bytes=0-0", 0, 1, id="R-03"),
        pytest.param("bytes=2-", 2, 998, id="R-04"),
        pytest.param("bytes=-5", 995, 5, id="R-05"),
        pytest.param("bytes=-1", 999, 1, id="R-06"),
        pytest.param("bytes=0-999", 0, 1000, id="R-07"),
        pytest.param("bytes=5-2000", 5, 995, id="R-08"),
        pytest.param("bytes=-1010", 0, 1000, id="R-09"),
        pytest.param("bytes=999-", 999, 1, id="R-10"),
        pytest.param(f"bytes=0-{HUGE}", 0, 1000, id="R-15"),
        pytest.param(f"bytes=-{HUGE}", 0, 1000, id="suffix beyond any size"),
        pytest.param("BYTES=0-4", 0, 5, id="R-31"),
        pytest.param(" bytes= 0-4 ", 0, 5, id="blanks around"),
        pytest.param("bytes=,0-4,", 0, 5, id="empty list elements"),
        pytest.param("bytes=" + "0" * 3000 + "1-2", 1, 2, id="leading zeros"),
    ],
)
def test_one_satisfiable_range(header: str, start: int, length: int) -> None:
    assert parse_range(header, N) == ByteRange(start, length)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("bytes=1000-", id="R-11"),
        pytest.param("bytes=1000-1010", id="R-12"),
        pytest.param(f"bytes={HUGE}-", id="R-13"),
        pytest.param(f"bytes={HUGE}-{HUGE}", id="both ends beyond"),
        pytest.param("bytes=-0", id="R-14"),
        pytest.param("bytes=1000-1001,2000-", id="R-36"),
        pytest.param("bytes=-0,1000-", id="R-36 with an empty suffix"),
    ],
)
def test_nothing_there(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError):
        parse_range(header, N)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="R-01"),
        pytest.param("", id="empty"),
        *[
            pytest.param(value, id=f"R-2 {value}")
            for value in (
                "bytes=5-4",
                "bytes=",
                "bytes=7",
                "bytes=A-",
                "bytes=A-Z",
                "bytes=--5",
                "bytes=0x01-0x02",
                "bytes=10-11 12-",
                "bytes= , , ,",
                "bytes=1-2-3",
                "bytes=²-",
                "bytes=-",
                "bytes",
                "=0-4",
                "bytes=+1-2",
                "bytes=1_0-20",
                "bytes=0 - 4",
                "bytes=\u0660-\u0664",
                "bytes=0-4\x00",
                "bytes=0-1,x",
                "bytes=5-4,0-1",
            )
        ],
        pytest.param(f"bytes={HUGE}9-{HUGE}", id="huge and backwards"),
        pytest.param("seconds=1-2", id="R-30"),
        pytest.param("bytes =0-4", id="unit with a blank"),
        pytest.param("bytes=0-0,-2", id="R-32"),
        pytest.param("bytes=0-1,5-8", id="R-33"),
        pytest.param("bytes=0-9,-10,1005-,10-19", id="R-34"),
        pytest.param("bytes=0-9,1005-", id="R-35"),
        pytest.param("bytes=" + ",".join(["0-"] * 1300), id="R-40"),
        pytest.param("bytes=" + ",".join(f"{n}-{n}" for n in range(999, -1, -1)), id="R-41"),
        pytest.param("bytes=" + "9" * 7000, id="R-42"),
        pytest.param("bytes=" + "9" * 7000 + "-", id="R-42 with a dash"),
    ],
)
def test_ignored(header: str | None) -> None:
    assert parse_range(header, N) is None


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=0-0", "bytes=7-", "nonsense"])
def test_an_empty_file_has_no_parts(header: str) -> None:
    assert parse_range(header, 0) is None


@pytest.mark.parametrize(
    "header",
    ["bytes=" + "9" * 10**6, "bytes=" + "0-," * 10**6, "bytes=" + " " * 10**6 + "-", "=" * 10**6],
)
def test_a_huge_header_costs_nothing(header: str) -> None:
    start = time.perf_counter()
    parse_range(header, N)
    assert time.perf_counter() - start < 0.1


@given(st.text(alphabet="bytes=0123456789-, \tA²", max_size=40), st.integers(0, 20))
def test_whatever_comes_the_part_exists(header: str, size: int) -> None:
    try:
        part = parse_range(header, size)
    except RangeNotSatisfiableError:
        return
    assert part is None or (part.length > 0 and 0 <= part.start <= size - part.length)


def test_content_range() -> None:
    assert ByteRange(5, 10).content_range(N) == "bytes 5-14/1000"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(None, True, id="none given"),
        pytest.param('"v1"', True, id="C-08"),
        pytest.param(' "v1" ', True, id="blanks around"),
        pytest.param('"other"', False, id="C-09"),
        pytest.param('W/"v1"', False, id="C-10"),
        pytest.param('"other", "v1"', False, id="a list is no If-Range"),
        pytest.param("*", False, id="star"),
        pytest.param("", False, id="empty"),
        pytest.param("garbage", False, id="garbage"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", False, id="C-24"),
        pytest.param(http_date(MODIFIED.timestamp()), True, id="C-25"),
        pytest.param(
            http_date((MODIFIED + timedelta(days=1)).timestamp()), False, id="later is another"
        ),
    ],
)
def test_if_range(header: str | None, expected: bool) -> None:
    assert if_range_matches(header, etag='"v1"', last_modified=MODIFIED) is expected
