"""Files that arrive in one go: from a form, from Python, from a path of the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Unpack

from django.core.files import File

from apps.media.models import MediaFile, Upload
from apps.media.policies import Visitor
from apps.media.services.duplicates import Declared, check_declared_words, settle_duplicate
from apps.media.services.editing import check_texts
from apps.media.services.finalizing import Within, finalize_upload
from apps.media.services.receiving import (
    CHUNK,
    LinkedFile,
    Receipt,
    ReceivedFile,
    receive_upload,
)
from apps.media.services.releasing import claim_again

_NOTHING_SAID = check_declared_words({})


def upload_media(  # noqa: PLR0913  # each is one thing that may be said of a file
    *,
    user: Visitor,
    file: File[Any],
    caption: str = "",
    alt_text: str = "",
    title: str = "",
    tags: Iterable[str] = (),
    visibility: str = "private",
    for_use: bool = False,
    source: str = Upload.Source.PYTHON,
    **declared: Unpack[Declared],
) -> MediaFile:
    """Take `file` (any Django file) into `user`'s library; processing starts after commit.

    What is `for_use` of another app's object lives as long as something uses it, and until the
    first use for `UNCLAIMED_LIFETIME` at most.

    What is `declared` of the bytes is checked when they are here; a file of the user that has the
    same `sha256` is told of, refused or given instead, as `on_duplicate` says.

    Raises `RejectedError` (its `code` says why), `ForbiddenError` for who may not upload,
    `ValidationError` for unusable texts, and those of `claim_again` where the file to be given has
    gone meanwhile. A file that arrived through this app's upload handler is already in storage and
    is not copied again.
    """
    fields: dict[str, Any] = {
        "caption": caption,
        "alt_text": alt_text,
        "title": title,
        "visibility": visibility,
        "for_use": for_use,
    }
    tags = list(tags)
    check_texts(fields=fields, tags=tags)
    checked = check_declared_words(declared)
    there = _find_linked(user, file, checked)
    if there is not None:
        claim_again(there, for_use=for_use)
        return there
    receipt = receive_file(user=user, file=file, source=source)
    return keep_received(_noted(receipt, checked), fields=fields, tags=tags)


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


def _find_linked(user: Visitor, file: File[Any], declared: Declared) -> MediaFile | None:
    """The file to be given instead of a copy, if the sender wants that; else None to go on."""
    if isinstance(file, LinkedFile):
        return file.media
    return settle_duplicate(
        owner_id=user.pk, sha256=declared["sha256"], wish=declared["on_duplicate"]
    )


def _noted(receipt: Receipt, declared: Declared) -> Receipt:
    """Inspection holds the bytes against the row."""
    if declared != _NOTHING_SAID:
        Upload.objects.filter(pk=receipt.upload.pk).update(**declared)
    return receipt


def receive_file(
    *, user: Visitor, file: File[Any], source: str, replaces: MediaFile | None = None
) -> Receipt:
    """All bytes of `file` in incoming storage, for the caller to keep or discard.

    A file that arrived through this app's upload handler is there already.
    """
    if isinstance(file, ReceivedFile):
        return file.claim()
    with receive_upload(
        user=user,
        name=file.name or "file",
        declared_size=_known_size(file),
        source=source,
        replaces=replaces,
    ) as receipt:
        for chunk in file.chunks(CHUNK):
            receipt.write(_as_bytes(chunk))
    return receipt


def keep_received(
    receipt: Receipt,
    *,
    fields: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    within: Within = nullcontext,
) -> MediaFile:
    """What has arrived becomes a file or a version of one; on any error nothing of it is left.
    `within` is as of `finalize_upload`."""
    try:
        receipt.close()
        return finalize_upload(upload=receipt.upload, fields=fields, tags=tags, within=within)
    except BaseException:
        receipt.discard()
        raise


def _known_size(file: File[Any]) -> int:
    try:
        return int(file.size or 0)
    except (AttributeError, OSError):
        return 0  # a stream: counted as it comes


def _as_bytes(chunk: bytes | str) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else chunk
