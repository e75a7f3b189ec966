"""What reviewers do with files in which malware was found, or that they hold themselves.

Every act is for those who may review, and is written down. Deleting for good needs the right to
delete as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _
from apps.media.exceptions import (
    BadRequestError,
    ForbiddenError,
    HeldForReviewError,
    NotVisibleError,
    WrongStateError,
)
from apps.media.models import AuditEvent, Job, MediaFile, MediaVersion, Status
from apps.media.policies import Visitor, may_review
from apps.media.services.auditing import note
from apps.media.services.deletion import delete_media
from apps.media.services.jobs import Work, enqueue_job
from apps.media.services.publication import conclude, quarantine
from apps.media.services.scanning import rescan_media
from apps.media.services.selections import Outcome

MOST_REVIEWED = 100  # files at once
LONGEST_REASON = 500  # characters


def release_quarantined(*, user: Visitor, ids: Sequence[UUID], reason: str) -> list[Outcome]:
    """Let files out of quarantine although something was found, because of `reason`.

    They go on where they were stopped, as after a scan that finds nothing; a later scan may hold
    them again. Raises `BadRequestError` without a reason, `ForbiddenError`.
    """
    said = _checked(reason)
    return _each(user, ids, lambda media: _release(user, media, said))


def rescan_quarantined(*, user: Visitor, ids: Sequence[UUID]) -> list[Outcome]:
    """Have files scanned again, which may let those out that a scanner held. Raises
    `ForbiddenError`.
    """
    return _each(user, ids, lambda media: _rescan(user, media))


def remove_quarantined(*, user: Visitor, ids: Sequence[UUID]) -> list[Outcome]:
    """Delete files in quarantine for good. Raises `ForbiddenError`."""
    return _each(user, ids, lambda media: delete_media(user=user, media=media, permanent=True))


@transaction.atomic
def hold_media(*, user: Visitor, media: MediaFile) -> None:
    """Put a file into quarantine by hand. Raises `ForbiddenError`, `WrongStateError`."""
    _ensure_reviewer(user)
    locked = MediaFile.objects.select_for_update().get(pk=media.pk)
    if locked.status == Status.QUARANTINED:
        raise WrongStateError(media.pk, detail=_("This file is in quarantine."))
    version = locked.current
    version.scan, version.scanner = MediaVersion.Scan.INFECTED, MediaVersion.BY_HAND
    version.signature, version.scanned_at = "", timezone.now()
    version.save(update_fields=["scan", "scanner", "signature", "scanned_at"])
    quarantine(locked, version, HeldForReviewError())
    note(AuditEvent.Act.HELD, user=user, media=locked)


def _each(user: Visitor, ids: Sequence[UUID], act: Callable[[MediaFile], None]) -> list[Outcome]:
    _ensure_reviewer(user)
    if len(ids) > MOST_REVIEWED:
        detail = _("At most %(most)s files at once.")
        raise BadRequestError(detail=detail, values={"most": MOST_REVIEWED})
    return [_try(pk, act) for pk in dict.fromkeys(ids)]


@transaction.atomic
def _try(pk: UUID, act: Callable[[MediaFile], None]) -> Outcome:
    held = MediaFile.objects.select_for_update().filter(pk=pk, status=Status.QUARANTINED)
    try:
        media = held.first()
        if media is None:
            raise NotVisibleError(pk)
        act(media)
    except AppError as error:
        return Outcome(pk, code=error.code, detail=error.detail)
    return Outcome(pk)


def _release(user: Visitor, media: MediaFile, reason: str) -> None:
    version = media.current
    note(
        AuditEvent.Act.RELEASED,
        user=user,
        media=media,
        reason=reason,
        signature=version.signature,
        scanner=version.scanner,
        sha256=version.sha256,
    )
    version.scan, version.scanned_at = MediaVersion.Scan.CLEAN, timezone.now()
    version.scanner = MediaVersion.BY_HAND
    version.failure_code = version.failure_message = ""
    version.save(update_fields=["scan", "scanned_at", "scanner", "failure_code", "failure_message"])
    media.status, media.progress = Status.PENDING, 0
    media.failure_code = media.failure_message = ""
    media.save(
        update_fields=["status", "progress", "failure_code", "failure_message", "updated_at"]
    )
    enqueue_job(media=media, version=media.version, work=Work(Job.Kind.INSPECT))
    conclude(media)


def _rescan(user: Visitor, media: MediaFile) -> None:
    if not rescan_media(media=[media]):
        raise WrongStateError(media.pk, detail=_("It is being scanned already."))
    note(AuditEvent.Act.RESCANNED, user=user, media=media)


def _ensure_reviewer(user: Visitor) -> None:
    if not may_review(user):
        raise ForbiddenError


def _checked(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise BadRequestError(detail=_("Say why they are let out."))
    if len(said) > LONGEST_REASON:
        raise BadRequestError(
            detail=_("At most %(most)s characters."), values={"most": LONGEST_REASON}
        )
    return said
