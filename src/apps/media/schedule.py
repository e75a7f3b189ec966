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
    "media-sweep-imports": _every(10.0, "media.sweep_imports"),
    "media-sweep-deliveries": _every(10.0, "media.sweep_deliveries"),
    "media-expire-deliveries": _every(3600.0, "media.expire_deliveries"),
    "media-expire-jobs": _every(3600.0, "media.expire_jobs"),
    "media-bury-tombstones": _every(30.0, "media.bury_tombstones"),
    "media-finish-uploads": _every(60.0, "media.finish_uploads"),
    "media-expire-uploads": _every(300.0, "media.expire_uploads"),
    "media-expire-unused": _every(300.0, "media.expire_unused"),
    "media-mark-unused": _every(3600.0, "media.mark_unused"),
    "media-sweep-erasures": _every(60.0, "media.sweep_erasures"),
    "media-empty-trash": _every(3600.0, "media.empty_trash"),
    "media-sweep-emptied": _every(60.0, "media.sweep_emptied"),
    "media-sweep-unfinished": _every(6 * 3600.0, "media.sweep_unfinished"),
    "media-expire-versions": _every(3600.0, "media.expire_versions"),
    "media-sweep-ended-shares": _every(3600.0, "media.sweep_ended_shares"),
}
