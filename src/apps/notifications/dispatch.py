"""Hands mails to the broker by name, after commit; what is lost the sweep sends again."""

from __future__ import annotations

from django.db import transaction

from apps.media.dispatch import TRANSFER, send
from apps.notifications.models import Mail

SEND_MAIL = "notifications.send_mail"


def hint(mail: Mail) -> bool:
    return send(SEND_MAIL, str(mail.pk), queue=TRANSFER)


def hint_later(mail: Mail) -> None:
    transaction.on_commit(lambda: hint(mail), robust=True)
