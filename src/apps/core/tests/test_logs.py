"""Log lines stay one line and carry no capability (ASVS V16.2.5, V16.4.1)."""

from __future__ import annotations

import logging
import runpy
from pathlib import Path

import pytest
from django.conf import settings
from gunicorn.config import Config
from gunicorn.glogging import Logger

from apps.core.logs import SafeLines, clean_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("/media/x?token=abc&size=1", "/media/x?token=***&size=1"),
        ("GET /a?signature=deadbeef HTTP", "GET /a?signature=*** HTTP"),
        ("Not Found: /share/q2-_W9/", "Not Found: /share/***/"),
        (
            '"GET /share/q2-_W9/1/original?download=1 HTTP/1.1" 200',
            '"GET /share/***/1/original?download=1 HTTP/1.1" 200',
        ),
        ("https://x.example/share/q2-_W9", "https://x.example/share/***"),
        ("GET /notifications/picture/q2-_W9", "GET /notifications/picture/***"),
        ("POST /notifications/unsubscribe/q2-_W9/", "POST /notifications/unsubscribe/***/"),
        ("path=/media/s/abc:1tQ.x-_/1/hls/240p.mp4?v=1", "path=/media/s/***/1/hls/240p.mp4?v=1"),
        ("/media/shares/1/ and /api/v1/media/1/share-links/2/",) * 2,
    ],
)
def test_clean_line(text: str, expected: str) -> None:
    assert clean_line(text) == expected


def test_arguments_are_cleaned_too() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "name=%s", ("evil\r\nINFO fake",), None)
    assert SafeLines().filter(record)
    assert record.getMessage() == "name=evil\\r\\nINFO fake"


def test_access_lines_of_gunicorn_name_no_share_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = tmp_path / "access.log"
    config = Config()
    config.set("accesslog", str(lines))
    access = Logger(config).access_log
    monkeypatch.setattr(access, "filters", [])
    runpy.run_path(str(Path(settings.BASE_DIR) / "deploy/gunicorn.py"))["on_starting"](None)
    access.info('%(h)s "%(r)s" %(s)s', {"h": "::1", "r": "GET /share/q2-_W9/ HTTP/1.1", "s": 200})
    for handler in list(access.handlers):
        handler.close()
        access.removeHandler(handler)
    assert '::1 "GET /share/***/ HTTP/1.1" 200' in lines.read_text()
    assert "q2-_W9" not in lines.read_text()
