"""The same bytes twice in one library: told always, refused or linked when the sender wants that.

Told, not enforced: of two copies that come at once both are kept, and one is told of.
"""

from __future__ import annotations

import re
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext

from apps.media.exceptions import ChecksumMismatchError, DuplicateFileError
from apps.media.models import MediaFile, MediaVersion, Status, Upload

_SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_AT_ONCE = 500
_BAD = (Status.FAILED, Status.QUARANTINED)


class Declared(TypedDict, total=False):
    """What a sender says of the bytes: their SHA-256 in hex, and what to do with a copy."""

    sha256: str
    on_duplicate: str


def check_declared_words(declared: Declared) -> Declared:
    """Both as the row of an upload keeps them; raises `ValidationError`."""
    sha256 = declared.get("sha256", "").strip().lower()
    wish = declared.get("on_duplicate") or Upload.OnDuplicate.KEEP
    if sha256 and not _SHA256.fullmatch(sha256):
        raise ValidationError({"sha256": gettext("A SHA-256 has 64 hexadecimal digits.")})
    if wish not in Upload.OnDuplicate.values:
        raise ValidationError({"on_duplicate": gettext("Say keep, refuse or link.")})
    return {"sha256": sha256, "on_duplicate": wish}


def find_duplicate(*, owner_id: Any, sha256: str, size: int | None = None) -> MediaFile | None:
    """The owner's oldest file of these bytes that is neither in the trash nor refused.

    A file that nobody has hashed yet counts by the hash that was declared for it.
    """
    if not sha256:
        return None
    living = _living(owner_id) if size is None else _living(owner_id).filter(size=size)
    declared = Upload.objects.filter(
        owner_id=owner_id,
        sha256=sha256,
        state=Upload.State.COMPLETED,
        media__sha256="",
        media__versions__number=F("media__version"),
        media__versions__key=F("final_key"),
    )
    same = Q(sha256=sha256) | Q(pk__in=declared.values("media"))
    return living.filter(same).order_by("pk").first()


def settle_duplicate(*, owner_id: Any, sha256: str, wish: str) -> MediaFile | None:
    """What becomes of a new file of these bytes by the sender's wish (`Upload.OnDuplicate`).

    The file that is there if that is to be given instead, None to go on. Raises
    `DuplicateFileError` if there is to be no second copy.
    """
    if wish == Upload.OnDuplicate.KEEP:
        return None
    found = find_duplicate(owner_id=owner_id, sha256=sha256)
    if found is not None and wish == Upload.OnDuplicate.REFUSE:
        raise DuplicateFileError(found.pk)
    return found


def check_declared(media: MediaFile, version: MediaVersion, *, sha256: str) -> None:
    """Hold the bytes of `version`, whose hash has just been found, against what the sender said.

    Raises `ChecksumMismatchError`, and `DuplicateFileError` where there is an older copy and the
    sender wants no second one.
    """
    upload = Upload.objects.filter(media=media, final_key=version.key).first()
    if upload is None:
        return
    if upload.sha256 and upload.sha256 != sha256:
        raise ChecksumMismatchError(media.pk, upload.sha256, sha256)
    if upload.on_duplicate != Upload.OnDuplicate.REFUSE or version.sha256:
        return  # whatever was let in once may stay
    older = _copies(media, sha256=sha256, size=version.size).filter(pk__lt=media.pk).first()
    if older is not None:
        raise DuplicateFileError(older.pk)


def mark_duplicates(media: MediaFile) -> None:
    """Note of which older file the current bytes of `media` are a copy, and which are copies of it.

    Sets `media.duplicate_of`, which is not saved here. Call it in a later transaction than that
    which saved the hash: of two copies that come at once, at least one then sees the other.
    """
    media.duplicate_of = None
    if not media.sha256:
        return
    copies = _copies(media, sha256=media.sha256, size=media.size)
    oldest = copies.first()
    if oldest is not None and oldest.pk < media.pk:
        media.duplicate_of = oldest
        return
    # Never waits for another file while this one is locked: who is being changed looks itself.
    newer = copies.filter(duplicate_of=None).select_for_update(skip_locked=True)
    if untold := list(newer.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        MediaFile.objects.filter(pk__in=untold).update(duplicate_of=media)


def _living(owner_id: Any) -> QuerySet[MediaFile]:
    return MediaFile.objects.filter(owner_id=owner_id, deleted_at=None).exclude(status__in=_BAD)


def _copies(media: MediaFile, *, sha256: str, size: int) -> QuerySet[MediaFile]:
    """Other files of the owner with the same bytes, the oldest first."""
    same = _living(media.owner_id).filter(sha256=sha256, size=size)
    return same.exclude(pk=media.pk).order_by("pk")
