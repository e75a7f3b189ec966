"""What has to happen from time to time; imports nothing, so that settings can import it."""

from __future__ import annotations

from typing import Any


def _every(seconds: float, task: str) -> dict[str, Any]:
    options = {"expires": max(30.0, seconds), "queue": "media.transfer"}
    return {"task": task, "schedule": seconds, "options": options}


BEAT_SCHEDULE = {
    "notifications-sweep-mails": _every(30.0, "notifications.sweep_mails"),
    "notifications-sweep-announcements": _every(30.0, "notifications.sweep_announcements"),
    "notifications-forget-lost": _every(3600.0, "notifications.forget_lost"),
    "notifications-queue-digests": _every(3600.0, "notifications.queue_digests"),
    "notifications-expire": _every(3600.0, "notifications.expire"),
}
