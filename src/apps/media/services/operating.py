"""What operators do with jobs: end them, and have them tried again."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from apps.media import dispatch
from apps.media.exceptions import ProcessingCancelledError
from apps.media.models import Job, MediaFile, Status
from apps.media.services.jobs import end_jobs
from apps.media.services.publication import ACTIVE, after_failure, begin_again


@transaction.atomic
def cancel_job(*, job: Job) -> bool:
    """End `job` for good at the operator's wish; return whether it was still to be done.

    Whoever works on it stops within seconds. The file fails where it cannot do without.
    """
    media = MediaFile.objects.select_for_update().filter(pk=job.media_id).first()
    active = Job.objects.filter(pk=job.pk, state__in=ACTIVE)
    error = ProcessingCancelledError()
    if media is None or not end_jobs(active, state=Job.State.CANCELLED, error_code=error.code):
        return False
    after_failure(job, media, error)
    return True


@transaction.atomic
def retry_job(*, job: Job) -> bool:
    """Queue a failed or cancelled job again, with all its attempts; return whether it could be.

    A file that had failed, or could not be processed again, is pending again, and so are the jobs
    that ended because of that; so is one that is not ready without the job. An edit is a wish of
    its own: it is tried again by itself, and only while it is the last one. What is in quarantine
    stays there.
    """
    media = MediaFile.objects.select_for_update().filter(pk=job.media_id).first()
    if media is None or media.status == Status.QUARANTINED or job.version != media.version:
        return False
    ended, media_failed = _ended(media), bool(media.failure_code)
    if job not in ended:
        return False
    if media_failed or job.needed:
        begin_again(media)
    for one in _tried_with(job, ended) if media_failed else [job]:
        _queue_again(one)
    return True


def _tried_with(job: Job, ended: list[Job]) -> list[Job]:
    if job.kind == Job.Kind.EDIT:
        return [job]
    return [one for one in ended if one.kind != Job.Kind.EDIT]


def _ended(media: MediaFile) -> list[Job]:
    """The failed and cancelled jobs of the current version that no later one took the place of, as
    every edit does with those before it."""
    latest: dict[tuple[str, str], Job] = {}
    for job in Job.objects.filter(media=media, version=media.version).order_by("pk"):
        latest[job.kind, "" if job.kind == Job.Kind.EDIT else job.subject] = job
    return [job for job in latest.values() if job.state in {Job.State.FAILED, Job.State.CANCELLED}]


def _queue_again(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.QUEUED,
        attempts=0,
        progress=0,
        due_at=Now(),
        sent_at=Now(),
        finished_at=None,
        error_code="",
        error="",
    )
    dispatch.run_job_later(job)
