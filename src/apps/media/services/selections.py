"""One action on many files that somebody has selected.

The files are taken in pages, each in one transaction and in as many queries whether there are five
or five hundred; what is decided for one of them is what the service for a single file decides. A
refusal of one does not stop the others. Deleting for good alone goes file by file: the receivers
that write tombstones and correct the account do so for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, ForbiddenError, NotVisibleError, WrongStateError
from apps.media.models import (
    AuditEvent,
    Collection,
    Emptying,
    Lifetime,
    MediaFile,
    ShareLink,
    Visibility,
    fold_tag,
)
from apps.media.policies import Action, Visitor, rights_among, visible_to
from apps.media.selectors import list_media_by_ids
from apps.media.services.auditing import note_many
from apps.media.services.collecting import MOST_AT_ONCE, add_items, lock_visible
from apps.media.services.collections import create_collection
from apps.media.services.deletion import announce_withdrawal, delete_media
from apps.media.services.editing import MAX_TAGS, ensure_tags, tag_names
from apps.media.services.sharing import create_share_link
from apps.media.services.words import refresh_search_texts

MOST_SELECTED = 2_000  # files
MOST_RESTORED = 10_000  # a few seconds
_CARRIED = MediaFile.tags.through


@dataclass(frozen=True)
class Outcome:
    """What became of one file: an empty `code` is success."""

    media_id: UUID
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class SharedSelection:
    """What was made of files to be shared; without any that may be, nothing."""

    outcomes: list[Outcome]
    collection: Collection | None = None
    link: ShareLink | None = None


def delete_many(
    *, user: Visitor, ids: Sequence[UUID], permanent: bool = False, moment: datetime | None = None
) -> list[Outcome]:
    """Move the files to the trash, or remove them for good.

    All come into the trash at `moment`, by which `restore_trashed` finds them again; where the
    trash was emptied since, after that.
    """
    if permanent:
        found = list_media_by_ids(user=user, ids=_counted(ids))
        return [_remove(user, pk, found.get(pk)) for pk in dict.fromkeys(ids)]
    thrown = moment or timezone.now()
    return _in_pages(ids, lambda page: _trash(user, page, thrown))


def restore_many(*, user: Visitor, ids: Sequence[UUID]) -> list[Outcome]:
    """Take the files out of the trash."""
    return _in_pages(ids, lambda page: _restore(user, page))


def restore_trashed(*, user: Visitor, moment: datetime) -> tuple[list[Outcome], bool]:
    """Take back what came into the trash at exactly that moment, at most `MOST_RESTORED` at a time.

    Returns also whether there is more.
    """
    thrown = MediaFile.objects.filter(visible_to(user), deleted_at=moment).order_by("pk")
    ids = list(thrown.values_list("pk", flat=True)[: MOST_RESTORED + 1])
    now, is_more = ids[:MOST_RESTORED], len(ids) > MOST_RESTORED
    pieces = (now[at : at + MOST_SELECTED] for at in range(0, len(now), MOST_SELECTED))
    return [done for piece in pieces for done in restore_many(user=user, ids=piece)], is_more


def tag_many(*, user: Visitor, ids: Sequence[UUID], tags: Iterable[str]) -> list[Outcome]:
    """Give each of the files these tags besides those it has. Raises `ValidationError`."""
    names = tag_names(tags)
    return _in_pages(ids, lambda page: _tag(user, page, names))


def untag_many(*, user: Visitor, ids: Sequence[UUID], tags: Iterable[str]) -> list[Outcome]:
    """Take these tags off each of the files."""
    gone = {fold_tag(name) for name in tags}
    return _in_pages(ids, lambda page: _untag(user, page, gone))


def publish_many(*, user: Visitor, ids: Sequence[UUID], visibility: str) -> list[Outcome]:
    """Make each of the files as visible as said. Raises `BadRequestError` for no visibility."""
    if visibility not in Visibility.values:
        raise BadRequestError(detail=_("Say private, unlisted or public."))
    return _in_pages(ids, lambda page: _publish(user, page, visibility))


def collect_many(*, user: Visitor, ids: Sequence[UUID], collection: Collection) -> list[Outcome]:
    """Put the files into `collection`, in this order. Raises `ForbiddenError`."""
    return _in_pages(ids, lambda page: _collect(user, page, collection))


@transaction.atomic
def share_many(
    *, user: Visitor, ids: Sequence[UUID], title: str, begun: Collection | None = None
) -> SharedSelection:
    """Put the files of `user` into a new collection with a link that opens it, or into the one that
    was `begun` so.

    What belongs to somebody else is left out: a collection opens only what its owner put in. Raises
    `NotVisibleError` when one was removed meanwhile, `ValidationError` for a title that cannot be.
    """
    found = list_media_by_ids(user=user, ids=_counted(ids, most=MOST_SELECTED))
    outcomes = [_shareable(user, pk, found.get(pk)) for pk in dict.fromkeys(ids)]
    taken = [outcome.media_id for outcome in outcomes if not outcome.code]
    if not taken:
        return SharedSelection(outcomes, begun)
    lock_visible(user, taken)  # all at once: who holds the collection waits for no file
    collection = begun or create_collection(user=user, title=title)
    for page in _pages(taken):
        add_items(user=user, collection=collection, media_ids=page)
    link = None if begun else create_share_link(user=user, media=collection)
    return SharedSelection(outcomes, collection, link)


# -- pages -------------------------------------------------------------------------------------


def _in_pages(
    ids: Sequence[UUID], act: Callable[[Sequence[UUID]], dict[UUID, AppError]]
) -> list[Outcome]:
    """What `act`, which is given some at a time, refuses; the rest is done."""
    outcomes = []
    for page in _pages(list(dict.fromkeys(_counted(ids, most=MOST_SELECTED)))):
        refused = act(page)
        outcomes += [_refusal(pk, refused[pk]) if pk in refused else Outcome(pk) for pk in page]
    return outcomes


def _pages(ids: list[UUID]) -> Iterable[list[UUID]]:
    return (ids[start : start + MOST_AT_ONCE] for start in range(0, len(ids), MOST_AT_ONCE))


def _counted(ids: Sequence[UUID], *, most: int = MOST_AT_ONCE) -> Sequence[UUID]:
    if len(ids) > most:
        raise BadRequestError(detail=_("At most %(most)s files at once."), values={"most": most})
    return ids


def _refusal(pk: UUID, error: AppError) -> Outcome:
    return Outcome(pk, code=error.code, detail=error.detail)


def _judge(
    user: Visitor, ids: Sequence[UUID], *needed: Action
) -> tuple[list[MediaFile], dict[UUID, AppError]]:
    """Those of the files with which `user` may do what is `needed`, locked, and why not the others.

    They are locked along their ids, so that two who act at once do not wait crosswise.
    """
    visible = MediaFile.objects.filter(visible_to(user), pk__in=ids).defer("owner_text")
    rows = list(visible.select_for_update(of=("self",)).order_by("pk"))
    rights = rights_among(user, rows)
    seen = {media.pk for media in rows}
    refused: dict[UUID, AppError] = {pk: NotVisibleError(pk) for pk in ids if pk not in seen}
    may = [media for media in rows if rights[media.pk].issuperset(needed)]
    refused |= {pk: ForbiddenError(pk) for pk in seen - {media.pk for media in may}}
    return may, refused


def _rows(rows: Iterable[MediaFile]) -> Iterable[UUID]:
    return [media.pk for media in rows]


# -- acts --------------------------------------------------------------------------------------


@transaction.atomic
def _trash(user: Visitor, ids: Sequence[UUID], moment: datetime) -> dict[UUID, AppError]:
    rows, refused = _judge(user, ids, Action.DELETE)
    fresh = [media for media in rows if media.deleted_at is None]
    for media in fresh:
        announce_withdrawal(media)
    thrown = MediaFile.objects.filter(pk__in=_rows(fresh))
    thrown.update(deleted_at=moment)
    for owner, asked_at in _emptied(fresh).items():
        if asked_at >= moment:  # which would cover what nobody had thrown away then
            thrown.filter(owner=owner).update(deleted_at=asked_at + timedelta(microseconds=1))
    note_many(AuditEvent.Act.TRASHED, user=user, details={media.pk: {} for media in fresh})
    return refused


@transaction.atomic
def _restore(user: Visitor, ids: Sequence[UUID]) -> dict[UUID, AppError]:
    rows, refused = _judge(user, ids, Action.DELETE)
    asked = _emptied(rows)
    back = []
    for media in rows:
        if media.deleted_at is None:
            refused[media.pk] = WrongStateError(
                media.pk, detail=_("This file is not in the trash.")
            )
        elif media.owner_id in asked and asked[media.owner_id] >= media.deleted_at:
            detail = _("The trash was emptied: this file is being deleted.")
            refused[media.pk] = WrongStateError(media.pk, detail=detail)
        else:
            back.append(media)
    MediaFile.objects.filter(pk__in=_rows(back)).update(
        deleted_at=None, lifetime=Lifetime.KEPT, expires_at=None
    )
    note_many(AuditEvent.Act.RESTORED, user=user, details={media.pk: {} for media in back})
    return refused


def _emptied(rows: Iterable[MediaFile]) -> dict[Any, datetime]:
    """When their owners emptied the trash, as far as that still goes on."""
    emptied = Emptying.objects.filter(owner__in={media.owner_id for media in rows})
    return dict(emptied.values_list("owner", "asked_at"))


@transaction.atomic
def _tag(user: Visitor, ids: Sequence[UUID], names: Sequence[str]) -> dict[UUID, AppError]:
    rows, refused = _judge(user, ids, Action.EDIT)
    wanted = {fold_tag(name) for name in names}
    there: dict[UUID, set[str]] = {media.pk: set() for media in rows}
    carried = _CARRIED.objects.filter(mediafile__in=_rows(rows))
    for pk, folded in carried.values_list("mediafile", "tag__folded"):
        there[pk].add(folded)
    full = {pk for pk, own in there.items() if len(own | wanted) > MAX_TAGS}
    refused |= {pk: _too_many_tags(pk) for pk in full}
    taking = [media for media in rows if media.pk not in full]
    _note_tags(user, [media.pk for media in taking if wanted - there[media.pk]])
    tags = ensure_tags(owner_ids={media.owner_id for media in taking}, names=names)
    _CARRIED.objects.bulk_create(
        [
            _CARRIED(mediafile_id=media.pk, tag_id=tag.pk)
            for media in taking
            for tag in tags
            if tag.owner_id == media.owner_id and tag.folded not in there[media.pk]
        ],
        ignore_conflicts=True,
    )
    refresh_search_texts(taking)
    return refused


def _too_many_tags(pk: UUID) -> AppError:
    return BadRequestError(pk, detail=_("At most %(most)s tags."), values={"most": MAX_TAGS})


@transaction.atomic
def _untag(user: Visitor, ids: Sequence[UUID], gone: set[str]) -> dict[UUID, AppError]:
    rows, refused = _judge(user, ids, Action.EDIT)
    carried = _CARRIED.objects.filter(mediafile__in=_rows(rows), tag__folded__in=gone)
    _note_tags(user, carried.values_list("mediafile", flat=True).distinct())
    carried.delete()
    refresh_search_texts(rows)
    return refused


def _note_tags(user: Visitor, ids: Iterable[UUID]) -> None:
    note_many(AuditEvent.Act.EDITED, user=user, details={pk: {"fields": ["tags"]} for pk in ids})


@transaction.atomic
def _publish(user: Visitor, ids: Sequence[UUID], visibility: str) -> dict[UUID, AppError]:
    rows, refused = _judge(user, ids, Action.EDIT, Action.SHARE)
    changing = [media for media in rows if media.visibility != visibility]
    for media in changing:
        announce_withdrawal(media)  # of what is public: it is going to be something else
    changed = MediaFile.objects.filter(pk__in=_rows(changing))
    changed.update(visibility=visibility, updated_at=timezone.now())
    details = {
        media.pk: {
            "before": {"visibility": media.visibility},
            "after": {"visibility": visibility},
        }
        for media in changing
    }
    note_many(AuditEvent.Act.VISIBILITY, user=user, details=details)
    return refused


def _collect(user: Visitor, ids: Sequence[UUID], collection: Collection) -> dict[UUID, AppError]:
    found = list_media_by_ids(user=user, ids=ids)
    shown = [pk for pk in ids if pk in found and found[pk].deleted_at is None]
    add_items(user=user, collection=collection, media_ids=shown)
    return {pk: NotVisibleError(pk) for pk in ids if pk not in shown}


def _shareable(user: Visitor, pk: UUID, media: MediaFile | None) -> Outcome:
    if media is None or media.deleted_at is not None:
        return _refusal(pk, NotVisibleError(pk))
    return Outcome(pk) if media.owner_id == user.pk else _refusal(pk, ForbiddenError(pk))


def _remove(user: Visitor, pk: UUID, media: MediaFile | None) -> Outcome:
    try:
        if media is None:
            raise NotVisibleError(pk)
        delete_media(user=user, media=media, permanent=True)
    except AppError as error:
        return _refusal(pk, error)
    return Outcome(pk)
