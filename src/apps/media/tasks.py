"""What workers do. Each task is one call of a service; messages carry ids only."""

from __future__ import annotations

from celery import shared_task

from apps.media import dispatch, services


@shared_task(name=dispatch.RUN_JOB)
def run_job(job_id: str) -> bool:
    return services.run_job(job_id)


@shared_task(name=dispatch.BURY)
def bury_tombstones() -> int:
    return services.bury_tombstones()


@shared_task(name="media.sweep_jobs")
def sweep_jobs() -> int:
    return services.sweep_jobs()


@shared_task(name="media.expire_uploads")
def expire_uploads() -> int:
    return services.expire_uploads()


@shared_task(name="media.empty_trash")
def empty_trash() -> int:
    return services.empty_trash()
