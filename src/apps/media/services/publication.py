"""When a file is usable, ready, failed or in quarantine: the one place that says so.

Called inside the transaction that ends a job, with the media file locked, so that of several jobs
that end at once one is the last.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.core.errors import AppError
from apps.media import signals
from apps.media.models import Job, MediaFile, MediaVersion, Rendition, Status, Webhook
from apps.media.services.announcing import announce_to_webhooks
from apps.media.services.deletion import announce_withdrawal, raise_tombstone
from apps.media.services.words import refresh_search_text

ACTIVE = (Job.State.QUEUED, Job.State.RUNNING)
# What a file cannot do without: the first pictures, the film itself.
_ESSENTIAL = Q(
    kind__in=(Job.Kind.INSPECT, Job.Kind.SCAN, Job.Kind.STREAM, Job.Kind.JOIN, Job.Kind.EDIT)
) | Q(kind=Job.Kind.RENDER, subject="")
_FIRST = Q(kind=Job.Kind.INSPECT) | Q(kind=Job.Kind.RENDER, subject="")


def conclude(media: MediaFile) -> None:
    """After a job is done: usable once clean and first seen, ready once nothing is left to do."""
    _forget_when_idle(media, media.version)
    if media.status in {Status.FAILED, Status.QUARANTINED} or not _is_clean(media):
        return
    left = _active(media).filter(needed=True)
    if left.filter(_FIRST).exists():
        return
    ready = not left.exists()
    announced = media.status == Status.READY
    shown = media.usable and media.published_version == media.version
    if shown and (announced or not ready):
        return
    media.usable, media.published_version = True, media.version
    if ready:
        media.status, media.progress = Status.READY, 100
        media.failure_code = media.failure_message = ""
        _current(media).update(complete=True)
    media.save(
        update_fields=[
            "usable",
            "published_version",
            "status",
            "progress",
            "failure_code",
            "failure_message",
            "updated_at",
        ]
    )
    _current(media).exclude(failure_code="").update(failure_code="", failure_message="")
    if not shown:
        refresh_search_text(media)
    if ready and not announced:
        signals.media_ready.tell(MediaFile, media=media)
        announce_to_webhooks(Webhook.Event.READY, media)


def after_failure(job: Job, media: MediaFile, error: AppError) -> None:
    """A job has failed for good: so does its version if it cannot do without what was to be made,
    and its file if that version is the current one.

    Unless that was there already and was only to be made anew: then it goes on being served.
    """
    current = job.version == media.version
    if not _is_essential(job):
        _forget_when_idle(media, job.version)
        if current:
            _maybe_tell_wish(job, media, error)
            conclude(media)
        return
    if current and media.status in {Status.FAILED, Status.QUARANTINED}:
        return  # and says why already
    # What cannot be read may still be malware, which its owner could fetch.
    cancel_active(media, version=job.version, but=(Job.Kind.SCAN,))
    if _version(media, job.version).filter(complete=True).exists():
        if not current:
            return
        if media.usable and media.is_settled:
            _keep(job, media, error)
            return
    _note_failure(media, job.version, error)
    if current:
        _refuse(media, Status.FAILED, error)


def quarantine(media: MediaFile, version: MediaVersion, error: AppError) -> None:
    """Because of `error` nobody gets the bytes, what was made of them goes, work on it ends."""
    cancel_active(media, version=version.number)
    for rendition in Rendition.objects.filter(media=media, version=version.number):
        rendition.delete()
    MediaVersion.objects.filter(pk=version.pk).update(complete=False)
    _note_failure(media, version.number, error)
    if version.number == media.published_version:
        _withdraw(media)
        media.save(update_fields=["usable", "published_version", "updated_at"])
    if version.number == media.version:
        _refuse(media, Status.QUARANTINED, error)


def reject_version(media: MediaFile, number: int, error: AppError) -> None:
    """A version is of no use any more: work on it ends, nobody else gets it."""
    cancel_active(media, version=number)
    _note_failure(media, number, error)
    if number == media.published_version:
        _withdraw(media)
        media.save(update_fields=["usable", "published_version", "updated_at"])
    if number == media.version:
        _refuse(media, Status.FAILED, error)


def begin_again(media: MediaFile) -> None:
    """A finished file is pending again; what others may see of it stays as it is."""
    if not media.is_finished:
        return
    media.status, media.progress = Status.PENDING, 0
    media.failure_code = media.failure_message = ""
    media.save(
        update_fields=["status", "progress", "failure_code", "failure_message", "updated_at"]
    )


def cancel_active(media: MediaFile, *, version: int, but: Iterable[str] = ()) -> None:
    """End every job of that version that is queued or running, `but` those of some kinds; workers
    notice within seconds."""
    active = Job.objects.filter(media=media, version=version, state__in=ACTIVE)
    active.exclude(kind__in=but).update(
        state=Job.State.CANCELLED, lease=None, lease_until=None, finished_at=timezone.now()
    )
    _forget_unfinished(media, version)


def _forget_when_idle(media: MediaFile, version: int) -> None:
    """What a job that failed was writing goes with the last one that could still adopt it."""
    running = Job.objects.filter(media=media, version=version, state=Job.State.RUNNING)
    if not running.exists():
        _forget_unfinished(media, version)


def _forget_unfinished(media: MediaFile, version: int) -> None:
    """No job is left that could adopt what it was writing: that goes; what is served stays."""
    for row in Rendition.objects.filter(media=media, version=version).exclude(next_key=""):
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
    current = MediaFile.objects.filter(pk=media_id, version=version)
    current.filter(progress__lt=percent).update(progress=percent)


def _withdraw(media: MediaFile) -> None:
    """Others get nothing of it any more; nothing is saved."""
    announce_withdrawal(media)
    media.usable, media.published_version = False, None


def _active(media: MediaFile) -> QuerySet[Job]:
    return Job.objects.filter(media=media, version=media.version, state__in=ACTIVE)


def _current(media: MediaFile) -> QuerySet[MediaVersion]:
    return _version(media, media.version)


def _version(media: MediaFile, number: int) -> QuerySet[MediaVersion]:
    return MediaVersion.objects.filter(media=media, number=number)


def _is_clean(media: MediaFile) -> bool:
    return _current(media).filter(scan=MediaVersion.Scan.CLEAN).exists()


def _is_essential(job: Job) -> bool:
    return Job.objects.filter(_ESSENTIAL, pk=job.pk, needed=True).exists()


def _keep(job: Job, media: MediaFile, error: AppError) -> None:
    """Nothing changes for others; the owner learns that it could not be made anew."""
    media.status, media.progress = Status.READY, 100
    _save_failure(media, error)
    _tell_not_remade(job, media, error)


def _maybe_tell_wish(job: Job, media: MediaFile, error: AppError) -> None:
    """The pictures of another moment or point, which somebody chose, were not made."""
    if job.kind == Job.Kind.RENDER and not job.subject and media.usable and job.priority >= 0:
        _tell_not_remade(job, media, error)


def _tell_not_remade(job: Job, media: MediaFile, error: AppError) -> None:
    asked = job.priority >= 0  # else an operator has many files processed again
    signals.media_not_remade.tell(MediaFile, media=media, code=error.code, asked=asked)


def _note_failure(media: MediaFile, number: int, error: AppError) -> None:
    _version(media, number).update(failure_code=error.code, failure_message=error.written)


def _refuse(media: MediaFile, status: Status, error: AppError) -> None:
    """Others get an older, good version as before, if there is one."""
    if media.is_settled:
        _withdraw(media)
    media.status = status
    _save_failure(media, error)
    signals.media_rejected.tell(MediaFile, media=media, code=error.code)
    announce_to_webhooks(Webhook.Event.REJECTED, media)


def _save_failure(media: MediaFile, error: AppError) -> None:
    media.failure_code, media.failure_message = error.code, error.written
    media.save(
        update_fields=[
            "usable",
            "published_version",
            "status",
            "progress",
            "failure_code",
            "failure_message",
            "updated_at",
        ]
    )
