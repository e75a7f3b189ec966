"""What can be known of media: the reading half of the app's public Python face.

Selectors never write. Those that take `user` return only what that user may see.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, F, Prefetch, Q, QuerySet

from apps.media.conf import options
from apps.media.exceptions import NotVisibleError
from apps.media.models import Job, MediaFile, MediaVersion, Quota, Rendition, Tag
from apps.media.policies import Visitor, listed_for, visible_to


@dataclass(frozen=True)
class StorageUsage:
    """A user's account in bytes and files."""

    used: int
    reserved: int
    quota: int
    files: int
    files_quota: int


def list_media_by_user(*, user_id: Any, media_type: str | None = None) -> QuerySet[MediaFile]:
    """The user's files that are not in the trash, newest first."""
    rows = MediaFile.objects.filter(owner_id=user_id, deleted_at=None)
    if media_type:
        rows = rows.filter(media_type=media_type)
    return rows.order_by("-pk")


def list_visible_media(*, user: Visitor) -> QuerySet[MediaFile]:
    """Every file that lists show to `user`: their own, public ones; all for managers."""
    return MediaFile.objects.filter(listed_for(user)).order_by("-pk")


def list_trash(*, user: Visitor) -> QuerySet[MediaFile]:
    """What `user` has thrown away and can still bring back."""
    return MediaFile.objects.filter(owner=user.pk, deleted_at__isnull=False).order_by("-pk")


def get_visible_media(*, user: Visitor, media_id: uuid.UUID | str) -> MediaFile:
    """The file, if `user` may view it; hidden and missing both raise `NotVisibleError`.

    One query that holds the rule, so that both also take the same way: neither headers nor time
    tell them apart.
    """
    visible = MediaFile.objects.filter(visible_to(user)).select_related("owner")
    try:
        media = visible.filter(pk=media_id).first()
    except (ValidationError, ValueError):
        media = None  # not an id at all
    if media is None:
        raise NotVisibleError(media_id)
    return media


def with_details(rows: QuerySet[MediaFile]) -> QuerySet[MediaFile]:
    """`rows` with all that showing them needs: a fixed number of queries, however many rows."""
    return rows.select_related("owner").prefetch_related(
        Prefetch("tags", queryset=Tag.objects.order_by("name")),
        Prefetch("renditions", queryset=_current_renditions(), to_attr="current_renditions"),
    )


def _current_renditions() -> QuerySet[Rendition]:
    served = Rendition.objects.filter(version=F("media__version")).exclude(key="")
    return served.order_by("width", "name")


def get_version(*, media: MediaFile) -> MediaVersion:
    """The current version of `media`."""
    return media.current


def get_rendition(*, media: MediaFile, name: str) -> Rendition:
    """The served rendition `name` of the current version; raises `NotVisibleError`."""
    found = Rendition.objects.filter(media=media, version=media.version, name=name).exclude(key="")
    # Some databases refuse to compare with a NUL instead of finding nothing.
    rendition = None if "\0" in name else found.first()
    if rendition is None:
        raise NotVisibleError(media.pk, name)
    return rendition


def list_tags(*, user: Visitor) -> QuerySet[Tag]:
    """The user's tags by name, each with `uses`: how many files outside the trash carry it."""
    uses = Count("media_files", filter=Q(media_files__deleted_at=None))
    return Tag.objects.filter(owner=user.pk).annotate(uses=uses).order_by("name", "pk")


def list_jobs(*, media: MediaFile) -> QuerySet[Job]:
    return media.jobs.order_by("-pk")


def get_storage_usage(*, user: Visitor) -> StorageUsage:
    """Bytes used, reserved by uploads under way, and the quota."""
    quota = Quota.objects.filter(owner=user.pk).first() or Quota()
    return StorageUsage(
        used=quota.bytes_used,
        reserved=quota.bytes_reserved,
        quota=options().quota_bytes if quota.bytes_limit is None else quota.bytes_limit,
        files=quota.files_used,
        files_quota=options().quota_files if quota.files_limit is None else quota.files_limit,
    )
