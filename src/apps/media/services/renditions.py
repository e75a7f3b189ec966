"""Rows and objects of renditions: a row with the key first, the bytes next, then both served.

While an object is being written, the one before it goes on being served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from apps.media.exceptions import LostLeaseError
from apps.media.models import MediaFile, MediaVersion, Rendition
from apps.media.services.deletion import raise_tombstone
from apps.media.storage import current_alias, rendition_key, store_of


def rows_of(version: MediaVersion) -> dict[str, Rendition]:
    """Every rendition of `version` by name."""
    rows = Rendition.objects.filter(media_id=version.media_id, version=version.number)
    return {row.name: row for row in rows}


def is_current(row: Rendition | None, fingerprint: str) -> bool:
    """Whether what is served is what the recipe of that fingerprint makes."""
    return row is not None and bool(row.key) and row.fingerprint == fingerprint


def reserve(media: MediaFile, version: MediaVersion, names: Iterable[str]) -> list[Rendition]:
    """A row for each name with the key that its bytes will have; call it inside `Claim.saving`."""
    return [_reserve(media, version, name) for name in names]


def _reserve(media: MediaFile, version: MediaVersion, name: str) -> Rendition:
    row, _ = Rendition.objects.select_for_update().get_or_create(
        media=media, version=version.number, name=name, defaults={"storage": current_alias()}
    )
    # An earlier attempt may have written there, or may still be writing.
    raise_tombstone(storage=row.storage, key=row.next_key, still_written=True)
    row.next_key = rendition_key(PurePosixPath(name).suffix.removeprefix("."))
    row.save(update_fields=["next_key", "updated_at"])
    return row


def write(row: Rendition, path: Path) -> None:
    """Store the bytes of `path` under the reserved key."""
    store_of(row.storage).put_file(row.next_key, path)
    row.size = path.stat().st_size


@contextmanager
def removed_when_lost(rows: Iterable[Rendition]) -> Iterator[None]:
    """What is written for `rows` goes when the job is lost meanwhile: a long write may have ended
    after the tombstone of who took over, or deleted the file, was executed."""
    try:
        yield
    except LostLeaseError:
        for row in rows:
            raise_tombstone(storage=row.storage, key=row.next_key)
        raise


def adopt(row: Rendition, *, fingerprint: str, mime_type: str) -> None:
    """Serve the written object; the old one goes. Call it inside `Claim.saving`.

    Another job may make the same and have reserved the row since: then that one's will be served,
    and its reserving has seen to it that ours goes.
    """
    held = Rendition.objects.filter(pk=row.pk, next_key=row.next_key).values_list("key").first()
    if held is None:
        return
    raise_tombstone(storage=row.storage, key=held[0])
    row.key, row.next_key = row.next_key, ""
    row.state, row.fingerprint, row.mime_type = Rendition.State.READY, fingerprint, mime_type
    row.save()
