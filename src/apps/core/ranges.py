"""Byte ranges and `If-Range` of RFC 9110 (§13.1.5, §14), as pure functions over header values.

They know sizes, never contents. Nothing here opens, seeks or answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.http import parse_http_date_safe

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _

# One honest range needs 50 characters. A longer header is ignored (RFC 9110 §14.2 allows it), so
# that neither thousands of ranges nor thousands of digits cost anything.
_LONGEST_HEADER = 4096
# More digits than any size has: such a position lies past every end. Also keeps int() far below
# the limit at which Python refuses a string of digits.
_LONGEST_NUMBER = 18
_BEYOND = 10**_LONGEST_NUMBER
# [0-9], not \d: other scripts' digits are no digits of HTTP.
_SPEC = re.compile(r"([0-9]*)-([0-9]*)")


class RangeNotSatisfiableError(AppError):
    """No requested byte exists. The answer names the size in `Content-Range: bytes */size`."""

    code = "range_not_satisfiable"
    status = 416
    message = _("The requested part lies outside of the file.")


@dataclass(frozen=True)
class ByteRange:
    """`length` bytes from offset `start`; never empty, never past the end."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        """The value of `Content-Range` for a representation of `size` bytes."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The part that a `Range` header asks of `size` bytes; None means the whole.

    None also for what a server must or may ignore: an unknown unit, a malformed value, a header
    over 4096 characters, an empty representation (nothing can be part of it, and clients that ask
    blindly get their zero bytes), and several ranges of which any is satisfiable.
    Raises RangeNotSatisfiableError if all ranges lie outside (§14.1.2, §15.5.17).
    """
    specs = _read_specs(header) if header and size > 0 else None
    if specs is None:
        return None
    found = [part for first, last in specs if (part := _resolve(first, last, size)) is not None]
    if not found:
        raise RangeNotSatisfiableError(size)
    return found[0] if len(specs) == 1 else None


def if_range_matches(header: str | None, *, etag: str, last_modified: datetime) -> bool:
    """Whether `Range` may be honoured: no `If-Range`, or one that names this very version.

    `etag` is quoted and strong. Weak tags never match; a date matches only exactly (§13.1.5).
    """
    if header is None:
        return True
    value = header.strip()
    if value.startswith(('"', "W/")):
        return value == etag
    return parse_http_date_safe(value) == int(last_modified.timestamp())


def _read_specs(header: str) -> list[tuple[int | None, int | None]] | None:
    """(first, last) of each range, where None is "not given"; None if the header is no such."""
    if len(header) > _LONGEST_HEADER:
        return None
    unit, _, text = header.strip().partition("=")
    if unit.lower() != "bytes":
        return None
    specs = [_read_spec(part) for part in (raw.strip(" \t") for raw in text.split(",")) if part]
    valid = [spec for spec in specs if spec is not None]
    return valid if valid and len(valid) == len(specs) else None


def _read_spec(text: str) -> tuple[int | None, int | None] | None:
    match = _SPEC.fullmatch(text)
    if match is None:
        return None
    first, last = (_number(digits) for digits in match.groups())
    if first is None and last is None:
        return None
    if first is not None and last is not None and _before(match[2], match[1]):
        return None
    return first, last


def _before(left: str, right: str) -> bool:
    """Compare two digit strings of any length as numbers."""
    left, right = left.lstrip("0"), right.lstrip("0")
    return (len(left), left) < (len(right), right)


def _number(digits: str) -> int | None:
    if not digits:
        return None
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) <= _LONGEST_NUMBER else _BEYOND


def _resolve(first: int | None, last: int | None, size: int) -> ByteRange | None:
    """The existing part of one range, None if there is none."""
    if first is None:
        length = min(last or 0, size)
        return ByteRange(size - length, length) if length else None
    if first >= size:
        return None
    stop = size if last is None else min(last + 1, size)
    return ByteRange(first, stop - first)
