"""`manage.py media_worker`: all background work in one process, without a message broker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.media.management.embedded import EmbeddedWorker
from apps.media.management.longrun import Stopped, stoppable


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Do all background work of the media app in this process, without Celery and without a "
        "message broker, until Ctrl-C: for development and small sites. One such process is "
        "enough; several, also beside Celery workers, do no work twice. Without a broker it also "
        "does what other apps have in CELERY_BEAT_SCHEDULE at intervals."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Working. Stop: Ctrl-C")
        try:
            with stoppable():
                EmbeddedWorker().run()
        except Stopped:
            self.stdout.write("Stopped; what is unfinished goes on with the next start.")
