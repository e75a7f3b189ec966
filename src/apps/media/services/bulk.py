"""Having very many files processed or scanned again, behind everything else.

Files are taken along their ids, a few at a time, so that ten million need no more memory than ten,
and a run that was interrupted goes on after the last id it came to. Every step is a short
transaction. Whoever steps on should look at `count_background_jobs` in between: fresh uploads are
preferred by the workers, but the database is the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet

from apps.media.models import Job, MediaFile, MediaVersion, Status
from apps.media.processing.engines import engine_for
from apps.media.services.facts import facts_of
from apps.media.services.jobs import Work, enqueue_job
from apps.media.services.publication import begin_again
from apps.media.services.rendering import enqueue_renderings
from apps.media.services.scanning import BACKGROUND, rescan_media
from apps.media.services.streaming import enqueue_streams

BATCH = 100
_LOWEST_ID = uuid.UUID(int=0)
_NEWEST_FACT = "chapters"  # whatever was inspected since engines tell of films has this entry


@dataclass(frozen=True)
class Choice:
    """Which files; what is left empty excludes nothing. `owner` is a user's name."""

    ids: tuple[uuid.UUID, ...] = ()
    media_type: str = ""
    status: str = ""
    owner: str = ""
    since: datetime | None = None  # uploaded then or later
    after: uuid.UUID = _LOWEST_ID


def count_chosen(choice: Choice) -> int:
    """How many files are to be taken."""
    return _chosen(choice).count()


def batches_of(choice: Choice, *, size: int = BATCH) -> Iterator[list[uuid.UUID]]:
    """The ids of the chosen files, ascending, as they are when each batch is taken."""
    after = choice.after
    while batch := list(_chosen(choice).filter(pk__gt=after).values_list("pk", flat=True)[:size]):
        yield batch
        after = batch[-1]


def _chosen(choice: Choice) -> QuerySet[MediaFile]:
    conditions = {
        "pk__in": choice.ids,
        "media_type": choice.media_type,
        "status": choice.status,
        f"owner__{get_user_model().USERNAME_FIELD}": choice.owner,
        "created_at__gte": choice.since,
    }
    given = {name: value for name, value in conditions.items() if value}
    return MediaFile.objects.filter(**given, pk__gt=choice.after).order_by("pk")


def count_background_jobs() -> int:
    """Jobs that wait and that nobody waits for."""
    return Job.objects.filter(state=Job.State.QUEUED, priority__lt=0).count()


@transaction.atomic
def reprocess_many(
    *, media_ids: Sequence[uuid.UUID], changed_only: bool = False, dry_run: bool = False
) -> int:
    """Have files inspected and all their renditions made anew; return of how many.

    `changed_only` makes what is missing or of a changed recipe, of files that are in use; they stay
    ready meanwhile. What is in quarantine is left out. `dry_run` only counts.
    """
    begin = _make_changed if changed_only else _make_all
    found = sum(begin(media) for media in _locked(media_ids) if media.status != Status.QUARANTINED)
    transaction.set_rollback(dry_run)
    return found


@transaction.atomic
def rescan_many(*, media_ids: Sequence[uuid.UUID], dry_run: bool = False) -> int:
    """Have files scanned again; return how many. `dry_run` only counts."""
    found = rescan_media(media=_locked(media_ids))
    transaction.set_rollback(dry_run)
    return found


def _locked(media_ids: Sequence[uuid.UUID]) -> QuerySet[MediaFile]:
    # In order, so that two runs do not wait for each other crosswise.
    return MediaFile.objects.select_for_update().filter(pk__in=media_ids).order_by("pk")


def _make_all(media: MediaFile) -> bool:
    begin_again(media)
    media.renditions.filter(version=media.version).update(fingerprint="")
    _enqueue(media, Job.Kind.INSPECT)
    if media.current.scan != MediaVersion.Scan.CLEAN:
        _enqueue(media, Job.Kind.SCAN)
    return True


def _make_changed(media: MediaFile) -> bool:
    version = media.current
    if not (media.usable and media.is_settled) or engine_for(version.mime_type) is None:
        return False
    if _NEWEST_FACT not in version.metadata:  # it came before its engine knew as much
        _enqueue(media, Job.Kind.INSPECT, needed=False)
        return True
    facts = facts_of(version)
    made = enqueue_renderings(media, version, facts, priority=BACKGROUND, needed=False)
    return bool(made + enqueue_streams(media, version, facts, priority=BACKGROUND, needed=False))


def _enqueue(media: MediaFile, kind: str, *, needed: bool = True) -> None:
    work = Work(kind, priority=BACKGROUND, needed=needed)
    enqueue_job(media=media, version=media.version, work=work)
