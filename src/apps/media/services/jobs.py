"""Background work whose truth is in the database (see `models.job`).

A worker claims a job by a conditional update, keeps its lease alive while it works, and saves its
result only while the lease is still its own. Whatever goes wrong in between, the sweep finds it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.errors import AppError, StorageFullError, StorageUnavailableError
from apps.core.ids import first_id
from apps.core.origins import origin_now, resumed
from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import (
    EngineAwayError,
    LostLeaseError,
    ProcessingCrashedError,
    RejectedError,
    ScannerAwayError,
)
from apps.media.metrics import JOB_FAILURES, JOB_SECONDS
from apps.media.models import Job, MediaFile, Status
from apps.media.services.publication import ACTIVE, after_failure, show_progress
from apps.media.services.resending import is_unsent

logger = logging.getLogger(__name__)

SWEEP_BATCH = 500
LEASE_RENEWALS = 12  # per lease: as often a worker sees that its job is cancelled or gone
PROGRESS_STEP = 5  # percent
CANDIDATES = 5  # jobs tried at one message, of which others may take some
TRANSFER_CHECK = 1.0  # seconds
LONGEST_WAIT = timedelta(minutes=5)
Result = TypeVar("Result")
# Nothing is wrong with the file: it waits for as long as that takes.
AWAITED = (ScannerAwayError, StorageUnavailableError, StorageFullError)
RETRIED = (EngineAwayError, *AWAITED)


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
        if percent != self._shown and self.job.needed:
            show_progress(self.job.media_id, version=self.job.version)
        self._renewed, self._shown = time.monotonic(), percent

    def wait_for(self, transfer: Callable[[], Result]) -> Result:
        """Do `transfer` on a thread and keep the lease meanwhile, however long it takes.

        It must not touch the database. What it raises passes; so does `LostLeaseError`, once it
        has ended.
        """
        with ThreadPoolExecutor(max_workers=1) as pool:
            future = pool.submit(transfer)
            while wait([future], timeout=TRANSFER_CHECK).not_done:
                self.keep()
            return future.result()

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
        end_jobs(self._mine(), state=Job.State.DONE, progress=100)

    def fail(self, error: AppError) -> None:
        """Mark the job failed for good; call it inside `saving`."""
        end_jobs(self._mine(), state=Job.State.FAILED, error_code=error.code, error=_told(error))

    def put_back(self, error: Exception, *, wait: timedelta, counts: bool = True) -> None:
        """Queue the job again, to be taken after `wait` by whoever comes.

        An attempt that does not count says nothing of the file.
        """
        self._mine().update(
            state=Job.State.QUEUED,
            attempts=F("attempts") - (0 if counts else 1),
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


@dataclass(frozen=True)
class Work:
    """What is to be done, apart from with which file; see `models.job.Job`."""

    kind: str
    subject: str = ""
    queue: str = Job.FAST
    priority: int = 0
    needed: bool = True


def enqueue_job(*, media: MediaFile, version: int, work: Work) -> Job:
    """Write a job and hand it to the broker after commit; an active one is returned as it is."""
    return ensure_job(media=media, version=version, work=work)[0]


def ensure_job(*, media: MediaFile, version: int, work: Work) -> tuple[Job, bool]:
    """The same, with whether it is a new one."""
    job, created = Job.objects.get_or_create(
        media=media,
        version=version,
        kind=work.kind,
        subject=work.subject,
        state__in=ACTIVE,
        defaults=_queued(work),
    )
    if created:
        dispatch.run_job_later(job)
    else:
        _raise_active(job, work)
    return job, created


def enqueue_first_jobs(*, media: MediaFile, version: int, works: Sequence[Work]) -> None:
    """Write the first jobs of a version that has just been made, in the same transaction."""
    jobs = [
        Job(
            media=media,
            version=version,
            kind=work.kind,
            subject=work.subject,
            **_queued(work),
        )
        for work in works
    ]
    for job in Job.objects.bulk_create(jobs):
        dispatch.run_job_later(job)


def _queued(work: Work) -> dict[str, Any]:
    return {
        "queue": work.queue,
        "priority": work.priority,
        "needed": work.needed,
        "due_at": Now(),
        "sent_at": Now(),
        "state": Job.State.QUEUED,
        "origin": origin_now(),
    }


def _raise_active(job: Job, work: Work) -> None:
    """Who asks anew for what is under way may need it more, or sooner."""
    job.needed, job.priority = job.needed or work.needed, max(job.priority, work.priority)
    less = Q(needed__lt=job.needed) | Q(priority__lt=job.priority)
    Job.objects.filter(less, pk=job.pk).update(needed=job.needed, priority=job.priority)


def run_job(job_id: uuid.UUID | str, *, handlers: Mapping[str, Handler]) -> bool:
    """Do the most urgent job of the queue that `job_id` waits in; return whether there was one.

    There are as many messages as jobs, so that each is a hint that one more can be done. Which one,
    the database says. A message delivered twice finds nothing left to do.
    """
    hinted = Job.objects.filter(pk=job_id).only("queue").first()
    return hinted is not None and run_next_job(hinted.queue, handlers=handlers)


def run_next_job(queue: str, *, handlers: Mapping[str, Handler]) -> bool:
    """Do the most urgent job of `queue`; return whether there was one.

    A kind that has no handler here was written by a newer version of the site: it stays as it is,
    and is sent again, for a worker of that version.
    """
    claim = _claim(queue, kinds=handlers)
    if claim is None:
        return False
    job, begun = claim.job, time.monotonic()
    facts = {"job_id": str(job.pk), "media_id": str(job.media_id)}
    with resumed(job.origin, f"job {job.kind}", **facts):
        outcome = _attempt(claim, handlers[job.kind])
    JOB_SECONDS.labels(job.kind, outcome).observe(time.monotonic() - begun)
    return outcome != "lost"


def _attempt(claim: Claim, handler: Handler) -> str:
    """Do the job; return how that ended: `done`, `lost`, `refused` or `failed`."""
    try:
        handler(claim)
    except LostLeaseError:
        logger.info("job %s was taken over or cancelled, or its media is gone", claim.job.pk)
        return "lost"
    except RejectedError as error:
        give_up(claim, error)
        return "refused"
    except RETRIED as error:
        _retry_or_fail(claim, error)
    except Exception as error:  # the outermost edge of work: nothing may kill the worker
        logger.exception("job %s failed unexpectedly", claim.job.pk)
        _retry_or_fail(claim, error)
    else:
        return "done"
    return "failed"


def _claim(queue: str, *, kinds: Iterable[str]) -> Claim | None:
    waiting = Job.objects.filter(queue=queue, state=Job.State.QUEUED, due_at__lte=Now())
    urgent = waiting.filter(kind__in=list(kinds)).order_by("-priority", "due_at")
    claims = (_take(candidate) for candidate in urgent.only("pk")[:CANDIDATES])
    return next((claim for claim in claims if claim), None)


def _take(candidate: Job) -> Claim | None:
    token = uuid.uuid4()
    free = Job.objects.filter(pk=candidate.pk, state=Job.State.QUEUED)
    if not free.update(
        state=Job.State.RUNNING, lease=token, lease_until=_lease_end(), attempts=F("attempts") + 1
    ):
        return None
    job = Job.objects.select_related("media").filter(pk=candidate.pk).first()
    return Claim(job=job, token=token) if job else None


def _lease_end() -> Any:
    # The database's clock: workers' clocks may differ.
    return Now() + timedelta(seconds=options().job_lease)


def _told(error: Exception) -> str:
    """What the operator reads of it."""
    return repr(error)[:2000]


def end_jobs(jobs: Any, **values: Any) -> int:
    """End all of `jobs` with these values; return how many."""
    ended: int = jobs.update(lease=None, lease_until=None, finished_at=timezone.now(), **values)
    return ended


def give_up(claim: Claim, error: AppError) -> None:
    """End the job as failed, and with it the media file where it cannot do without."""
    try:
        with claim.saving() as media:
            claim.fail(error)
            after_failure(claim.job, media, error)
        JOB_FAILURES.labels(claim.job.kind, error.code).inc()
    except LostLeaseError:
        logger.info("job %s was taken over before it could fail", claim.job.pk)


def _retry_or_fail(claim: Claim, error: Exception) -> None:
    if isinstance(error, AWAITED):
        claim.put_back(error, wait=_patience(claim.job), counts=False)
    elif claim.job.attempts >= options().job_attempts:
        known = error if isinstance(error, AppError) else ProcessingCrashedError(repr(error))
        give_up(claim, known)
    else:
        wait = timedelta(seconds=options().job_retry_delay * 2 ** (claim.job.attempts - 1))
        claim.put_back(error, wait=wait)


def _patience(job: Job) -> timedelta:
    """The longer a job has waited, the more rarely it is tried: an eighth of its age."""
    age = timezone.now() - job.created_at
    return min(max(age / 8, timedelta(seconds=options().job_retry_delay)), LONGEST_WAIT)


def sweep_jobs(*, limit: int = SWEEP_BATCH) -> int:
    """Free jobs whose worker is gone and send again what waits too long; return how many.

    Safe to run anywhere at any time, also twice at once.
    """
    freed = sum(_free_expired(job) for job in _expired()[:limit])
    return freed + sum(_resend(job) for job in _unsent()[:limit])


def expire_jobs(*, limit: int = SWEEP_BATCH) -> int:
    """Forget jobs that ended longer ago than the option says; return how many.

    What a file has failed for stays as long as that, for operators to have it tried again.
    """
    before = timezone.now() - timedelta(seconds=options().job_lifetime)
    # Along the ids, which tell when they were made: of what is as old little is left to look at.
    old = Job.objects.filter(pk__lt=first_id(before), finished_at__lt=before)
    failed = Q(state__in=(Job.State.FAILED, Job.State.CANCELLED), media__status=Status.FAILED)
    gone = old.exclude(failed).order_by("pk").values_list("pk", flat=True)[:limit]
    done, _ = Job.objects.filter(pk__in=list(gone)).delete()
    return dispatch.maybe_sweep_again(dispatch.EXPIRE_JOBS, done=done, limit=limit)


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
    ended = end_jobs(still, state=Job.State.FAILED, error_code=error.code, error="workers died")
    if not ended or media is None:
        return False
    after_failure(job, media, error)
    transaction.on_commit(JOB_FAILURES.labels(job.kind, error.code).inc)
    logger.error("job %s given up after %s attempts", job.pk, job.attempts)
    return True


def _unsent() -> Any:
    due = Job.objects.filter(is_unsent(), state=Job.State.QUEUED, due_at__lte=Now())
    return due.order_by("-priority", "due_at")


def _resend(job: Job) -> bool:
    if not _unsent().filter(pk=job.pk).update(sent_at=Now()):
        return False
    return dispatch.send(dispatch.RUN_JOB, str(job.pk), queue=job.queue)
