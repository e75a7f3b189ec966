"""One action on many files that somebody has selected. Each is judged by the service that does the
same to one file; a refusal of one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.core.errors import AppError
from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, NotVisibleError
from apps.media.models import Collection, MediaFile, fold_tag
from apps.media.policies import Visitor
from apps.media.selectors import list_media_by_ids
from apps.media.services.collecting import MOST_AT_ONCE, add_items
from apps.media.services.deletion import delete_media, restore_media
from apps.media.services.editing import update_media
from apps.media.services.locks import lock_media


@dataclass(frozen=True)
class Outcome:
    """What became of one file: an empty `code` is success."""

    media_id: UUID
    code: str = ""
    detail: str = ""


def delete_many(*, user: Visitor, ids: Sequence[UUID], permanent: bool = False) -> list[Outcome]:
    """Move the files to the trash, or remove them for good."""
    return _each(user, ids, lambda media: delete_media(user=user, media=media, permanent=permanent))


def restore_many(*, user: Visitor, ids: Sequence[UUID]) -> list[Outcome]:
    """Take the files out of the trash."""
    return _each(user, ids, lambda media: restore_media(user=user, media=media))


def tag_many(*, user: Visitor, ids: Sequence[UUID], tags: Iterable[str]) -> list[Outcome]:
    """Give each of the files these tags besides those it has."""
    return _each(user, ids, lambda media: _retag(user, media, add=list(tags)))


def untag_many(*, user: Visitor, ids: Sequence[UUID], tags: Iterable[str]) -> list[Outcome]:
    """Take these tags off each of the files."""
    return _each(user, ids, lambda media: _retag(user, media, remove=list(tags)))


def publish_many(*, user: Visitor, ids: Sequence[UUID], visibility: str) -> list[Outcome]:
    """Make each of the files as visible as said."""
    return _each(
        user, ids, lambda media: update_media(user=user, media=media, visibility=visibility)
    )


def collect_many(*, user: Visitor, ids: Sequence[UUID], collection: Collection) -> list[Outcome]:
    """Put the files into `collection`, in this order. Raises `ForbiddenError`."""
    found = list_media_by_ids(user=user, ids=_counted(ids))
    shown = [pk for pk in dict.fromkeys(ids) if pk in found and found[pk].deleted_at is None]
    add_items(user=user, collection=collection, media_ids=shown)
    return [Outcome(pk) if pk in shown else _refusal(pk, NotVisibleError(pk)) for pk in ids]


def _each(user: Visitor, ids: Sequence[UUID], act: Callable[[MediaFile], Any]) -> list[Outcome]:
    found = list_media_by_ids(user=user, ids=_counted(ids))
    return [_try(pk, found.get(pk), act) for pk in dict.fromkeys(ids)]


def _counted(ids: Sequence[UUID]) -> Sequence[UUID]:
    if len(ids) > MOST_AT_ONCE:
        raise BadRequestError(
            detail=_("At most %(most)s files at once."), values={"most": MOST_AT_ONCE}
        )
    return ids


def _try(pk: UUID, media: MediaFile | None, act: Callable[[MediaFile], Any]) -> Outcome:
    try:
        if media is None:
            raise NotVisibleError(pk)
        act(media)
    except AppError as error:
        return _refusal(pk, error)
    except ValidationError as error:
        return Outcome(pk, code="invalid", detail=" ".join(error.messages))
    return Outcome(pk)


def _refusal(pk: UUID, error: AppError) -> Outcome:
    return Outcome(pk, code=error.code, detail=error.detail)


@transaction.atomic
def _retag(
    user: Visitor, media: MediaFile, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> None:
    """Under the lock, so that of two who tag at once neither undoes the other."""
    locked = lock_media(media)
    gone = {fold_tag(name) for name in remove}
    kept = [
        name for name in locked.tags.values_list("name", flat=True) if fold_tag(name) not in gone
    ]
    update_media(user=user, media=media, tags=[*kept, *add])
