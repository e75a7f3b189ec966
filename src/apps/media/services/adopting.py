"""Taking over what another library holds: once each, with its words, its places and its addresses.

Every file comes in as any other does. That it was adopted is written in the transaction that makes
it, so a run that was killed goes on where it was, and two at once make nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as declared
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import IntegrityError, transaction

from apps.core.errors import AppError, StorageFullError, StorageUnavailableError
from apps.core.ids import id_at
from apps.media.adopting import Adoptable, Folder, OldAddress, Source
from apps.media.models import (
    LONGEST_PATH,
    Adoption,
    Collection,
    FormerAddress,
    MediaFile,
    Upload,
    Visibility,
)
from apps.media.models.collection import MAX_LEVELS
from apps.media.policies import Visitor
from apps.media.services.collecting import lay_into
from apps.media.services.collections import create_collection
from apps.media.services.editing import MAX_TAGS, check_texts
from apps.media.services.inspection import judge_unread
from apps.media.services.uploads import keep_received, receive_file

BATCH = 200
LONGEST_TAG = 64
STOPS = (StorageUnavailableError, StorageFullError)  # nothing will be better with the next file


@dataclass(frozen=True)
class Told:
    """What came of one object: taken over, there already, or refused, and why."""

    name: str
    taken: bool = False
    code: str = ""
    reason: str = ""


@dataclass
class _Run:
    """What one run has been told, and what it remembers of folders."""

    source: Source
    owner: Visitor | None
    visibility: str
    dry_run: bool
    collections: dict[Any, Collection | None] = declared(default_factory=dict)


class _ThereAlreadyError(Exception):
    """Another run was quicker."""


def adopt(
    *,
    source: Source,
    owner: Visitor | None = None,
    visibility: str = Visibility.UNLISTED,
    dry_run: bool = False,
) -> Iterator[Told]:
    """Take over every file of `source` that was not yet, and tell of each.

    What has no active owner becomes `owner`'s. What everybody could fetch gets `visibility`, the
    rest is private. Raises those of `STOPS`; then the same call goes on later. With `dry_run` only
    what first bytes and sizes tell is found out.
    """
    run = _Run(source, owner, visibility, dry_run)
    last = None
    while batch := source.after(last, BATCH):
        last = batch[-1].pk
        known = _known(source.name, [item.pk for item in batch])
        owners = _active_owners({item.owner_id for item in batch})
        for item in batch:
            if str(item.pk) in known:
                yield Told(item.name)
            else:
                yield _tell(run, item, owners.get(item.owner_id, owner))


def _known(name: str, keys: Sequence[Any]) -> set[str]:
    rows = Adoption.objects.filter(source=name, source_pk__in=[str(key) for key in keys])
    return set(rows.values_list("source_pk", flat=True))


def _active_owners(ids: set[Any]) -> dict[Any, Visitor]:
    found = get_user_model()._base_manager.in_bulk(ids - {None})
    return {pk: user for pk, user in found.items() if user.is_active}


def _tell(run: _Run, item: Adoptable, owner: Visitor | None) -> Told:
    name = item.name
    if owner is None:
        return Told(name, code="no_owner", reason="Its owner is unknown or closed: say --owner.")
    try:
        _judge(item) if run.dry_run else _take(run, item, owner)
    except STOPS:
        raise
    except _ThereAlreadyError:
        return Told(name)
    except AppError as error:
        return Told(name, code=error.code, reason=error.detail)
    except ValidationError as error:
        return Told(name, code="invalid", reason="; ".join(error.messages))
    except OSError as error:
        return Told(name, code="unreadable", reason=error.strerror or str(error))
    return Told(name, taken=True)


def _judge(item: Adoptable) -> None:
    with item.open() as file:
        judge_unread(file, name=item.original_name, size=file.size)


def _take(run: _Run, item: Adoptable, owner: Visitor) -> None:
    there = _adopted_bytes(item, owner) if run.source.shares_files else None
    if there is not None:
        with _noted(run, item) as adoption:
            _finish(adoption, there, item.addresses)
        return
    fields, tags = _said(item, run.visibility), _tags(item)
    check_texts(fields=fields, tags=tags)
    place = _ensure_collection(run, item.folders[:MAX_LEVELS], owner)
    with item.open() as source:
        file = File(source, name=item.original_name)
        receipt = receive_file(user=owner, file=file, source=Upload.Source.PATH)
    made = partial(_recorded, run, item, receipt.upload, place)
    if item.created_at is not None:
        fields["id"] = id_at(item.created_at)  # lists go by it
    keep_received(receipt, fields=fields, tags=tags, within=made)


def _adopted_bytes(item: Adoptable, owner: Visitor) -> MediaFile | None:
    """The file that another row of the source has brought from the same place."""
    rows = FormerAddress.objects.filter(path=item.addresses[0].path, width=None)
    row = rows.filter(media__owner=owner.pk).select_related("media").first()
    return row.media if row is not None else None


@contextmanager
def _noted(run: _Run, item: Adoptable) -> Iterator[Adoption]:
    """One transaction in which `item` is adopted; raises `_ThereAlreadyError` if it was."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                adoption = Adoption.objects.create(source=run.source.name, source_pk=str(item.pk))
        except IntegrityError as error:
            raise _ThereAlreadyError from error
        yield adoption


