"""What has to happen from time to time; imports nothing, so that settings can import it."""

from __future__ import annotations

from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "users-sweep-email-changes": {
        "task": "users.sweep_email_changes",
        "schedule": 60.0,
        "options": {"expires": 60.0, "queue": "media.transfer"},
    },
}
