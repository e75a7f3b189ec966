"""Keeps log lines single and clean, whatever a visitor put into a name or an address."""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SECRET = re.compile(r"(?i)([?&](?:token|signature|sig|key|password)=)[^&\s]+")


class SafeLines(logging.Filter):
    """Escapes control characters and masks capabilities in a record's message.

    The message is formatted here, once; the traceback, if any, is left alone.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = clean_line(record.getMessage())
        record.args = None
        return True


def clean_line(text: str) -> str:
    """Return `text` on one line, control characters as escapes, secrets in queries masked."""
    escaped = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return _SECRET.sub(r"\1***", escaped)
