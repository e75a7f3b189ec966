"""Bytes become a media file: from a form, from Python, from a path — through one `finalize`.

    row → incoming object → finalize (size, first bytes, header limits) → promote → MediaFile + Job

Whatever a client told about the bytes is used for display only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db import transaction

from apps.media.exceptions import UploadInterruptedError
from apps.media.models import MediaFile, MediaVersion, Upload
from apps.media.policies import Visitor
from apps.media.services import quotas
from apps.media.services.editing import build_media, check_texts, set_tags
from apps.media.services.inspection import Verdict, inspect_head
from apps.media.services.probing import enqueue_inspection
from apps.media.services.receiving import CHUNK, Receipt, ReceivedFile, receive_upload
from apps.media.storage import original_key, store_of


def upload_media(
    *,
    user: Visitor,
    file: File[Any],
    caption: str = "",
    alt_text: str = "",
    title: str = "",
    tags: Iterable[str] = (),
    visibility: str = "private",
    source: str = Upload.Source.PYTHON,
) -> MediaFile:
    """Take `file` (any Django file) into `user`'s library; processing starts after commit.

    Raises `RejectedError` (its `code` says why), `ForbiddenError` for who may not upload, and
    `ValidationError` for unusable texts. A file that arrived through this app's upload handler is
    already in storage and is not copied again.
    """
    fields = {"caption": caption, "alt_text": alt_text, "title": title, "visibility": visibility}
    tags = list(tags)
    check_texts(fields=fields, tags=tags)
    if isinstance(file, ReceivedFile):
        return _keep(file.claim(), fields=fields, tags=tags)
    with receive_upload(
        user=user, name=file.name or "file", declared_size=_known_size(file), source=source
    ) as receipt:
        for chunk in file.chunks(CHUNK):
            receipt.write(_as_bytes(chunk))
        return _keep(receipt, fields=fields, tags=tags)


def import_media_from_path(*, user: Visitor, path: Path | str, **fields: Any) -> MediaFile:
    """Copy the file at `path` on the server into `user`'s library; the source is left alone.

    Takes the fields of `upload_media`. For code and commands of the operator, never for a path
    that came from a visitor. Raises as `upload_media` does, and `OSError`.
    """
    path = Path(path)
    with path.open("rb") as source:
        return upload_media(
            user=user, file=File(source, name=path.name), source=Upload.Source.PATH, **fields
        )


def _keep(receipt: Receipt, *, fields: Mapping[str, str], tags: Iterable[str]) -> MediaFile:
    try:
        receipt.close()
        return finalize_upload(upload=receipt.upload, fields=fields, tags=tags)
    except BaseException:
        receipt.discard()
        raise


def finalize_upload(
    *, upload: Upload, fields: Mapping[str, str], tags: Iterable[str] = ()
) -> MediaFile:
    """Turn a complete upload into a media file; the same upload gives the same file again.

    Trusts nothing said before: size and first bytes are read from storage. Raises `RejectedError`.
    """
    upload.refresh_from_db()
    if upload.media is not None:
        return upload.media
    verdict = inspect_head(upload)
    _promote(upload)
    return _record(upload, verdict, fields=fields, tags=list(tags))


def _promote(upload: Upload) -> None:
    """Move the object to a key that nobody outside can write; the row names the key first."""
    Upload.objects.filter(pk=upload.pk, final_key="").update(final_key=original_key())
    upload.refresh_from_db(fields=["final_key"])
    store_of(upload.storage).promote(upload.key, upload.final_key)


@transaction.atomic
def _record(
    upload: Upload, verdict: Verdict, *, fields: Mapping[str, str], tags: list[str]
) -> MediaFile:
    # The upload alone: other uploads of the owner hold on to the owner's row meanwhile.
    locked = Upload.objects.select_for_update(of=("self",)).select_related("owner")
    found = locked.filter(pk=upload.pk).first()
    if found is None:  # expired, or its owner was deleted, in this very moment
        raise UploadInterruptedError(upload.pk)
    upload = found
    if upload.media is not None:
        return upload.media
    quotas.charge(upload=upload, size=verdict.size)
    media = build_media(
        owner=upload.owner,
        original_name=upload.original_name,
        media_type=verdict.media_type,
        mime_type=verdict.mime_type,
        size=verdict.size,
        width=verdict.width,
        height=verdict.height,
        **fields,
    )
    media.save(force_insert=True)
    _record_version(media, upload)
    if tags:
        set_tags(media=media, names=tags)
    upload.state, upload.media = Upload.State.COMPLETED, media
    upload.save(update_fields=["state", "media", "reserved"])
    enqueue_inspection(media)
    return media


def _record_version(media: MediaFile, upload: Upload) -> MediaVersion:
    return MediaVersion.objects.create(
        media=media,
        number=media.version,
        storage=upload.storage,
        key=upload.final_key,
        original_name=media.original_name,
        mime_type=media.mime_type,
        size=media.size,
        width=media.width,
        height=media.height,
    )


def _known_size(file: File[Any]) -> int:
    try:
        return int(file.size or 0)
    except (AttributeError, OSError):
        return 0  # a stream: counted as it comes


def _as_bytes(chunk: bytes | str) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else chunk
