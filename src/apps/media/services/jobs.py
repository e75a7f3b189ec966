"""Background work whose truth is in the database (see `models.job`).

A worker claims a job by a conditional update, keeps its lease alive while it works, and saves its
result only while the lease is still its own. Whatever goes wrong in between, the sweep finds it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import AppError, StorageFullError, StorageUnavailableError
from apps.media import dispatch, signals
from apps.media.conf import options
from apps.media.exceptions import (
    EngineAwayError,
    LostLeaseError,
    ProcessingCrashedError,
    RejectedError,
)
from apps.media.models import Job, MediaFile, Status

logger = logging.getLogger(__name__)

SWEEP_BATCH = 500
LEASE_RENEWALS = 6  # per lease
PROGRESS_STEP = 5  # percent
RETRIED = (EngineAwayError, StorageUnavailableError, StorageFullError)


class Claim:
    """A job this worker holds."""

    def __init__(self, *, job: Job, token: uuid.UUID) -> None:
        self.job = job
        self.token = token
        self._renewed = time.monotonic()
        self._shown = 0

    def keep(self, progress: float | None = None) -> None:
        """Renew the lease when it is time, and show `progress` (0–1) when it has moved.

        Cheap enough to be called often. Raises `LostLeaseError` when the job is no longer ours.
        """
        percent = self._shown if progress is None else int(100 * min(max(progress, 0.0), 1.0))
        old = time.monotonic() - self._renewed > options().job_lease / LEASE_RENEWALS
        if not old and percent < self._shown + PROGRESS_STEP:
            return
        if not self._mine().update(lease_until=_lease_end(), progress=percent):
            raise LostLeaseError(self.job.pk)
        if percent != self._shown:
            MediaFile.objects.filter(pk=self.job.media_id).update(progress=percent)
        self._renewed, self._shown = time.monotonic(), percent

    @contextmanager
    def saving(self) -> Iterator[MediaFile]:
        """A transaction in which the job is still ours; yields the locked media file."""
        with transaction.atomic():
            media = MediaFile.objects.select_for_update().filter(pk=self.job.media_id).first()
            if media is None or not self._mine().select_for_update().exists():
                raise LostLeaseError(self.job.pk)
            yield media

    def finish(self) -> None:
        """Mark the job done; call it inside `saving`."""
        _end(self._mine(), state=Job.State.DONE, progress=100)

    def fail(self, error: AppError) -> None:
        """Mark the job failed for good; call it inside `saving`."""
        _end(self._mine(), state=Job.State.FAILED, error_code=error.code, error=_told(error))

    def put_back(self, error: Exception, *, wait: timedelta) -> None:
        """Queue the job again, to be taken after `wait` by whoever comes."""
        self._mine().update(
            state=Job.State.QUEUED,
            lease=None,
            lease_until=None,
            sent_at=None,
            due_at=Now() + wait,
            error_code=getattr(error, "code", "unexpected"),
            error=_told(error),
        )

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, state=Job.State.RUNNING, lease=self.token)


Handler = Callable[[Claim], None]


def enqueue_job(*, media: MediaFile, kind: str, version: int) -> Job:
    """Write a job and hand it to the broker after commit; an active one is returned as it is."""
    job, created = Job.objects.get_or_create(
        media=media,
        kind=kind,
        version=version,
        state__in=(Job.State.QUEUED, Job.State.RUNNING),
        defaults={"due_at": Now(), "sent_at": Now(), "state": Job.State.QUEUED},
    )
    if created:
        dispatch.run_job_later(job)
    return job


def run_job(job_id: uuid.UUID | str, *, handlers: Mapping[str, Handler]) -> bool:
    """Do the job if it is still to be done; return whether this call did it.

    A message delivered twice, or for a job that is gone or not yet due, does nothing.
    """
    claim = _claim(job_id)
    if claim is None:
        return False
    try:
        handlers[claim.job.kind](claim)
    except LostLeaseError:
        logger.info("job %s was taken over or its media is gone", job_id)
        return False
    except RejectedError as error:
        fail_media(claim, error)
    except RETRIED as error:
        _retry_or_fail(claim, error)
    except Exception as error:  # the outermost edge of work: nothing may kill the worker
        logger.exception("job %s failed unexpectedly", job_id)
        _retry_or_fail(claim, error)
    return True


def _claim(job_id: uuid.UUID | str) -> Claim | None:
    token = uuid.uuid4()
    free = Job.objects.filter(pk=job_id, state=Job.State.QUEUED, due_at__lte=Now())
    if not free.update(
        state=Job.State.RUNNING, lease=token, lease_until=_lease_end(), attempts=F("attempts") + 1
    ):
        return None
    return Claim(job=Job.objects.select_related("media").get(pk=job_id), token=token)


def _lease_end() -> Any:
    # The database's clock: workers' clocks may differ.
    return Now() + timedelta(seconds=options().job_lease)


def _told(error: Exception) -> str:
    """What the operator reads of it."""
    return repr(error)[:2000]


def _end(jobs: Any, **values: Any) -> int:
    ended: int = jobs.update(lease=None, lease_until=None, finished_at=timezone.now(), **values)
    return ended


def fail_media(claim: Claim, error: AppError) -> None:
    """End the job and the media file as failed with the error's code; the owner sees why."""
    try:
        with claim.saving() as media:
            _mark_failed(media, code=error.code, message=error.detail)
            claim.fail(error)
    except LostLeaseError:
        logger.info("job %s was taken over before it could fail", claim.job.pk)


