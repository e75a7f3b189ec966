"""The lock that every change of a media file takes."""

from __future__ import annotations

from apps.media.exceptions import NotVisibleError
from apps.media.models import MediaFile


def lock_media(media: MediaFile) -> MediaFile:
    """The row as it is now, locked until the transaction ends.

    Raises `NotVisibleError` when it was removed since `media` was read.
    """
    locked = MediaFile.objects.select_for_update().filter(pk=media.pk).first()
    if locked is None:
        raise NotVisibleError(media.pk)
    return locked
