"""Having files processed again."""

from __future__ import annotations

from django.db import transaction

from apps.core.words import gettext_noop as _
from apps.media.exceptions import ForbiddenError, WrongStateError
from apps.media.models import MediaFile, Status
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.locks import lock_media
from apps.media.services.probing import enqueue_inspection
from apps.media.services.publication import begin_again


@transaction.atomic
def reprocess_media(*, user: Visitor, media: MediaFile) -> MediaFile:
    """Inspect `media` and make all its renditions anew; the old ones serve until then, and go on
    when that fails.

    Raises `ForbiddenError`, and `WrongStateError` for what is in quarantine.
    """
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    media = lock_media(media)
    if media.status == Status.QUARANTINED:
        raise WrongStateError(media.pk, detail=_("This file is in quarantine."))
    begin_again(media)
    media.renditions.filter(version=media.version).update(fingerprint="")
    enqueue_inspection(media)
    return media
