"""Keeps log lines single and clean, whatever a visitor put into a name or an address."""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Addresses whose next part is a capability: share links, and whatever is signed.
_TOKEN = re.compile(r"(?i)(/share/|/s/)[^/\s?\"'#]+")
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
    """Return `text` on one line, control characters as escapes, secrets in addresses masked."""
    escaped = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return _TOKEN.sub(r"\1***", _SECRET.sub(r"\1***", escaped))