@contextmanager
def _recorded(
    run: _Run, item: Adoptable, upload: Upload, place: Collection | None
) -> Iterator[None]:
    """Around the making of the file: all that follows from it is there with it, or it is not."""
    with _noted(run, item) as adoption:
        yield
        media = MediaFile.objects.get(uploads=upload.pk)
        if item.created_at is not None:
            MediaFile.objects.filter(pk=media.pk).update(created_at=item.created_at)
        if place is not None:
            lay_into(collection=place, media=media)
        _finish(adoption, media, item.addresses)


def _finish(adoption: Adoption, media: MediaFile, addresses: Sequence[OldAddress]) -> None:
    adoption.media = media
    adoption.save(update_fields=["media"])
    rows = [
        FormerAddress(path=old.path, media=media, width=old.width, height=old.height)
        for old in addresses
        if 0 < len(old.path) <= LONGEST_PATH
    ]
    FormerAddress.objects.bulk_create(rows, ignore_conflicts=True)


# -- words -------------------------------------------------------------------------------------


def _said(item: Adoptable, visibility: str) -> dict[str, Any]:
    """What the file will say. Texts that are longer here than any may be are cut."""
    texts = {name: getattr(item, name) for name in ("title", "caption", "alt_text")}
    fields: dict[str, Any] = {name: _cut(name, text) for name, text in texts.items()}
    fields["visibility"] = Visibility.PRIVATE if item.private else visibility
    if item.focal is not None:
        fields["focal_x"], fields["focal_y"] = item.focal
    return fields


def _cut(name: str, text: str) -> str:
    field: Any = MediaFile._meta.get_field(name)
    return text[: field.max_length]


def _tags(item: Adoptable) -> list[str]:
    return [name[:LONGEST_TAG] for name in item.tags[:MAX_TAGS]]


# -- folders -----------------------------------------------------------------------------------


def _ensure_collection(run: _Run, folders: Sequence[Folder], owner: Visitor) -> Collection | None:
    """The collection that the last of `folders` has become, with those above it.

    A tree belongs to whoever had its outermost folder, else to the owner that was named, else to
    the owner of the first file in it. None where it was removed here.
    """
    if not folders:
        return None
    *above, folder = folders
    if folder.pk not in run.collections:
        parent = _ensure_collection(run, above, owner)
        run.collections[folder.pk] = (
            None if above and parent is None else _find_or_make(run, folder, parent, owner)
        )
    return run.collections[folder.pk]


@transaction.atomic
def _find_or_make(
    run: _Run, folder: Folder, parent: Collection | None, owner: Visitor
) -> Collection | None:
    adoption, new = Adoption.objects.select_related("collection__owner").get_or_create(
        source=run.source.folder_name, source_pk=str(folder.pk)
    )
    if not new:
        return adoption.collection
    user = parent.owner if parent else _owner_of(run, folder, owner)
    title = folder.title.strip()[:255] or "–"
    adoption.collection = create_collection(user=user, title=title, parent=parent)
    adoption.save(update_fields=["collection"])
    return adoption.collection


def _owner_of(run: _Run, folder: Folder, owner: Visitor) -> Visitor:
    return _active_owners({folder.owner_id}).get(folder.owner_id) or run.owner or owner
