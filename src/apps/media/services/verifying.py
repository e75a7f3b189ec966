"""Whether stored bytes are still those that came: read again from end to end and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from django.core.files.storage import InvalidStorageError

from apps.core.errors import ObjectMissingError
from apps.media.models import MediaVersion
from apps.media.storage import store_of

CHUNK = 1024 * 1024
BATCH = 100


def versions_to_verify(*, after: int = 0) -> Iterator[MediaVersion]:
    """Every version whose hash is known, by ascending id behind `after`, a few at a time."""
    known = MediaVersion.objects.exclude(sha256="").defer("text").order_by("pk")
    while batch := list(known.filter(pk__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].pk


def count_to_verify(*, after: int = 0) -> tuple[int, int]:
    """How many versions those are, and their bytes."""
    known = MediaVersion.objects.exclude(sha256="").filter(pk__gt=after)
    sizes = known.values_list("size", flat=True).iterator()
    count = total = 0
    for size in sizes:
        count, total = count + 1, total + size
    return count, total


def verify_version(version: MediaVersion, *, on_bytes: Callable[[int], None] | None = None) -> str:
    """What is wrong with the stored bytes of `version`; empty if nothing is.

    Raises `StorageUnavailableError`.
    """
    digest = hashlib.sha256()
    try:
        with store_of(version.storage).open_object(version.key) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                if on_bytes:
                    on_bytes(len(chunk))
    except ObjectMissingError:
        return _unless_gone(version, "the object is missing")
    except InvalidStorageError:
        return _unless_gone(version, "the storage is not in STORAGES")
    if digest.hexdigest() != version.sha256:
        return _unless_gone(version, f"the bytes have changed: {digest.hexdigest()}")
    return ""


def _unless_gone(version: MediaVersion, what: str) -> str:
    """A version that was deleted while it was read is nobody's loss."""
    return what if MediaVersion.objects.filter(pk=version.pk, key=version.key).exists() else ""
