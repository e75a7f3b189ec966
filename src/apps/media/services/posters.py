"""The moment of a film that its poster, and all pictures of it, show."""

from __future__ import annotations

import math
from typing import Any

from django.db import transaction

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, ForbiddenError, WrongStateError
from apps.media.models import AuditEvent, Job, MediaFile
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.auditing import note
from apps.media.services.jobs import Work, enqueue_job
from apps.media.services.locks import lock_media
from apps.media.services.rendering import URGENT


@transaction.atomic
def choose_poster(*, user: Visitor, media: MediaFile, at: Any) -> MediaFile:
    """Have the pictures of a film made anew of the moment `at`, in seconds; of None, of one that is
    chosen by what is seen. The old ones serve until then.

    Raises `ForbiddenError`, `BadRequestError` for what is no moment of a film, `WrongStateError`
    for what is not ready.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    media = lock_media(media)
    version = media.current
    if not version.metadata.get("video") or not media.duration:
        raise BadRequestError(media.pk, detail=_("Only a film has a moment to show."))
    if media.deleted_at is not None or not (media.usable and media.is_settled):
        raise WrongStateError(media.pk)
    version.poster_at = None if at is None else _moment(at, media.duration)
    version.save(update_fields=["poster_at"])
    enqueue_job(
        media=media,
        version=media.version,
        work=Work(Job.Kind.RENDER, priority=URGENT, needed=False),
    )
    note(AuditEvent.Act.POSTER, user=user, media=media, at=version.poster_at)
    return media


def _moment(at: Any, duration: float) -> float:
    try:
        moment = float(at)
    except (TypeError, ValueError) as error:
        raise BadRequestError(error) from error
    if not (math.isfinite(moment) and 0 <= moment <= duration):
        raise BadRequestError(detail=_("This moment is not in the film."))
    return round(moment, 3)
