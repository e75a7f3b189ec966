"""When a file is usable, ready, failed or in quarantine: the one place that says so.

Called inside the transaction that ends a job, with the media file locked, so that of several jobs
that end at once one is the last.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone

from apps.core.errors import AppError
from apps.media import signals
from apps.media.exceptions import MalwareFoundError
from apps.media.models import Job, MediaFile, MediaVersion, Rendition, Status
from apps.media.services.deletion import raise_tombstone

ACTIVE = (Job.State.QUEUED, Job.State.RUNNING)
# What a file cannot do without: the first pictures, the film itself.
_ESSENTIAL = Q(kind__in=(Job.Kind.INSPECT, Job.Kind.SCAN, Job.Kind.STREAM, Job.Kind.JOIN)) | Q(
    kind=Job.Kind.RENDER, subject=""
)
_FIRST = Q(kind=Job.Kind.INSPECT) | Q(kind=Job.Kind.RENDER, subject="")


def conclude(media: MediaFile) -> None:
    """After a job is done: usable once clean and first seen, ready once nothing is left to do."""
    if media.status in {Status.FAILED, Status.QUARANTINED} or not _is_clean(media):
        return
    left = _active(media).filter(needed=True)
    if left.filter(_FIRST).exists():
        return
    ready = not left.exists()
    announced = media.status == Status.READY
    if media.usable and (announced or not ready):
        return
    media.usable = True
    if ready:
        media.status, media.progress = Status.READY, 100
        media.failure_code = media.failure_message = ""
    media.save(
        update_fields=[
            "usable",
            "status",
            "progress",
            "failure_code",
            "failure_message",
            "updated_at",
        ]
    )
    if ready and not announced:
        _tell(signals.media_ready, media)


def after_failure(job: Job, media: MediaFile, error: AppError) -> None:
    """A job has failed for good: so does its file if it cannot do without what was to be made."""
    if job.version != media.version:
        return
    if not _is_essential(job):
        if not Job.objects.filter(media=media, state=Job.State.RUNNING).exists():
            _forget_unfinished(media)
        conclude(media)
        return
    if media.status in {Status.FAILED, Status.QUARANTINED}:
        return  # and says why already
    # What cannot be read may still be malware, which its owner could fetch.
    cancel_active(media, but=(Job.Kind.SCAN,))
    _refuse(media, Status.FAILED, error)


def quarantine(media: MediaFile, version: MediaVersion) -> None:
    """Malware was found: nobody gets the bytes, what was made of them goes, work on it ends."""
    cancel_active(media)
    for rendition in Rendition.objects.filter(media=media, version=version.number):
        rendition.delete()
    _refuse(media, Status.QUARANTINED, MalwareFoundError(version.signature))


def begin_again(media: MediaFile) -> None:
    """A finished file is pending again; what others may see of it stays as it is."""
    if not media.is_finished:
        return
    media.status, media.progress = Status.PENDING, 0
    media.failure_code = media.failure_message = ""
    media.save(
        update_fields=["status", "progress", "failure_code", "failure_message", "updated_at"]
    )


def cancel_active(media: MediaFile, *, but: Iterable[str] = ()) -> None:
    """End every job of `media` that is queued or running, `but` those of some kinds; workers
    notice within seconds."""
    Job.objects.filter(media=media, state__in=ACTIVE).exclude(kind__in=but).update(
        state=Job.State.CANCELLED, lease=None, lease_until=None, finished_at=timezone.now()
    )
    _forget_unfinished(media)


def _forget_unfinished(media: MediaFile) -> None:
    """No job is left that could adopt what it was writing: that goes; what is served stays."""
    for row in Rendition.objects.filter(media=media).exclude(next_key=""):
        if row.key:
            raise_tombstone(storage=row.storage, key=row.next_key, still_written=True)
            row.next_key = ""
            row.save(update_fields=["next_key", "updated_at"])
        else:
            row.delete()


def show_progress(media_id: uuid.UUID, *, version: int) -> None:
    """The mean of all needed jobs, which never goes back while they last."""
    jobs = Job.objects.filter(media_id=media_id, version=version, needed=True)
    active = list(jobs.filter(state__in=ACTIVE).values_list("progress", "created_at"))
    if not active:
        return
    since = min(created for _, created in active)
    done = jobs.filter(state=Job.State.DONE, created_at__gte=since).count()
    percent = (sum(progress for progress, _ in active) + 100 * done) // (len(active) + done)
    MediaFile.objects.filter(pk=media_id, progress__lt=percent).update(progress=percent)


def _active(media: MediaFile) -> QuerySet[Job]:
    return Job.objects.filter(media=media, version=media.version, state__in=ACTIVE)


def _is_clean(media: MediaFile) -> bool:
    return MediaVersion.objects.filter(
        media=media, number=media.version, scan=MediaVersion.Scan.CLEAN
    ).exists()


def _is_essential(job: Job) -> bool:
    return Job.objects.filter(_ESSENTIAL, pk=job.pk, needed=True).exists()


def _refuse(media: MediaFile, status: Status, error: AppError) -> None:
    media.status, media.usable = status, False
    media.failure_code, media.failure_message = error.code, error.detail
    media.save(update_fields=["status", "usable", "failure_code", "failure_message", "updated_at"])
    _tell(signals.media_rejected, media, code=error.code)


def _tell(signal: Signal, media: MediaFile, **more: str) -> None:
    transaction.on_commit(
        lambda: signal.send_robust(sender=MediaFile, media=media, **more),
        robust=True,
    )
