"""Log lines stay one line and carry no capability (ASVS V16.2.5, V16.4.1)."""

from __future__ import annotations

import logging

import pytest

from apps.core.logs import SafeLines, clean_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("/media/x?token=abc&size=1", "/media/x?token=***&size=1"),
        ("GET /a?signature=deadbeef HTTP", "GET /a?signature=*** HTTP"),
    ],
)
def test_clean_line(text: str, expected: str) -> None:
    assert clean_line(text) == expected


def test_arguments_are_cleaned_too() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "name=%s", ("evil\r\nINFO fake",), None)
    assert SafeLines().filter(record)
    assert record.getMessage() == "name=evil\\r\\nINFO fake"
