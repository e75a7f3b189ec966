"""Putting media files to use: into a field of an object, or into its ordered list.

Whether the user may change the object is for its own app to say before it calls these. The object's
row is locked first, then the files along their ids; who cleans up locks one file and looks for its
uses only then, so that a file which is being attached is never cleaned up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import ForeignKey, Model, QuerySet

from apps.core.words import gettext_noop as _
from apps.media.exceptions import (
    AttachedTwiceError,
    CannotAttachError,
    NotVisibleError,
    TooLargeHereError,
    TooManyAttachedError,
    WrongKindError,
)
from apps.media.fields import KINDS, Crop, MediaField
from apps.media.models import MediaAttachment, MediaFile, Status
from apps.media.policies import Action, Visitor, can_access
from apps.media.services.releasing import release_later
from apps.media.services.rendering import request_for_uses

Attachment = TypeVar("Attachment", bound=MediaAttachment)
WITHOUT_USE = (Status.FAILED, Status.QUARANTINED)


@dataclass(frozen=True)
class AttachmentItem:
    """One file of a list, and how it is shown there. `focal` is two fractions (x, y) of the upright
    picture; empty words and no focal point leave those of the file in force."""

    media: MediaFile
    alt_text: str = ""
    caption: str = ""
    crop: Crop | None = None
    focal: tuple[float, float] | None = None


@transaction.atomic
def attach_media(
    *, user: Visitor, media: MediaFile, to: Model, field: str, crop: Crop | None = None
) -> None:
    """Have the field `field` of the saved object `to` use `media`, of which `crop` is shown.

    Raises `CannotAttachError`, `WrongKindError`, `TooLargeHereError`; `NotVisibleError` if the file
    or the object has gone. A file that is there already is not checked anew.
    """
    declared = _media_field(to, field)
    host = lock_host(to)
    before = getattr(host, declared.attname)
    locked = lock_files([media.pk])
    if before != media.pk:
        kinds = getattr(declared, "kinds", KINDS)
        ensure_attachable(
            user=user, media=locked[0], kinds=kinds, max_size=getattr(declared, "max_size", None)
        )
    claim_files(locked)
    _set_use(to, declared, media=media, crop=crop)
    if before not in {None, media.pk}:
        release_later([before])
    if getattr(declared, "recipe", ""):
        request_for_uses(locked[0])


@transaction.atomic
def detach_media(*, user: Visitor, to: Model, field: str) -> None:
    """Have the field `field` of the saved object `to` use no file. Takes no right to the file:
    whoever may change the object may leave it without one."""
    declared = _media_field(to, field)
    before = getattr(lock_host(to), declared.attname)
    _set_use(to, declared, media=None, crop=None)
    if before is not None:
        release_later([before])


@transaction.atomic
def set_attachments(
    *, user: Visitor, to: Model, through: type[Attachment], items: Sequence[AttachmentItem]
) -> list[Attachment]:
    """Have the saved object `to` use exactly the files of `items`, in this order; return its rows
    of the model `through`.

    Files that are attached already stay so whoever calls. Raises `TooManyAttachedError`,
    `AttachedTwiceError` and those of `attach_media`; then nothing has changed.
    """
    ids = [item.media.pk for item in items]
    if len(set(ids)) < len(ids):
        raise AttachedTwiceError()
    if len(ids) > through.accepts.max_count:
        most = through.accepts.max_count
        raise TooManyAttachedError(
            detail=_("At most %(most)s files are accepted here."), values={"most": most}
        )
    lock_host(to)
    there = {row.media_id: row for row in attached_rows(through, to)}
    locked = lock_files([pk for pk in ids if pk not in there])
    for media in locked:
        accepts = through.accepts
        ensure_attachable(user=user, media=media, kinds=accepts.kinds, max_size=accepts.max_size)
    claim_files(locked)
    attached_rows(through, to).exclude(media__in=ids).delete()
    written = _write(through, to, items, there)
    if through.accepts.recipe:
        for row in written:
            request_for_uses(row.media)
    return written


def ensure_attachable(
    *,
    user: Visitor,
    media: MediaFile,
    kinds: Collection[str] = KINDS,
    max_size: int | None = None,
) -> None:
    """Raise what forbids `user` to attach `media` where `kinds` of at most `max_size` bytes are
    taken: `NotVisibleError`, `CannotAttachError`, `WrongKindError`, `TooLargeHereError`."""
    if not can_access(user, media, Action.ATTACH):
        hidden = not can_access(user, media, Action.VIEW)
        raise NotVisibleError(media.pk) if hidden else CannotAttachError(media.pk)
    if media.deleted_at is not None:
        raise CannotAttachError(media.pk, detail=_("This file is in the trash."))
    if media.status in WITHOUT_USE:
        raise CannotAttachError(media.pk, detail=_("This file could not be processed."))
    if media.media_type not in kinds:
        taken = ", ".join(sorted(kinds))
        raise WrongKindError(
            media.pk,
            detail=_("Only files of these kinds are accepted: %(taken)s."),
            values={"taken": taken},
        )
    if max_size is not None and media.size > max_size:
        raise TooLargeHereError(media.pk, media.size)


def _media_field(to: Model, name: str) -> ForeignKey[Any, Any]:
    field = to._meta.get_field(name)
    if not isinstance(field, ForeignKey) or field.related_model is not MediaFile:
        raise TypeError(f"{to._meta.label}.{name} is no reference to a media file")
    return field


def lock_host(to: Model) -> Model:
    """The object as it is now; two who change what it uses come one after the other."""
    rows: QuerySet[Model] = QuerySet(model=type(to))
    host = rows.select_for_update(of=("self",)).filter(pk=to.pk).first()
    if host is None:
        raise NotVisibleError(to._meta.label, to.pk)
    return host


def lock_files(ids: Iterable[Any]) -> list[MediaFile]:
    """The files as they are now, along their ids. Raises `NotVisibleError` if one has gone."""
    wanted = set(ids)
    rows = MediaFile.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    locked = list(rows)
    if missing := wanted - {media.pk for media in locked}:
        raise NotVisibleError(*missing)
    return locked


def claim_files(locked: Sequence[MediaFile]) -> None:
    """They are used from now on: their time does not run out."""
    ids = [media.pk for media in locked if media.expires_at is not None]
    if ids:
        MediaFile.objects.filter(pk__in=ids).update(expires_at=None)


def _set_use(
    to: Model, field: ForeignKey[Any, Any], *, media: MediaFile | None, crop: Crop | None
) -> None:
    setattr(to, field.name, media)
    changed = [field.name]
    if isinstance(field, MediaField) and field.crop_field:
        setattr(to, field.crop_field, crop)
        changed.append(field.crop_field)
    to.save(update_fields=changed)


def attached_rows(through: type[Attachment], to: Model) -> QuerySet[Attachment]:
    """What is attached to the object, in its order."""
    return QuerySet(model=through).filter(**{through.host_field().name: to}).order_by("position")


def _write(
    through: type[Attachment],
    to: Model,
    items: Sequence[AttachmentItem],
    there: dict[Any, Attachment],
) -> list[Attachment]:
    rows = []
    for position, item in enumerate(items):
        row = there.get(item.media.pk) or through(**{through.host_field().name: to})
        row.media, row.position = item.media, position
        row.alt_text, row.caption, row.crop = item.alt_text, item.caption, item.crop
        row.focal_x, row.focal_y = item.focal or (None, None)
        row.clean_fields(exclude=[through.host_field().name, "media"])
        rows.append(row)
    every: QuerySet[Attachment] = QuerySet(model=through)
    every.bulk_create([row for row in rows if row.media_id not in there])
    columns = ["position", "alt_text", "caption", "crop", "focal_x", "focal_y"]
    every.bulk_update([row for row in rows if row.media_id in there], columns)
    return rows
