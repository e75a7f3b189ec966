"""Files that somebody may edit, and how the last edit or choice of a poster ended."""

from __future__ import annotations

import uuid
from typing import Literal

from apps.media.exceptions import ForbiddenError
from apps.media.models import Job, MediaFile
from apps.media.policies import Action, Visitor, can_access
from apps.media.selectors.media import get_visible_media


def get_editable_media(*, user: Visitor, media_id: uuid.UUID) -> MediaFile:
    """The file, if `user` may edit it: asked before what they want is read. Raises
    `NotVisibleError` to those who may not even see it, `ForbiddenError` to others."""
    media = get_visible_media(user=user, media_id=media_id)
    if not can_access(user, media, Action.EDIT):
        raise ForbiddenError(media.pk)
    return media


def has_failed_edit(*, media: MediaFile) -> bool:
    """Whether what failed last of the current version was an edit, which changed nothing of it."""
    failed = Job.objects.filter(
        media=media, version=media.version, needed=True, state=Job.State.FAILED
    )
    last = failed.order_by("-finished_at", "-pk").values_list("kind", flat=True).first()
    return last == Job.Kind.EDIT


def state_of_poster(*, media: MediaFile) -> Literal["", "coming", "failed"]:
    """Whether the pictures of a ready film are being made anew, or could not be the last time."""
    made = Job.objects.filter(media=media, version=media.version, kind=Job.Kind.RENDER, subject="")
    last = made.order_by("-pk").values_list("state", flat=True).first()
    if last in (Job.State.QUEUED, Job.State.RUNNING):
        return "coming"
    return "failed" if last == Job.State.FAILED else ""
