"""Ranges and conditional requests as a table (RFC 9110 §13 to §15): request → allowed answers.

The ids are those of the protocol requirements. `{etag}`, `{modified}` and numbers around the size
`{n}` are filled in by `requests_for`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"
HUGE = "9" * 20
IGNORED = (200, 416, 400)


@dataclass(frozen=True)
class Case:
    """One request. `part` is the first and last byte of a 206 as formulas of the size `n`."""

    id: str
    headers: dict[str, str]
    statuses: tuple[int, ...]
    part: tuple[str, str] | None = None
    method: str = "GET"


def _range(case_id: str, value: str, *statuses: int, part: tuple[str, str] | None = None) -> Case:
    return Case(case_id, {"Range": value}, statuses, part)


MALFORMED = {
    "R-2a": "bytes=5-4",
    "R-2b": "bytes=",
    "R-2c": "bytes=7",
    "R-2d": "bytes=A-",
    "R-2e": "bytes=A-Z",
    "R-2f": "bytes=--5",
    "R-2g": "bytes=0x01-0x02",
    "R-2h": "bytes=10-11 12-",
    "R-2i": "bytes= , , ,",
    "R-2j": "bytes=1-2-3",
    "R-2k": "bytes=\u00b2-",
    "R-2l": "bytes=-",
    "R-2m": "bytes",
    "R-2n": "=0-4",
}

TABLE = [
    Case("R-01", {}, (200,)),
    _range("R-02", "bytes=0-4", 206, part=("0", "4")),
    _range("R-03", "bytes=0-0", 206, part=("0", "0")),
    _range("R-04", "bytes=2-", 206, part=("2", "n-1")),
    _range("R-05", "bytes=-5", 206, part=("n-5", "n-1")),
    _range("R-06", "bytes=-1", 206, part=("n-1", "n-1")),
    _range("R-07", "bytes=0-{n-1}", 206, part=("0", "n-1")),
    _range("R-08", "bytes=5-{n+1000}", 206, part=("5", "n-1")),
    _range("R-09", "bytes=-{n+10}", 206, 200, part=("0", "n-1")),
    _range("R-10", "bytes={n-1}-", 206, part=("n-1", "n-1")),
    _range("R-11", "bytes={n}-", 416),
    _range("R-12", "bytes={n}-{n+10}", 416),
    _range("R-13", f"bytes={HUGE}-", *IGNORED),
    _range("R-14", "bytes=-0", 416, 200),
    _range("R-15", f"bytes=0-{HUGE}", 206, 200, 416, 400, part=("0", "n-1")),
    *(_range(case_id, value, *IGNORED) for case_id, value in MALFORMED.items()),
    _range("R-30", "seconds=1-2", 200),
    _range("R-31", "BYTES=0-4", 206, 200, part=("0", "4")),
    _range("R-32", "bytes=0-0,-2", 200),
    _range("R-33", "bytes=0-1,5-8", 200),
    _range("R-34", "bytes=0-9,-10,{n+5}-,10-19", 200),
    _range("R-35", "bytes=0-4,{n+5}-", 206, 200, part=("0", "4")),
    _range("R-36", "bytes={n}-,{n+5}-", 416),
    _range("R-40", "bytes=" + ",".join(["0-"] * 1300), 200, 416, 400, 431),
    _range("R-41", "bytes=" + ",".join(f"{i}-{i}" for i in range(999, -1, -1)), 200, 416, 400, 431),
    _range("R-42", "bytes=" + "7" * 7000, 200, 416, 400, 431),
    Case("R-50", {}, (200,), method="HEAD"),
    Case("R-51", {"Range": "bytes=0-4"}, (200,), method="HEAD"),
    Case("C-01", {"If-None-Match": "{etag}"}, (304,)),
    Case("C-02", {"If-None-Match": "W/{etag}"}, (304,)),
    Case("C-03", {"If-None-Match": '"a", {etag}'}, (304,)),
    Case("C-04", {"If-None-Match": "*"}, (304,)),
    Case("C-05", {"If-None-Match": '"other"'}, (200,)),
    Case("C-06", {"If-None-Match": '"other"', "If-Modified-Since": "{modified}"}, (200,)),
    Case("C-07", {"If-Match": '"other"'}, (412,)),
    Case("C-08", {"If-Range": "{etag}", "Range": "bytes=0-4"}, (206,), ("0", "4")),
    Case("C-09", {"If-Range": '"other"', "Range": "bytes=0-4"}, (200,)),
    Case("C-10", {"If-Range": "W/{etag}", "Range": "bytes=0-4"}, (200,)),
    Case("C-11", {"If-Range": '"other"', "Range": "bytes={n}-"}, (200,)),
    Case("C-12", {"If-None-Match": "{etag}", "Range": "bytes=0-4"}, (304,)),
    Case("C-20", {"If-Modified-Since": "{modified}"}, (304,)),
    Case("C-21", {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, (200,)),
    Case("C-22", {"If-Modified-Since": "garbage"}, (200,)),
    Case("C-23", {"If-Unmodified-Since": EPOCH}, (412,)),
    Case("C-24", {"If-Range": EPOCH, "Range": "bytes=0-4"}, (200,)),
    Case("C-25", {"If-Range": "{modified}", "Range": "bytes=0-4"}, (206, 200), ("0", "4")),
]


def fill(case: Case, *, etag: str, modified: str, n: int) -> dict[str, str]:
    """The headers of a case for one representation."""
    values = {"{etag}": etag, "{modified}": modified, "{n}": str(n)}
    values |= {f"{{n{step:+d}}}": str(n + step) for step in (-1, 5, 10, 1000)}
    return {name: _replaced(value, values) for name, value in case.headers.items()}


def _replaced(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def bounds(part: tuple[str, str], n: int) -> tuple[int, int]:
    """First and last byte of the part for a size of `n`."""
    numbers = {"n": n, "n-1": n - 1, "n-5": n - 5}
    first, last = (numbers[text] if text in numbers else int(text) for text in part)
    return first, last


def ids(cases: list[Case]) -> Iterator[str]:
    return (case.id for case in cases)
