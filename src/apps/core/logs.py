"""Keeps log lines single and clean, whatever a visitor put into a name or an address.

As text for people, or as JSON for programs; both name the request and the file they are about.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Addresses whose next part is a capability: share links, whatever is signed, what mails lead to.
_TOKEN = re.compile(
    r"(?i)(/share/|/s/|/notifications/picture/|/notifications/unsubscribe/)[^/\s?\"'#]+"
)
_SECRET = re.compile(
    r"(?i)([?&](?:[a-z-]*token|[a-z-]*signature|[a-z-]*credential|sig|key|password)=)[^&\s\"']+"
)


class SafeLines(logging.Filter):
    """Escapes control characters and masks capabilities in a record's message.

    The message is formatted here, once; the traceback, if any, is left alone.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = clean_line(record.getMessage())
        record.args = None
        return True


class WithOrigin(logging.Filter):
    """Adds to a record what its work belongs to (see `apps.core.origins`)."""

    def filter(self, record: logging.LogRecord) -> bool:
        from apps.core import origins, tracing  # noqa: PLC0415  they clean their text by us

        found = dict(origins.known())
        if trace := tracing.trace_id():
            found["trace_id"] = trace
        record.origin = found
        record.about = "".join(f" {name}={value}" for name, value in found.items())
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, what the work belongs to
    (`request_id`, `media_id`, `job_id`, `trace_id`), and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **getattr(record, "origin", {}),
        }
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line["exception"] = "\n".join(clean_line(part) for part in trace.splitlines())
        return json.dumps(line, ensure_ascii=False)


def clean_line(text: str) -> str:
    """Return `text` on one line, control characters as escapes, secrets in addresses masked."""
    escaped = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return _TOKEN.sub(r"\1***", _SECRET.sub(r"\1***", escaped))
