"""An upload becomes a media file, or a new version of one: the one way in for all bytes.

    row → incoming object → seal, promote → size, first bytes, header limits → MediaFile + jobs

Promotion comes first, so that what is judged is what no client can change any more. What only we
have written, in one go, is at its place already. Whatever was said about the bytes before is used
for display only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeAlias

from django.db import transaction
from django.utils import timezone

from apps.core.connections import lend_connection
from apps.core.errors import AppError, ObjectMissingError
from apps.core.storage import AppendingStore
from apps.media.exceptions import (
    RejectedError,
    SizeMismatchError,
    UploadInterruptedError,
)
from apps.media.metrics import UPLOADED_BYTES, UPLOADS, counting_rejections
from apps.media.models import MediaFile, MediaVersion, Status, Upload
from apps.media.services import quotas
from apps.media.services.deletion import raise_tombstone
from apps.media.services.editing import build_media, set_tags
from apps.media.services.inspection import Verdict, inspect_head
from apps.media.services.probing import enqueue_first_inspection
from apps.media.services.words import refresh_search_text
from apps.media.storage import original_key, store_of

Within: TypeAlias = Callable[[], AbstractContextManager[object]]


def finalize_upload(
    *,
    upload: Upload,
    fields: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
    within: Within = contextlib.nullcontext,
) -> MediaFile:
    """Turn a complete upload into a media file; the same upload gives the same file again.

    Trusts nothing said before: size and first bytes are read from storage. `fields` and `tags` add
    to those of the row. `within` is around the writing, for who has to see that it still may be, or
    to write more. Raises `RejectedError`, after which nothing of the bytes is left but the
    row, for the caller to drop.
    """
    if upload.key != upload.final_key:
        _promote(upload)
    if upload.media is not None:
        return upload.media
    said = {**upload.fields, **(fields or {})}
    names = list(said.pop("tags", [])) if tags is None else list(tags)
    try:
        lend_connection()
        with counting_rejections():
            verdict = inspect_head(upload)
            if upload.length is not None and verdict.size != upload.length:
                raise SizeMismatchError(upload.pk, verdict.size)
        with within(), counting_rejections():
            return _record(upload, verdict, fields=said, tags=names)
    except RejectedError:
        _drop_object(upload)
        raise


def _promote(upload: Upload) -> None:
    """Move the object to a key that nobody outside can write; the row names the key first.

    Reads the row anew; what has become a file already stays as it is.
    """
    if not upload.final_key:
        Upload.objects.filter(pk=upload.pk, final_key="").update(final_key=original_key())
    upload.refresh_from_db()
    if upload.media is not None:
        return
    store = store_of(upload.storage)
    lend_connection()
    if upload.is_appended and isinstance(store, AppendingStore):
        with contextlib.suppress(ObjectMissingError):  # promoted before: `promote` will see
            store.seal(upload.key, size=upload.offset, state=upload.storage_state)
    store.promote(upload.key, upload.final_key)


def _drop_object(upload: Upload) -> None:
    """At once, unless another finalize has made a file of it; else the row's tombstones will."""
    if Upload.objects.filter(pk=upload.pk, media=None).exists():
        with contextlib.suppress(AppError):
            store_of(upload.storage).remove(upload.final_key)


@transaction.atomic
def _record(
    upload: Upload, verdict: Verdict, *, fields: Mapping[str, Any], tags: list[str]
) -> MediaFile:
    # The file first, as whoever deletes it does; then the upload alone: other uploads of the owner
    # hold on to the owner's row meanwhile.
    replaced = _lock_replaced(upload)
    locked = Upload.objects.select_for_update(of=("self",)).select_related("owner")
    found = locked.filter(pk=upload.pk).first()
    if found is None:  # expired, or its owner was deleted, in this very moment
        raise UploadInterruptedError(upload.pk)
    upload = found
    if upload.media is not None:
        return upload.media
    quotas.charge(upload=upload, size=verdict.size)
    if upload.replaces_id is None:
        media = _add_file(upload, verdict, fields)
    elif replaced is None:
        raise UploadInterruptedError(upload.pk)
    else:
        media = _add_version(replaced, upload, verdict)
    if tags:
        set_tags(media=media, names=tags)
    _forget_incoming(upload)
    upload.state, upload.media = Upload.State.COMPLETED, media
    upload.save(update_fields=["state", "media", "reserved", "storage_state", "updated_at"])
    enqueue_first_inspection(media)
    transaction.on_commit(partial(_count, upload.source, verdict.size))
    return media


def _count(source: str, size: int) -> None:
    UPLOADS.labels(source).inc()
    UPLOADED_BYTES.labels(source).inc(size)


def _lock_replaced(upload: Upload) -> MediaFile | None:
    if upload.replaces_id is None:
        return None
    return MediaFile.objects.select_for_update().filter(pk=upload.replaces_id).first()


def _add_file(upload: Upload, verdict: Verdict, fields: Mapping[str, Any]) -> MediaFile:
    media = build_media(owner=upload.owner, **_facts(upload, verdict), **fields)
    media.owner = upload.owner
    media.save(force_insert=True)
    media.take_facts(_record_version(media, upload, verdict, number=media.version))
    return media


def _add_version(media: MediaFile, upload: Upload, verdict: Verdict) -> MediaFile:
    """The file stays what it is to others, its bytes included until the new ones are known to be
    good: its id, texts, rights and address."""
    media.versions.filter(number=media.version).update(replaced_at=timezone.now())
    media.latest_version += 1
    media.take_facts(_record_version(media, upload, verdict, number=media.latest_version))
    media.status, media.progress = Status.PENDING, 0
    media.failure_code = media.failure_message = ""
    media.duplicate_of = None
    media.save()
    refresh_search_text(media)
    return media


def _facts(upload: Upload, verdict: Verdict) -> dict[str, Any]:
    return {
        "original_name": upload.original_name,
        "media_type": verdict.media_type,
        "mime_type": verdict.mime_type,
        "size": verdict.size,
        "width": verdict.width,
        "height": verdict.height,
    }


def _record_version(
    media: MediaFile, upload: Upload, verdict: Verdict, *, number: int
) -> MediaVersion:
    facts = _facts(upload, verdict)
    del facts["media_type"]
    return MediaVersion.objects.create(
        media=media, number=number, storage=upload.storage, key=upload.final_key, **facts
    )


def _forget_incoming(upload: Upload) -> None:
    """Who holds a signed address may write to the incoming key until it expires."""
    if upload.source == Upload.Source.DIRECT:
        raise_tombstone(
            storage=upload.storage,
            key=upload.key,
            storage_state=upload.storage_state,
            due_at=upload.expires_at,
        )
