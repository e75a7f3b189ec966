"""Asks the owner of an address whether it is theirs: a link is sent there, by a worker.

The row says whether that was done; messages of the broker only hint. A worker that dies in between
leaves it undone, and the link is sent again: twice the same link does no harm.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

from django.core.mail import EmailMessage
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from apps.core.languages import language_of
from apps.core.pages import absolute_url, site_name
from apps.media.dispatch import TRANSFER, send
from apps.users.models import EMAIL_LINK_LIFETIME, EmailChange

logger = logging.getLogger(__name__)

SEND_LINK = "users.send_email_link"
SWEEP = "users.sweep_email_changes"
ATTEMPTS = 5
PAUSE = timedelta(minutes=1)  # longer than EMAIL_TIMEOUT lets one attempt last
BATCH = 500


def hint(change: EmailChange) -> bool:
    """Have a worker send the link; what is lost the sweep sends again."""
    return send(SEND_LINK, change.pk, queue=TRANSFER)


def send_email_link(change_id: int) -> bool:
    """Send the link of that change, unless it was sent; return whether it left."""
    waiting = EmailChange.objects.filter(pk=change_id, sent_at=None, attempts__lt=ATTEMPTS)
    change = waiting.select_related("user").first()
    if change is None or not change.user.is_active:
        return False
    this = waiting.filter(token=change.token)  # another may take its place meanwhile
    this.update(attempts=F("attempts") + 1)
    try:
        _message(change).send()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("the link of %s was not sent: %r", change, error)
        return False
    return bool(this.model.objects.filter(token=change.token).update(sent_at=Now()))


def sweep_email_changes() -> int:
    """Send links that were not sent, and forget what nobody opened; return how many of both."""
    forgotten, _ = EmailChange.objects.filter(
        asked_at__lt=timezone.now() - EMAIL_LINK_LIFETIME
    ).delete()
    late = EmailChange.objects.filter(
        sent_at=None, attempts__lt=ATTEMPTS, asked_at__lt=timezone.now() - PAUSE
    )
    return forgotten + sum(hint(change) for change in late.order_by("asked_at")[:BATCH])


def _message(change: EmailChange) -> EmailMessage:
    with translation.override(language_of(change.user)):
        context = {
            "name": change.user.shown_name,
            "site": site_name(),
            "url": absolute_url(reverse("users:confirm-email", args=[change.token])),
        }
        return EmailMessage(
            subject=gettext("Is this your e-mail address?"),
            body=render_to_string("users/mail/confirm.txt", context),
            to=[change.address],
            headers={"Auto-Submitted": "auto-generated"},
        )
