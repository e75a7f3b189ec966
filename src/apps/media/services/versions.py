"""The versions of a file: brought back, removed, and expired by policy.

The current version and the one that others get are never removed while the file is there.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, NotVisibleError, WrongStateError
from apps.media.models import AuditEvent, MediaFile, MediaVersion, Rendition, Status
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.auditing import note
from apps.media.services.duplicates import mark_duplicates
from apps.media.services.locks import lock_media
from apps.media.services.probing import enqueue_inspection, owner_words
from apps.media.services.publication import cancel_active, conclude
from apps.media.services.words import refresh_search_text

BATCH = 500


@transaction.atomic
def restore_version(*, user: Visitor, media: MediaFile, number: int) -> MediaFile:
    """Make an old version the current one again, under its own number and addresses.

    What was good is so at once; what was not is looked at once more. Raises `ForbiddenError`,
    `NotVisibleError`, `WrongStateError` for what is in the trash or in quarantine.
    """
    media, version = _lock_version(user, media, number, Action.EDIT)
    if media.deleted_at is not None:
        raise WrongStateError(media.pk, detail=_("This file is in the trash."))
    if version.scan == MediaVersion.Scan.INFECTED:
        raise WrongStateError(media.pk, detail=_("This version is in quarantine."))
    if number != media.version:
        _make_current(media, version)
        note(AuditEvent.Act.VERSION_BACK, user=user, media=media, version=number)
    return media


def _make_current(media: MediaFile, version: MediaVersion) -> None:
    good = version.sha256 and version.scan == MediaVersion.Scan.CLEAN and not version.failure_code
    media.versions.filter(number=media.version).update(replaced_at=timezone.now())
    version.replaced_at, version.failure_code, version.failure_message = None, "", ""
    version.save(update_fields=["replaced_at", "failure_code", "failure_message"])
    media.take_facts(version)
    media.owner_text = owner_words(version)
    media.status, media.progress = Status.PENDING, 0
    media.failure_code = media.failure_message = ""
    mark_duplicates(media)
    media.look = None  # until it is looked at again
    media.save()
    refresh_search_text(media)
    if not good:
        enqueue_inspection(media)
    conclude(media)


@transaction.atomic
def delete_version(*, user: Visitor, media: MediaFile, number: int) -> None:
    """Remove an old version for good, with all that was made of it; a grant to edit is not enough.

    Raises `ForbiddenError`, `NotVisibleError`, `WrongStateError` for one that is in use.
    """
    media, version = _lock_version(user, media, number, Action.DELETE)
    if number == media.version:
        raise WrongStateError(media.pk, detail=_("This is the current version."))
    if number == media.published_version:
        raise WrongStateError(
            media.pk, detail=_("Others get this version until the new one is known to be good.")
        )
    _drop(media, version)
    note(AuditEvent.Act.VERSION_GONE, user=user, media=media, version=number)
    dispatch.bury_later()


def _lock_version(
    user: Visitor, media: MediaFile, number: int, action: Action
) -> tuple[MediaFile, MediaVersion]:
    if not can_access(user, media, action):
        raise ForbiddenError(media.pk)
    media = lock_media(media)
    version = media.versions.filter(number=number).first()
    if version is None:
        raise NotVisibleError(media.pk, number)
    return media, version


def _drop(media: MediaFile, version: MediaVersion) -> None:
    cancel_active(media, version=version.number)
    for rendition in Rendition.objects.filter(media=media, version=version.number):
        rendition.delete()
    version.delete()


def expire_versions(*, limit: int = BATCH) -> int:
    """Remove old versions that are beyond the number or the age to be kept; return how many."""
    gone = sum(_drop_if_old(media_id, number) for media_id, number in due_versions(limit=limit))
    return dispatch.maybe_sweep_again(dispatch.EXPIRE_VERSIONS, done=gone, limit=limit)


def due_versions(*, limit: int) -> list[tuple[uuid.UUID, int]]:
    """The file and number of such versions, at most `limit` for either reason."""
    return list(dict.fromkeys([*_keys(_aged(), limit), *_keys(_surplus(), limit)]))


def _replaced() -> QuerySet[MediaVersion]:
    old = MediaVersion.objects.filter(replaced_at__isnull=False)
    return old.exclude(number=F("media__version")).exclude(
        media__published_version__isnull=False, number=F("media__published_version")
    )


def _aged() -> QuerySet[MediaVersion]:
    """Those that were replaced longer ago than they are to be kept, the oldest first."""
    before = timezone.now() - timedelta(seconds=options().version_lifetime)
    return _replaced().filter(replaced_at__lt=before).order_by("replaced_at")


def _surplus() -> QuerySet[MediaVersion]:
    """Those that have more newer ones beside them than are to be kept."""
    place = Window(RowNumber(), partition_by=F("media"), order_by=F("replaced_at").desc())
    return _replaced().annotate(place=place).filter(place__gt=options().versions_kept)


def _keys(rows: QuerySet[MediaVersion], limit: int) -> list[tuple[uuid.UUID, int]]:
    return list(rows.values_list("media", "number")[:limit])


@transaction.atomic
def _drop_if_old(media_id: uuid.UUID, number: int) -> bool:
    """Unless it was brought back meanwhile, though it may be replaced anew, or others get it."""
    media = MediaFile.objects.select_for_update().filter(pk=media_id).first()
    if media is None or number not in _old_numbers(media):
        return False
    _drop(media, media.versions.get(number=number))
    return True


def _old_numbers(media: MediaFile) -> set[int]:
    """The versions of `media` that are due."""
    rows = (due.filter(media=media.pk) for due in (_aged(), _surplus()))
    return {number for due in rows for number in due.values_list("number", flat=True)}
