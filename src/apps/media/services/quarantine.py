"""What reviewers do with files in which malware was found, or that they hold themselves.

Every act is for those who may review, and is written down. Deleting for good needs the right to
delete as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q
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
from apps.media.services.deletion import delete_media, removal_of
from apps.media.services.jobs import Work, enqueue_job
from apps.media.services.locks import lock_media
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
    """Put a file into quarantine by hand: its newest version, and the one that others get.

    Raises `ForbiddenError`, `NotVisibleError`, `WrongStateError`.
    """
    _ensure_reviewer(user)
    locked = lock_media(media)
    versions = _at_large(locked)
    if not versions:
        raise WrongStateError(media.pk, detail=_("This file is in quarantine."))
    moment = timezone.now()
    for version in versions:
        version.scan, version.scanner = MediaVersion.Scan.INFECTED, MediaVersion.BY_HAND
        version.signature, version.scanned_at = "", moment
        version.save(update_fields=["scan", "scanner", "signature", "scanned_at"])
        quarantine(locked, version, HeldForReviewError())
    note(AuditEvent.Act.HELD, user=user, media=locked)


def _at_large(media: MediaFile) -> list[MediaVersion]:
    """The newest version and the one that others get, as far as they are not in quarantine."""
    wanted = Q(number=media.published_version)
    if media.status != Status.QUARANTINED:
        wanted |= Q(number=media.version)
    return list(media.versions.filter(wanted).defer("text").order_by("number"))


def _each(user: Visitor, ids: Sequence[UUID], act: Callable[[MediaFile], None]) -> list[Outcome]:
    _ensure_reviewer(user)
    if len(ids) > MOST_REVIEWED:
        detail = _("At most %(most)s files at once.")
        raise BadRequestError(detail=detail, values={"most": MOST_REVIEWED})
    return [_try(pk, act) for pk in dict.fromkeys(ids)]


def _try(pk: UUID, act: Callable[[MediaFile], None]) -> Outcome:
    held = MediaFile.objects.select_for_update().filter(pk=pk, status=Status.QUARANTINED)
    try:
        with removal_of(pk):  # which is what one of the acts does
            media = held.first()
            if media is None:
                raise NotVisibleError(pk)
            act(media)
    except AppError as error:
        return Outcome(pk, code=error.code, detail=error.detail)
    return Outcome(pk)


def _release(user: Visitor, media: MediaFile, reason: str) -> None:
    version = media.current
    _release_older(media, version)
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


def _release_older(media: MediaFile, version: MediaVersion) -> None:
    """What one hand held together with `version` is looked at once more if it is brought back."""
    if version.is_held_by_hand:
        held = {"scan": version.scan, "scanner": version.scanner, "scanned_at": version.scanned_at}
        older = media.versions.filter(**held).exclude(pk=version.pk)
        older.update(scan=MediaVersion.Scan.PENDING, failure_code="", failure_message="")


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
