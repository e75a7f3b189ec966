"""Tells people of one thing: an owner of a file, followers of a post, those of an event of photos.

Where it happens only a row is written (`Announcement`), in the same transaction; workers go along
the people, some at a time. What is told, and to whom, is read anew for each batch (`telling`):
whoever may no longer see it is not told. It waits for the pictures until its deadline. Told twice,
somebody hears it once (`Occurrence`).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.notifications import dispatch, services
from apps.notifications.kinds import Kind
from apps.notifications.models import AnnouncedFile, Announcement
from apps.notifications.telling import read_telling

logger = logging.getLogger(__name__)

GATHERS = timedelta(minutes=1)  # after the last photo: one comes seldom alone
GATHERS_AT_MOST = timedelta(minutes=10)
DEADLINE = timedelta(minutes=30)  # then it goes without the pictures that are still to come
LOOKS_AGAIN = timedelta(seconds=30)  # for a picture
LEASE = timedelta(minutes=5)
PEOPLE_AT_ONCE = 100
MOST_ATTEMPTS = 10
BATCH = 500


@transaction.atomic
def announce_later(
    kind: Kind, *, subject_id: uuid.UUID, actor_id: Any, recipient_id: Any = None
) -> Announcement:
    """Have workers tell of it, each person once however often this is called; `recipient_id` alone
    if it is given. What does not commit is not told."""
    row = _gathering(kind, subject_id, actor_id, recipient_id)
    dispatch.hint_announcement_later(row)
    return row


@transaction.atomic
def announce_photos(
    *, event_id: uuid.UUID, media_ids: Sequence[uuid.UUID], added_by_id: Any
) -> Announcement:
    """Have the people of an event told of photos: of all that one person adds in one go at once."""
    row = _gathering(Kind.EVENT_MEDIA, event_id, added_by_id)
    files = [
        AnnouncedFile(announcement=row, key=f"{event_id}:{media_id}", media_id=media_id)
        for media_id in media_ids
    ]
    AnnouncedFile.objects.bulk_create(files, ignore_conflicts=True)
    latest = row.deadline_at - DEADLINE + GATHERS_AT_MOST
    Announcement.objects.filter(pk=row.pk).update(due_at=min(timezone.now() + GATHERS, latest))
    return row


def announce(announcement_id: uuid.UUID | str) -> int:
    """Tell the next of its people, if it is due and nobody else is at it; return how many."""
    row = _claim(announcement_id)
    if row is None or not _begin(row):
        return 0
    telling = read_telling(row)
    if telling is None:
        _end(row)
        return 0
    people = telling.people.filter(pk__gt=row.reached).order_by("pk")
    batch = list(people[:PEOPLE_AT_ONCE])
    told = services.notify_many(recipients=batch, news=telling.news)
    if len(batch) < PEOPLE_AT_ONCE:
        _end(row)
    elif _put_back(row, reached=batch[-1].pk):
        dispatch.hint_announcement(row)
    return told


def sweep_announcements(*, limit: int = BATCH) -> int:
    """Hint at what is due; return at how much."""
    return sum(map(dispatch.hint_announcement, _due().order_by("due_at")[:limit]))


# -- how far it has come -----------------------------------------------------------------------


def _gathering(
    kind: Kind, subject_id: uuid.UUID, actor_id: Any, recipient_id: Any = None
) -> Announcement:
    """The one that has not begun yet, locked: there, or new."""
    now = timezone.now()
    row, _ = Announcement.objects.select_for_update().get_or_create(
        kind=kind,
        subject_id=subject_id,
        actor_id=actor_id,
        recipient_id=recipient_id,
        started_at=None,
        finished_at=None,
        defaults={"due_at": now, "deadline_at": now + DEADLINE},
    )
    return row


def _due() -> QuerySet[Announcement]:
    free = Q(lease=None) | Q(lease_until__lt=Now())
    return Announcement.objects.filter(free, finished_at=None, due_at__lte=Now())


def _claim(announcement_id: uuid.UUID | str) -> Announcement | None:
    token = uuid.uuid4()
    values = {"lease": token, "lease_until": Now() + LEASE, "attempts": F("attempts") + 1}
    if not _due().filter(pk=announcement_id).update(**values):
        return None
    row = Announcement.objects.filter(pk=announcement_id, lease=token).first()
    if row is not None and row.attempts > MOST_ATTEMPTS:
        logger.error("announcement %s is given up", row.pk)
        _end(row)
        return None
    return row


def _begin(row: Announcement) -> bool:
    """Whether it is time to tell. From then on what happens is gathered in another one."""
    if row.started_at is not None:
        return True
    telling = read_telling(row)
    if telling is not None and telling.waits and row.deadline_at > timezone.now():
        _put_back(row, due_at=timezone.now() + LOOKS_AGAIN)
        return False
    return bool(_mine(row).update(started_at=Now()))


def _mine(row: Announcement) -> QuerySet[Announcement]:
    return Announcement.objects.filter(pk=row.pk, finished_at=None, lease=row.lease)


def _put_back(row: Announcement, **values: Any) -> bool:
    return bool(_mine(row).update(lease=None, lease_until=None, attempts=0, **values))


def _end(row: Announcement) -> None:
    _mine(row).update(lease=None, lease_until=None, finished_at=Now())
