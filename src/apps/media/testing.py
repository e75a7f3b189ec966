"""For the tests of projects that use media: files that are ready at once, and a last look.

    from apps.media.testing import assert_no_orphans, make_media, own_storage

    with own_storage():
        media = make_media(owner=user)
        ...
        assert_no_orphans()

Nothing here is called by the app itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from apps.core.filetypes import FILE_TYPES
from apps.core.storage import ObjectStore, storage_from_url
from apps.media.models import (
    MediaFile,
    MediaVersion,
    Quota,
    Rendition,
    Status,
    Tombstone,
    Visibility,
)
from apps.media.services import (
    bury_tombstones,
    find_inconsistencies,
    find_storage_violations,
    storages_to_reconcile,
)
from apps.media.storage import current_alias, original_key, rendition_key, store_of

# One grey pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


@contextmanager
def own_storage() -> Iterator[ObjectStore]:
    """Inside, objects go to a storage in memory that was empty, and is gone afterwards."""
    stores = {**settings.STORAGES, current_alias(): storage_from_url("memory://")}
    with override_settings(STORAGES=stores):
        yield store_of(current_alias())


@transaction.atomic
def make_media(
    *,
    owner: Any,
    content: bytes = PIXEL,
    mime_type: str = "image/png",
    name: str = "pixel.png",
    renditions: tuple[str, ...] = ("thumb.webp",),
    visibility: str = Visibility.PRIVATE,
    **fields: Any,
) -> MediaFile:
    """A file that is ready, clean and published, without any processing: rows, the object with
    `content`, and for each name of `renditions` an object with the same bytes. `fields` are those
    of `MediaFile`. It counts in the owner's account.
    """
    facts = {"width": 1, "height": 1} if mime_type.startswith("image/") else {}
    common = {
        "original_name": name,
        "mime_type": mime_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **facts,
    }
    media = MediaFile.objects.create(
        owner=owner,
        media_type=FILE_TYPES[mime_type].kind,
        status=Status.READY,
        usable=True,
        published_version=1,
        progress=100,
        visibility=visibility,
        **common,
        **fields,
    )
    MediaVersion.objects.create(
        media=media,
        number=1,
        storage=current_alias(),
        key=_store(original_key(), content),
        scan=MediaVersion.Scan.CLEAN,
        complete=True,
        **common,
    )
    for rendition in renditions:
        _make_rendition(media, rendition, content)
    _charge(owner, len(content))
    return media


def assert_no_orphans() -> None:
    """Remove what is due, then assert that rows and objects explain each other, however young.

    Files whose work is still queued are let be.
    """
    Tombstone.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    while bury_tombstones():
        pass
    found = [
        violation
        for alias in storages_to_reconcile()
        for violation in find_storage_violations(alias, grace=timedelta(seconds=-60))
    ]
    found += find_inconsistencies(before=timezone.now())
    told = "\n".join(str(violation) for violation in found)
    assert not found, f"Rows and objects do not agree:\n{told}"


def _make_rendition(media: MediaFile, name: str, content: bytes) -> None:
    Rendition.objects.create(
        media=media,
        version=1,
        name=name,
        state=Rendition.State.READY,
        storage=current_alias(),
        key=_store(rendition_key(name.rpartition(".")[2]), content),
        mime_type="image/webp" if name.endswith(".webp") else media.mime_type,
        width=1,
        height=1,
        size=len(content),
    )


def _store(key: str, content: bytes) -> str:
    with store_of(current_alias()).writer(key) as writer:
        writer.write(content)
    return key


def _charge(owner: Any, size: int) -> None:
    Quota.objects.get_or_create(owner=owner)
    Quota.objects.filter(owner=owner).update(
        bytes_used=F("bytes_used") + size, files_used=F("files_used") + 1
    )
