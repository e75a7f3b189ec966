"""What can be known of media: the reading half of the app's public Python face.

Selectors never write. Those that take `user` return only what that user may see.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Prefetch, Q, QuerySet

from apps.media.conf import options
from apps.media.exceptions import ForbiddenError, NotVisibleError, QuarantinedError
from apps.media.links import caption_name
from apps.media.models import (
    Caption,
    Job,
    MediaFile,
    MediaVersion,
    Quota,
    Rendition,
    Status,
    Tag,
)
from apps.media.policies import Action, Visitor, can_access, listed_for, visible_to
from apps.media.processing.recipes import CLEAN

LIKENESS_DISTANCE = 10  # bits of 64 in which pictures that look the same differ at most
MOST_SIMILAR = 50
COMPARED = 100_000


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


def get_readable_media(*, user: Visitor, media_id: uuid.UUID | str) -> MediaFile:
    """The file, if `user` may have its bytes.

    Raises `NotVisibleError`, and `QuarantinedError` or `ForbiddenError` to those who may know of
    the file.
    """
    media = get_visible_media(user=user, media_id=media_id)
    if not can_access(user, media, Action.READ):
        if media.status == Status.QUARANTINED:
            raise QuarantinedError(media_id)
        raise ForbiddenError(media_id, detail="This file is not known to be clean.")
    return media


def get_original(*, user: Visitor, media: MediaFile) -> MediaVersion | Rendition:
    """The stored bytes of `media`, as `user` may have them.

    Those who may not edit it get them without the place they were taken at, unless the owner
    shares it. Raises `NotVisibleError` while there is no such copy.
    """
    version = media.current
    open_to_all = media.share_location or not version.metadata.get("has_position")
    if open_to_all or can_access(user, media, Action.EDIT):
        return version
    return get_rendition(media=media, name=CLEAN.name)


def with_details(rows: QuerySet[MediaFile]) -> QuerySet[MediaFile]:
    """`rows` with all that showing them needs: a fixed number of queries, however many rows."""
    return (
        rows.select_related("owner")
        .defer("search_text", "owner_text")
        .prefetch_related(
            Prefetch("tags", queryset=Tag.objects.order_by("name")),
            Prefetch("renditions", queryset=_current_renditions(), to_attr="current_renditions"),
        )
    )


def _current_renditions() -> QuerySet[Rendition]:
    served = Rendition.objects.filter(version=F("media__version")).exclude(key="")
    shown = served.exclude(name__startswith=Rendition.PARTS).exclude(name=CLEAN.name)
    return shown.defer("details").order_by("width", "name")


def get_version(*, media: MediaFile) -> MediaVersion:
    """The current version of `media`."""
    return media.current


def get_rendition(*, media: MediaFile, name: str) -> Rendition:
    """The served rendition `name` of the current version; raises `NotVisibleError`."""
    rendition = find_rendition(media=media, name=name)
    if rendition is None:
        raise NotVisibleError(media.pk, name)
    return rendition


def find_rendition(*, media: MediaFile, name: str) -> Rendition | None:
    """The served rendition `name` of the current version, if there is one."""
    found = Rendition.objects.filter(media=media, version=media.version, name=name).exclude(key="")
    # Some databases refuse to compare with a NUL instead of finding nothing.
    return None if "\0" in name else found.defer("details").first()


def list_tracks(*, media: MediaFile) -> list[Rendition]:
    """The tracks of the film that are served, with what playlists say of them."""
    served = Rendition.objects.filter(media=media, version=media.version).exclude(key="")
    return list(served.filter(name__startswith=Rendition.TRACKS).order_by("name"))


def list_captions(*, media: MediaFile) -> QuerySet[Caption]:
    """Its captions in the order they were added."""
    return Caption.objects.filter(media=media).order_by("pk")


def get_caption(*, media: MediaFile, name: str) -> Caption:
    """The caption of that name (see `links.caption_name`); raises `NotVisibleError`."""
    captions = list_captions(media=media)
    found = next((caption for caption in captions if caption_name(caption) == name), None)
    if found is None:
        raise NotVisibleError(media.pk, name)
    return found


def get_caption_by_id(*, media: MediaFile, caption_id: uuid.UUID) -> Caption:
    """The caption, if it is one of `media`; raises `NotVisibleError`."""
    found = Caption.objects.filter(media=media, pk=caption_id).select_related("media").first()
    if found is None:
        raise NotVisibleError(media.pk, caption_id)
    return found


def find_failed_request(*, media: MediaFile, name: str, since: datetime) -> Job | None:
    """The job that was to make the rendition `name` and has failed for good since then."""
    failed = Job.objects.filter(
        media=media,
        version=media.version,
        kind=Job.Kind.RENDER,
        subject=name,
        state=Job.State.FAILED,
        finished_at__gte=since,
    )
    return failed.order_by("-finished_at").first()


def count_requests(*, media: MediaFile) -> int:
    """How many renditions of `media` were asked for and are still to be made."""
    left = Job.objects.filter(
        media=media, kind=Job.Kind.RENDER, state__in=(Job.State.QUEUED, Job.State.RUNNING)
    )
    return left.exclude(subject__in=("", "later")).count()


def list_similar_media(*, user: Visitor, media: MediaFile) -> list[MediaFile]:
    """Near duplicates of `media` among what lists show to `user`, nearest first.

    Looks at the newest `COMPARED` files only.
    """
    if not media.likeness:
        return []
    others = list_visible_media(user=user).exclude(pk=media.pk).exclude(likeness="")
    rows = list(others.values_list("pk", "likeness")[:COMPARED])
    near = _nearest(media.likeness, rows)
    found = with_details(MediaFile.objects.filter(pk__in=near)).in_bulk()
    return [found[pk] for pk in near if pk in found]


def _nearest(likeness: str, rows: list[tuple[uuid.UUID, str]]) -> list[uuid.UUID]:
    """The ids of at most `MOST_SIMILAR` rows that differ in few bits."""
    hashes = np.array([int(other, 16) for _, other in rows], dtype=np.uint64)
    distances = np.bitwise_count(hashes ^ np.uint64(int(likeness, 16)))
    order = np.argsort(distances, kind="stable")[:MOST_SIMILAR]
    return [rows[index][0] for index in order if distances[index] <= LIKENESS_DISTANCE]


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
