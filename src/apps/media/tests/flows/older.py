"""Loaded by workers that are to be older than the site: they know no renditions and no imports."""

from __future__ import annotations

from typing import Any

from celery.signals import celeryd_after_setup

from apps.media import dispatch
from apps.media.models import Job
from apps.media.services import pipeline

pipeline.HANDLERS = {
    kind: handler for kind, handler in pipeline.HANDLERS.items() if kind != Job.Kind.RENDER
}


@celeryd_after_setup.connect
def forget(instance: Any, **kwargs: Any) -> None:
    """All tasks are known by now, and no message has been taken yet."""
    instance.app.tasks.pop(dispatch.RUN_IMPORT)