def _mark_failed(media: MediaFile, *, code: str, message: str) -> None:
    media.status, media.failure_code, media.failure_message = Status.FAILED, code, message
    media.save(update_fields=["status", "failure_code", "failure_message", "updated_at"])
    transaction.on_commit(
        lambda: signals.media_rejected.send_robust(sender=MediaFile, media=media, code=code),
        robust=True,
    )


def _retry_or_fail(claim: Claim, error: Exception) -> None:
    if claim.job.attempts >= options().job_attempts:
        known = error if isinstance(error, AppError) else ProcessingCrashedError(repr(error))
        fail_media(claim, known)
        return
    wait = timedelta(seconds=options().job_retry_delay * 2 ** (claim.job.attempts - 1))
    claim.put_back(error, wait=wait)


def sweep_jobs(*, limit: int = SWEEP_BATCH) -> int:
    """Free jobs whose worker is gone and send again what waits too long; return how many.

    Safe to run anywhere at any time, also twice at once.
    """
    freed = sum(_free_expired(job) for job in _expired()[:limit])
    return freed + sum(_resend(job) for job in _unsent()[:limit])


def _expired() -> Any:
    return Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=Now())


def _free_expired(job: Job) -> bool:
    still = _expired().filter(pk=job.pk, lease=job.lease)
    if job.attempts < options().job_attempts:
        return bool(
            still.update(state=Job.State.QUEUED, lease=None, lease_until=None, sent_at=None)
        )
    return _bury_poison(job, still)


@transaction.atomic
def _bury_poison(job: Job, still: Any) -> bool:
    """Its workers died each time: end it, so that the queue goes on."""
    error = ProcessingCrashedError()
    media = MediaFile.objects.select_for_update().filter(pk=job.media_id).first()
    ended = _end(still, state=Job.State.FAILED, error_code=error.code, error="workers died")
    if not ended or media is None:
        return False
    _mark_failed(media, code=error.code, message=error.detail)
    logger.error("job %s given up after %s attempts", job.pk, job.attempts)
    return True


def _unsent() -> Any:
    old = Now() - timedelta(seconds=options().job_resend_after)
    return Job.objects.filter(
        Q(sent_at=None) | Q(sent_at__lt=old), state=Job.State.QUEUED, due_at__lte=Now()
    ).order_by("due_at")


def _resend(job: Job) -> bool:
    if not _unsent().filter(pk=job.pk).update(sent_at=Now()):
        return False
    return dispatch.send(dispatch.RUN_JOB, str(job.pk), queue=job.queue)
