"""Hands mails and announcements to the broker by name, after commit; what is lost the sweeps send
again."""

from __future__ import annotations

import uuid

from django.db import transaction

from apps.media.dispatch import TRANSFER, send
from apps.notifications.models import Announcement, Mail

SEND_MAIL = "notifications.send_mail"
ANNOUNCE = "notifications.announce"
FORGET = "notifications.forget_target"
FORGET_LOST = "notifications.forget_lost"
QUEUE_DIGESTS = "notifications.queue_digests"
EXPIRE = "notifications.expire"


def hint(mail: Mail) -> bool:
    return send(SEND_MAIL, str(mail.pk), queue=TRANSFER)


def hint_later(mail: Mail) -> None:
    transaction.on_commit(lambda: hint(mail), robust=True)


def hint_announcement(row: Announcement) -> bool:
    return send(ANNOUNCE, str(row.pk), queue=TRANSFER)


def hint_announcement_later(row: Announcement) -> None:
    transaction.on_commit(lambda: hint_announcement(row), robust=True)


def forget_target_later(target_id: uuid.UUID) -> None:
    transaction.on_commit(lambda: send(FORGET, str(target_id), queue=TRANSFER), robust=True)
