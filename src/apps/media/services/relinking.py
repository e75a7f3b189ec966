"""Objects of other apps that named a file of another library, and are to name the adopted one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from apps.core.errors import AppError
from apps.media.adopting import Reference
from apps.media.models import Adoption, MediaFile
from apps.media.services.adopting import BATCH, Told
from apps.media.services.attaching import attach_media


def relink(*, reference: Reference, dry_run: bool = False) -> Iterator[Told]:
    """Fill the new field of every object where it is empty, and tell of each.

    The old field stays as it is. What was not adopted is told with the code `not_adopted`, what
    the new field does not take with that of the refusal.
    """
    last = None
    while batch := reference.after(last, BATCH):
        last = batch[-1].pk
        found = _adopted(reference, batch)
        for row in batch:
            yield _tell(reference, row, found.get(reference.key_of(row)), dry_run)


def _adopted(reference: Reference, batch: Sequence[Any]) -> dict[str, MediaFile]:
    keys = {reference.key_of(row) for row in batch}
    rows = Adoption.objects.filter(source__in=reference.sources, source_pk__in=keys)
    living = rows.filter(media__isnull=False).select_related("media__owner")
    return {row.source_pk: row.media for row in living if row.media is not None}


def _tell(reference: Reference, row: Any, media: MediaFile | None, dry_run: bool) -> Told:
    name = f"{row._meta.label} {row.pk}"
    if media is None:
        return Told(name, code="not_adopted", reason="Its file was not adopted, or has gone.")
    try:
        if not dry_run:
            attach_media(user=media.owner, media=media, to=row, field=reference.new)
    except AppError as error:
        return Told(name, code=error.code, reason=error.detail)
    return Told(name, taken=True)
