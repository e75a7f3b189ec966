"""What workers do. Each task is one call of a service; messages carry ids only."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task
from celery.signals import worker_shutting_down

from apps.core.origins import resumed
from apps.media import dispatch, services


class Resuming(Task):  # type: ignore[type-arg]  # generic in the stubs only
    """Goes on with what the message's sender was at. Jobs do so by their row: a message for one is
    only a hint that there is one to do."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        origin = getattr(self.request, dispatch.ORIGIN, None) or ""
        with resumed(origin, self.name, task_id=self.request.id or ""):
            return super().__call__(*args, **kwargs)


@shared_task(name=dispatch.RUN_JOB)
def run_job(job_id: str) -> bool:
    return services.run_job(job_id)


@shared_task(name=dispatch.BURY)
def bury_tombstones() -> int:
    return services.bury_tombstones()


@shared_task(name=dispatch.RUN_IMPORT, base=Resuming)
def run_import(upload_id: str) -> bool:
    return services.run_import(upload_id=upload_id)


@shared_task(name="media.sweep_imports")
def sweep_imports() -> int:
    return services.sweep_imports()


@shared_task(name="media.sweep_jobs")
def sweep_jobs() -> int:
    return services.sweep_jobs()


@shared_task(name=dispatch.EXPIRE_UPLOADS)
def expire_uploads() -> int:
    return services.expire_uploads()


@shared_task(name=dispatch.FINISH_UPLOADS)
def finish_uploads() -> int:
    return services.finish_whole_uploads()


@shared_task(name=dispatch.EMPTY_TRASH)
def empty_trash() -> int:
    return services.empty_trash()


@shared_task(name=dispatch.SWEEP_EMPTIED)
def sweep_emptied() -> int:
    return services.sweep_emptied()


@shared_task(name=dispatch.EXPIRE_UNUSED)
def expire_unused() -> int:
    return services.expire_unused()


@shared_task(name=dispatch.MARK_UNUSED)
def mark_unused() -> int:
    return services.mark_unused()


@worker_shutting_down.connect
def let_go(**kwargs: Any) -> None:
    """An import may have hours to go: another worker, or the next one, goes on with it."""
    services.stop_holding()


@shared_task(name=dispatch.EXPIRE_VERSIONS)
def expire_versions() -> int:
    return services.expire_versions()


@shared_task(name=dispatch.SWEEP_UNFINISHED)
def sweep_unfinished() -> int:
    return services.sweep_unfinished()


@shared_task(name=dispatch.SWEEP_ENDED_SHARES)
def sweep_ended_shares() -> int:
    return services.sweep_ended_shares()


@shared_task(name=dispatch.DELIVER, base=Resuming)
def deliver(delivery_id: str) -> int:
    return services.run_delivery(delivery_id)


@shared_task(name="media.sweep_deliveries")
def sweep_deliveries() -> int:
    return services.sweep_deliveries()


@shared_task(name=dispatch.EXPIRE_DELIVERIES)
def expire_deliveries() -> int:
    return services.expire_deliveries()


@shared_task(name=dispatch.EXPIRE_JOBS)
def expire_jobs() -> int:
    return services.expire_jobs()


@shared_task(name=dispatch.RUN_ERASURE, base=Resuming)
def run_erasure(erasure_id: str) -> None:
    services.run_erasure(erasure_id=erasure_id)


@shared_task(name="media.sweep_erasures")
def sweep_erasures() -> int:
    return services.sweep_erasures()
