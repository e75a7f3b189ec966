"""Pictures that look the same: the same scene in other sizes, formats or qualities.

Which of one owner do is noted by the worker that looked at them (`services.note_look`), so that a
page is a walk along an index. Nobody's pictures are compared all with all: `models.bands` says what
is worth comparing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError
from apps.media.models import MediaFile
from apps.media.models.bands import band, near_bands
from apps.media.policies import Visitor, is_active
from apps.media.selectors.media import (
    LIKENESS_DISTANCE,
    list_visible_media,
    shown_to,
    with_details,
)

MOST_COMPARED = 20_000  # files: some 60 ms of a worker
OTHERS_COMPARED = 100_000  # of other owners, along whose likenesses no index runs
MOST_SIMILAR = 50
GROUPS = 12
SHOWN = 12  # of one group; the rest is seen once those are settled


_Row = tuple[uuid.UUID, uuid.UUID | None, str]  # id, look, likeness


@dataclass(frozen=True)
class LookGroup:
    """Pictures that look the same, the best first; `count` may be more than are shown."""

    look: uuid.UUID
    count: int
    files: list[MediaFile]

    @property
    def size(self) -> int:
        """Bytes of those shown."""
        return sum(media.size for media in self.files)


@dataclass(frozen=True)
class LookPage:
    groups: list[LookGroup]
    next: str | None


def find_lookalikes(*, media: MediaFile) -> list[tuple[uuid.UUID, uuid.UUID | None]]:
    """The ids and looks of the owner's pictures that differ little from `media`, however many there
    are; of very many that could, the newest `MOST_COMPARED` are compared."""
    if not media.likeness:
        return []
    rows = list(worth_comparing(media, owner_id=media.owner_id).order_by("-pk")[:MOST_COMPARED])
    distances = _distances(media, rows)
    return [rows[index][:2] for index in np.flatnonzero(distances <= LIKENESS_DISTANCE)]


def list_similar_media(*, user: Visitor, media: MediaFile) -> list[MediaFile]:
    """At most `MOST_SIMILAR` near duplicates of `media` among what lists show to `user`, nearest
    first, then newest.

    All of their own are found as `find_lookalikes` finds them; of others, which are public or
    shared, the newest `OTHERS_COMPARED` are compared.
    """
    if not media.likeness:
        return []
    visible = list_visible_media(user=user, newest=True).exclude(pk=media.pk)
    others = visible.exclude(likeness="").exclude(owner=user.pk)
    rows = list(others.values_list("pk", "look", "likeness")[:OTHERS_COMPARED])
    if is_active(user):
        own = worth_comparing(media, owner_id=user.pk).order_by("-pk")
        rows = sorted([*rows, *own[:MOST_COMPARED]], key=itemgetter(0), reverse=True)
    near = _nearest(media, rows)
    found = with_details(MediaFile.objects.filter(pk__in=near)).in_bulk()
    return shown_to(user, [found[pk] for pk in near if pk in found])


def _nearest(media: MediaFile, rows: Sequence[_Row]) -> list[uuid.UUID]:
    distances = _distances(media, rows)
    order = np.argsort(distances, kind="stable")[:MOST_SIMILAR]
    return [rows[index][0] for index in order if distances[index] <= LIKENESS_DISTANCE]


def _distances(media: MediaFile, rows: Sequence[_Row]) -> Any:
    """In how many bits each of `rows` differs from `media`."""
    hashes = np.array([int(likeness, 16) for _, _, likeness in rows], dtype=np.uint64)
    return np.bitwise_count(hashes ^ np.uint64(int(media.likeness, 16)))


def worth_comparing(media: MediaFile, *, owner_id: Any) -> QuerySet[MediaFile, Any]:
    """Id, look and likeness of the owner's pictures with a quarter near to one of `media`, which is
    not among them."""
    own = MediaFile.objects.filter(owner=owner_id, deleted_at=None).exclude(likeness="")
    others = own.exclude(pk=media.pk).order_by().values_list("pk", "look", "likeness")
    near = near_bands(media.likeness, distance=LIKENESS_DISTANCE)
    # One after the other: for all of them at once a database may read every row.
    first, *rest = (
        others.alias(band=band(number)).filter(band__in=values)
        for number, values in enumerate(near)
    )
    return first.union(*rest)


def count_look_groups(*, user: Visitor) -> int:
    """In how many groups there is something to choose."""
    return _groups(user).count()


def list_look_groups(*, user: Visitor, after: str | None = None) -> LookPage:
    """A page of the groups of `user`, the newest first; raises `BadRequestError` for an `after`
    that is none of ours."""
    groups = _groups(user).order_by("-look")
    if after:
        groups = groups.filter(look__lt=_read(after))
    found = list(groups[: GROUPS + 1])
    members = _members(user, [look for look, _ in found[:GROUPS]])
    shown = [LookGroup(look, count, members[look]) for look, count in found[:GROUPS]]
    more = len(found) > GROUPS
    return LookPage(shown, next=str(shown[-1].look) if more else None)


def list_of_look(*, user: Visitor, looks: Collection[uuid.UUID]) -> QuerySet[MediaFile]:
    """What of `user` looks like these and is not in the trash."""
    return MediaFile.objects.filter(owner=user.pk, deleted_at=None, look__in=looks)


def _groups(user: Visitor) -> QuerySet[MediaFile, Any]:
    looks = MediaFile.objects.filter(owner=user.pk, deleted_at=None, look__isnull=False)
    counted = looks.order_by().values_list("look").annotate(count=Count("pk"))
    return counted.filter(count__gt=1)


def _members(user: Visitor, looks: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[MediaFile]]:
    place = Window(RowNumber(), partition_by="look", order_by=F("pk").asc())
    rows = list_of_look(user=user, looks=looks).annotate(place=place)
    members: dict[uuid.UUID, list[MediaFile]] = defaultdict(list)
    for media in shown_to(user, list(with_details(rows.filter(place__lte=SHOWN)))):
        if media.look:
            members[media.look].append(media)
    for files in members.values():
        files.sort(key=_worth, reverse=True)
    return members


def _worth(media: MediaFile) -> tuple[int, int, int]:
    """More pixels, then more bytes, then the older one."""
    return ((media.width or 0) * (media.height or 0), media.size, -media.pk.int)


def _read(after: str) -> uuid.UUID:
    try:
        return uuid.UUID(after)
    except ValueError as error:
        raise BadRequestError(detail=_("This page of the list does not exist any more.")) from error
