"""The work of all background processes in threads of one, without a message broker.

Jobs are taken from the database, where their truth is; what is done by the clock keeps to the
timetable of `schedule`. Where there is no broker, so that nobody else can do it, what other apps
have in `CELERY_BEAT_SCHEDULE` at intervals is done as well. Messages of this process are work for a
thread of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Thread
from typing import Any

from celery import current_app
from celery.schedules import BaseSchedule
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from apps.media import dispatch, services
from apps.media.models import Job
from apps.media.schedule import BEAT_SCHEDULE

logger = logging.getLogger(__name__)

# A film never keeps a picture waiting.
LANES = (Job.FAST, Job.FAST, Job.SLOW)
TRANSFERS = 4  # imports and webhooks at the same time
PAUSE = 0.5  # seconds between two looks for work where there was none
STOP_SECONDS = 8  # what takes longer is given up; its lease runs out, and it is done again


class EmbeddedWorker:
    """Works in threads between `start` and `stop`."""

    def __init__(self) -> None:
        names = [config.name for config in apps.get_app_configs()]
        current_app.autodiscover_tasks(names, force=True)
        self._stopping = Event()
        self._transfers = ThreadPoolExecutor(TRANSFERS, thread_name_prefix="transfer")
        self._threads = [
            *(Thread(target=self._work, args=(queue,), daemon=True) for queue in LANES),
            Thread(target=self._keep_time, daemon=True),
        ]

    def run(self) -> None:
        """Work until an exception comes, as a signal raises one, and stop."""
        with dispatch.carried_by(self._carry):
            for thread in self._threads:
                thread.start()
            try:
                self._stopping.wait()
            finally:
                self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        services.stop_holding()
        self._transfers.shutdown(wait=False, cancel_futures=True)
        end = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))

    def _carry(self, name: str, *args: str) -> None:
        # Whoever looks for jobs finds them without being told.
        if name != dispatch.RUN_JOB and not self._stopping.is_set():
            self._transfers.submit(_attempt, lambda: current_app.tasks[name](*args))

    def _work(self, queue: str) -> None:
        while not self._stopping.is_set():
            if not _attempt(lambda: services.run_next_job(queue)):
                self._stopping.wait(PAUSE)

    def _keep_time(self) -> None:
        timetable = _timetable()
        due = dict.fromkeys(timetable, 0.0)
        while not self._stopping.wait(PAUSE):
            for name, entry in timetable.items():
                if time.monotonic() >= due[name]:
                    self._do_by_the_clock(name, entry)
                    due[name] = time.monotonic() + _seconds(entry)

    def _do_by_the_clock(self, name: str, entry: Mapping[str, Any]) -> None:
        """Nobody knows how long it takes where it is not ours."""

        def work() -> object:
            return current_app.tasks[entry["task"]](*entry.get("args", ()))

        if name in BEAT_SCHEDULE:
            _attempt(work)
        elif not self._stopping.is_set():
            self._transfers.submit(_attempt, work)


def _timetable() -> dict[str, Mapping[str, Any]]:
    """What is done by the clock. Hours of the day are for a real beat."""
    others = {} if dispatch.has_broker() else getattr(settings, "CELERY_BEAT_SCHEDULE", {})
    at_intervals = {
        name: entry
        for name, entry in others.items()
        if not isinstance(entry["schedule"], BaseSchedule)
    }
    return {**at_intervals, **BEAT_SCHEDULE}


def _seconds(entry: Mapping[str, Any]) -> float:
    every = entry["schedule"]
    return every.total_seconds() if isinstance(every, timedelta) else float(every)


def _attempt(work: Callable[[], object]) -> object:
    """Do `work` on a connection that is fresh; a database that is away is asked again later."""
    close_old_connections()
    try:
        return work()
    except DatabaseError as error:
        logger.warning("the database does not answer: %s", error)
    except Exception:  # the outermost edge of work: the next piece may go well
        logger.exception("background work failed")
    finally:
        close_old_connections()
    return False
