"""Long lists of attachments: files are added, moved and taken out without the rest being written.

Positions have gaps, so that a file gets between two others by one row; where a gap is used up, all
are numbered anew. Everything runs under the lock of the host's row. Whether the user may change the
host is for its own app to say before it calls these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Model, QuerySet

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, NotVisibleError, TooManyAttachedError
from apps.media.models import MediaAttachment
from apps.media.policies import Visitor
from apps.media.services.attaching import (
    AttachmentItem,
    attached_rows,
    claim_files,
    ensure_attachable,
    lock_files,
    lock_host,
)

Attachment = TypeVar("Attachment", bound=MediaAttachment)

GAP = 2**12  # leaves room for half a million files, and for 12 halvings between two of them
ROWS_AT_ONCE = 1_000


@transaction.atomic
def add_attachments(
    *,
    user: Visitor,
    to: Model,
    through: type[Attachment],
    items: Sequence[AttachmentItem],
    before: UUID | None = None,
    fields: Mapping[str, Any] | None = None,
) -> int:
    """Attach the files of `items` to the saved object `to`, before its file `before` or at the end;
    return how many are new. What is attached already stays as and where it is.

    `fields` are set on the new rows besides. Raises `TooManyAttachedError`, `NotVisibleError` for a
    `before` that is not there, and what `attach_media` raises; then nothing has changed.
    """
    lock_host(to)
    wanted = {item.media.pk: item for item in items}
    there = set(attached_rows(through, to).filter(media__in=wanted).values_list("media", flat=True))
    new = [item for pk, item in wanted.items() if pk not in there]
    _ensure_room(through, to, len(new))
    locked = lock_files(item.media.pk for item in new)
    accepts = through.accepts
    for media in locked:
        ensure_attachable(user=user, media=media, kinds=accepts.kinds, max_size=accepts.max_size)
    claim_files(locked)
    positions = _make_room(through, to, len(new), before=before)
    rows = [
        _row(through, to, item, position=position, fields=fields or {})
        for item, position in zip(new, positions, strict=True)
    ]
    attached_rows(through, to).bulk_create(rows, batch_size=ROWS_AT_ONCE)
    return len(rows)


@transaction.atomic
def remove_attachments(*, to: Model, through: type[Attachment], media_ids: Collection[UUID]) -> int:
    """Take files out of the list of `to`; return how many. It takes no right to them."""
    lock_host(to)
    gone: int = attached_rows(through, to).filter(media__in=set(media_ids)).delete()[0]
    return gone


@transaction.atomic
def move_attachments(
    *,
    to: Model,
    through: type[Attachment],
    media_ids: Sequence[UUID],
    before: UUID | None = None,
) -> None:
    """Put files of the list of `to` in this order before its file `before`, or at the end.

    Raises `NotVisibleError` for a file that is not in it.
    """
    ids = list(dict.fromkeys(media_ids))
    if before in ids:
        raise BadRequestError(detail=_("A file cannot be put before itself."))
    lock_host(to)
    rows = {row.media_id: row for row in attached_rows(through, to).filter(media__in=ids)}
    if missing := [pk for pk in ids if pk not in rows]:
        raise NotVisibleError(*missing)
    positions = _make_room(through, to, len(ids), before=before, moved=ids)
    for pk, position in zip(ids, positions, strict=True):
        rows[pk].position = position
    attached_rows(through, to).bulk_update(rows.values(), ["position"], batch_size=ROWS_AT_ONCE)


def _ensure_room(through: type[Attachment], to: Model, count: int) -> None:
    most = through.accepts.max_count
    if count and attached_rows(through, to).count() + count > most:
        raise TooManyAttachedError(
            detail=_("At most %(most)s files are accepted here."), values={"most": most}
        )


def _row(
    through: type[Attachment],
    to: Model,
    item: AttachmentItem,
    *,
    position: int,
    fields: Mapping[str, Any],
) -> Attachment:
    host = through.host_field().name
    row = through(**{host: to, "media": item.media, "position": position, **fields})
    row.alt_text, row.caption, row.crop = item.alt_text, item.caption, item.crop
    row.focal_x, row.focal_y = item.focal or (None, None)
    row.clean_fields(exclude=[host, "media", *fields])
    return row


# -- positions ---------------------------------------------------------------------------------


def _make_room(
    through: type[Attachment],
    to: Model,
    count: int,
    *,
    before: UUID | None,
    moved: Sequence[UUID] = (),
) -> list[int]:
    """`count` free positions, ascending, before the file `before` or at the end.

    `moved` are files whose places do not count.
    """
    if count == 0:
        return []
    if before is None:
        last = _others(through, to, moved).aggregate(last=Max("position"))["last"]
        start = GAP if last is None else last + GAP
        return [start + GAP * index for index in range(count)]
    found = _between(through, to, count, before=before, moved=moved)
    if not found:
        _renumber(through, to, room=count, before=before)
        found = _between(through, to, count, before=before, moved=moved)
    return found


def _between(
    through: type[Attachment], to: Model, count: int, *, before: UUID, moved: Sequence[UUID]
) -> list[int]:
    """Positions spread over the gap before a file; none where it is too small."""
    end = attached_rows(through, to).filter(media=before).values_list("position", flat=True)
    if (stop := end.first()) is None:
        raise NotVisibleError(before)
    earlier = _others(through, to, moved).filter(position__lt=stop)
    start = earlier.aggregate(last=Max("position"))["last"]
    start = -1 if start is None else start
    step = (stop - start) // (count + 1)
    return [start + step * (index + 1) for index in range(count)] if step else []


def _others(through: type[Attachment], to: Model, moved: Sequence[UUID]) -> QuerySet[Attachment]:
    return attached_rows(through, to).exclude(media__in=list(moved))


def _renumber(through: type[Attachment], to: Model, *, room: int, before: UUID) -> None:
    """Give all files of the list positions far apart, in the order they have, with a gap before
    the file `before` that `room` files fit into."""
    rows = list(
        attached_rows(through, to).order_by("position", "pk").only("pk", "position", "media")
    )
    position = 0
    for row in rows:
        position += GAP * (room if row.media_id == before else 1)
        row.position = position
    attached_rows(through, to).bulk_update(rows, ["position"], batch_size=ROWS_AT_ONCE)
