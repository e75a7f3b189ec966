"""What has to happen from time to time, for the beat of the project that installs the app.

    CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE, …}

Imports nothing, so that settings can import it. A message that finds no worker in time expires:
the next one does the same work.
"""

from __future__ import annotations

from typing import Any


def _every(seconds: float, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, "options": {"expires": max(30.0, seconds)}}


BEAT_SCHEDULE = {
    "media-sweep-jobs": _every(10.0, "media.sweep_jobs"),
    "media-bury-tombstones": _every(30.0, "media.bury_tombstones"),
    "media-expire-uploads": _every(300.0, "media.expire_uploads"),
    "media-empty-trash": _every(3600.0, "media.empty_trash"),
}
