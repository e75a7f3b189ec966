"""Telling people: what is written when something has happened, and what they do with it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Exists, Model, OuterRef, QuerySet, Sum
from django.utils import timezone

from apps.events.models import Event
from apps.media.dispatch import maybe_sweep_again
from apps.media.models import MediaFile
from apps.notifications import dispatch
from apps.notifications.kinds import MOST_TOGETHER, TOGETHER, Email, Kind, Ways
from apps.notifications.models import Announcement, Mail, Notification, Occurrence, Preference
from apps.notifications.selectors import ways_of, ways_of_many
from apps.posts.models import Post

MAIL_WAITS = timedelta(minutes=2)  # for what else happens, and for the picture
MAIL_DEADLINE = timedelta(minutes=30)  # then it goes without the picture
KEPT = timedelta(days=90)
BATCH = 500


@dataclass(frozen=True)
class News:
    """What happened, `count` things. `key` comes once for each recipient; `group` is what may be
    told together with it. `media_id` is of the file that it is about, `picture_id` of one that only
    shows it."""

    kind: Kind
    key: str
    group: str = ""
    count: int = 1
    actor_id: Any = None
    media_id: uuid.UUID | None = None
    picture_id: uuid.UUID | None = None
    target: str = ""
    target_id: uuid.UUID | None = None


def notify(*, recipient: Any, news: News) -> Notification | None:
    """Tell `recipient` of it as they want to be told, once; None where they were, or do not want.

    Safe to call twice, also at once.
    """
    return _tell(recipient, news, ways_of(recipient)[news.kind])


def notify_many(*, recipients: Sequence[Any], news: News) -> int:
    """The same for all of them; return how many were told."""
    ways = ways_of_many(recipients, news.kind)
    told = [_tell(person, news, ways[person.pk]) for person in recipients]
    return len(told) - told.count(None)


def _tell(recipient: Any, news: News, ways: Ways) -> Notification | None:
    silent = not ways.in_page and ways.email == Email.NEVER
    if silent or not recipient.is_active or news.actor_id == recipient.pk:
        return None
    try:
        with transaction.atomic():
            return _write(recipient, news, ways)
    except IntegrityError:
        return None  # somebody else has told of it in this moment


def _write(recipient: Any, news: News, ways: Ways) -> Notification:
    row = _open_row(recipient, news, ways)
    key = f"{recipient.pk}:{news.kind}:{news.key}"
    Occurrence.objects.create(
        notification=row,
        key=key,
        count=news.count,
        media_id=news.media_id,
        target_id=news.target_id,
    )
    row.count += news.count
    row.target_id = news.target_id
    row.media_id = news.media_id or news.picture_id or row.media_id
    if row.email == Email.NOW and row.mail_id is None:
        row.mail = _queue_mail(row)
    row.save(update_fields=["count", "media_id", "target_id", "mail"])
    return row


def _open_row(recipient: Any, news: News, ways: Ways) -> Notification:
    """The one that this is added to, locked: there, or new."""
    group = f"{news.kind}:{news.group or news.key}"[:120]
    same = Notification.objects.select_for_update().filter(
        recipient=recipient, group=group, open=True
    )
    row = same.first()
    if row is not None and not _takes_more(row):
        Notification.objects.filter(pk=row.pk).update(open=False)
        row = None
    if row is None:
        row, _ = Notification.objects.select_for_update().get_or_create(
            recipient=recipient,
            group=group,
            open=True,
            defaults={
                "kind": news.kind,
                "actor_id": news.actor_id,
                "target": news.target,
                "in_page": ways.in_page,
                "email": ways.email,
            },
        )
    return row


def _takes_more(row: Notification) -> bool:
    young = row.created_at > timezone.now() - TOGETHER
    return young and row.read_at is None and row.count < MOST_TOGETHER


def _queue_mail(row: Notification) -> Mail:
    now = timezone.now()
    return Mail.objects.create(
        recipient_id=row.recipient_id,
        key=f"notification:{row.pk}",
        due_at=now + MAIL_WAITS,
        deadline_at=now + MAIL_DEADLINE,
    )


# -- what people do with them ------------------------------------------------------------------


def mark_read(*, user: Any, ids: Sequence[uuid.UUID] | None = None) -> int:
    """Note that `user` has read these, or all of theirs; return how many were unread."""
    rows = Notification.objects.filter(recipient=user.pk, read_at=None, in_page=True)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    return rows.update(read_at=timezone.now(), open=False)


def delete_notification(*, notification: Notification) -> None:
    """Remove it; the address of its picture ends at once."""
    notification.delete()


def revoke_previews(*, notifications: Any) -> int:
    """End the addresses of their pictures; what was mailed shows none any more."""
    return int(notifications.exclude(preview_token=None).update(preview_token=None))


@transaction.atomic
def set_preferences(*, user: Any, ways: dict[Kind, Ways]) -> None:
    """How `user` wants to be told of these kinds from now on."""
    for kind, way in ways.items():
        said = {"in_page": way.in_page, "email": way.email}
        Preference.objects.update_or_create(user=user, kind=kind, defaults=said)


def unsubscribe(*, user_id: Any, kinds: Sequence[Kind]) -> None:
    """No more mails of these kinds to them; the page goes on telling."""
    user = get_user_model()._default_manager.filter(pk=user_id).first()
    if user is None:
        return
    now = ways_of(user)
    ways = {kind: Ways(in_page=now[kind].in_page, email=Email.NEVER) for kind in kinds}
    set_preferences(user=user, ways=ways)


# -- the end of things -------------------------------------------------------------------------


@transaction.atomic
def forget_media(*, media_id: uuid.UUID) -> None:
    """A file is gone: what told of it alone goes too, and of more it tells one less."""
    for row in list(Notification.objects.filter(occurrences__media_id=media_id)):
        _forget(row, media_id=media_id)
    Notification.objects.filter(media_id=media_id).update(media_id=None)


def forget_target(*, target_id: uuid.UUID | str) -> int:
    """The same for a post or an event; return how many notifications told of it."""
    rows = list(Notification.objects.filter(occurrences__target_id=target_id).distinct())
    for row in rows:
        _forget(row, target_id=target_id)
    return len(rows)


def forget_lost(*, limit: int = BATCH) -> int:
    """Forget what tells of files, posts and events that are gone: whoever was to do it has died."""
    files = _naming_lost(MediaFile, "media_id", limit)
    for media_id in files:
        forget_media(media_id=media_id)
    targets = [
        *_naming_lost(Post, "target_id", limit, notification__target="post"),
        *_naming_lost(Event, "target_id", limit, notification__target="event"),
    ]
    for target_id in targets:
        forget_target(target_id=target_id)
    done = len(files) + len(targets)
    return maybe_sweep_again(dispatch.FORGET_LOST, done=done, limit=limit)


def _naming_lost(model: type[Model], name: str, limit: int, **of: Any) -> list[uuid.UUID]:
    """What is told of under `name` and is no row of `model` any more."""
    there = Exists(model._default_manager.filter(pk=OuterRef(name)))
    told = Occurrence.objects.filter(~there, **{f"{name}__isnull": False}, **of)
    return list(told.order_by().values_list(name, flat=True).distinct()[:limit])


@transaction.atomic
def _forget(row: Notification, **gone: Any) -> None:
    same = Notification.objects.select_for_update().filter(pk=row.pk)
    if same.first() is None:
        return
    row.occurrences.filter(**gone).delete()
    left = row.occurrences.order_by("-pk").first()
    if left is None:
        same.delete()
        return
    count = row.occurrences.aggregate(count=Sum("count"))["count"]
    same.update(count=count, media_id=left.media_id, target_id=left.target_id)


def expire_notifications(*, limit: int = BATCH) -> int:
    """Forget what is older than `KEPT`, mails and announcements included; return how many."""
    before = timezone.now() - KEPT
    gone = [
        _delete_some(Notification.objects.filter(created_at__lt=before), limit),
        _delete_some(Mail.objects.filter(finished_at__lt=before), limit),
        _delete_some(Announcement.objects.filter(finished_at__lt=before), limit),
    ]
    maybe_sweep_again(dispatch.EXPIRE, done=max(gone), limit=limit)
    return sum(gone)


def _delete_some(rows: QuerySet[Any], limit: int) -> int:
    keys = list(rows.values_list("pk", flat=True)[:limit])
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
