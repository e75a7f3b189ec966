"""The lock that every change of a media file takes, and those of its end."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from apps.media.exceptions import NotVisibleError
from apps.media.models import MediaFile, Upload


def lock_media(media: MediaFile) -> MediaFile:
    """The row as it is now, locked until the transaction ends.

    Raises `NotVisibleError` when it was removed since `media` was read.
    """
    locked = MediaFile.objects.select_for_update().filter(pk=media.pk).first()
    if locked is None:
        raise NotVisibleError(media.pk)
    return locked


def lock_uploads_of(media_ids: Collection[UUID]) -> None:
    """Lock the uploads that go with these files, which are locked.

    Django would come to them after the versions, and so after the account: see `quotas`.
    """
    uploads = Upload.objects.filter(Q(media__in=media_ids) | Q(replaces__in=media_ids))
    list(uploads.select_for_update().order_by("pk").values_list("pk"))
