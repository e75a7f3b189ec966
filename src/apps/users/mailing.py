"""The mails of accounts, each with a link, sent by a worker.

One asks the owner of an address whether it is theirs. The row says whether it was sent; messages of
the broker only hint. A worker that dies in between leaves it undone, and the link is sent again:
twice the same link does no harm. The other leads to the page for another password. No row tells of
it: who gets none asks again.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.db.models import F
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext

from apps.core.languages import language_of
from apps.core.pages import absolute_url, site_name
from apps.media.dispatch import TRANSFER, send
from apps.users.models import EMAIL_LINK_LIFETIME, EmailChange, User

logger = logging.getLogger(__name__)

SEND_LINK = "users.send_email_link"
SEND_PASSWORD_LINK = "users.send_password_link"  # noqa: S105  the name of a task
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
    same = EmailChange.objects.filter(token=change.token)  # another may take its place meanwhile
    same.update(attempts=F("attempts") + 1)
    try:
        _confirmation(change).send()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("the link of %s was not sent: %r", change, error)
        return False
    return bool(same.update(sent_at=Now()))


def hint_password(user: User) -> bool:
    """Have a worker send `user` the link to another password."""
    return send(SEND_PASSWORD_LINK, user.pk, queue=TRANSFER)


def send_password_link(user_id: int) -> bool:
    """Send that user the link to another password, if they have an address and may sign in.

    Raises OSError and SMTPException where it was not sent.
    """
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None or not user.has_usable_password():
        return False
    uid = urlsafe_base64_encode(str(user.pk).encode())
    token = default_token_generator.make_token(user)
    path = reverse("users:new-password", args=[uid, token])
    with translation.override(language_of(user)):
        subject = gettext("Another password for %(site)s") % {"site": site_name()}
        return bool(_letter(user, user.email, subject, "users/mail/password.txt", path).send())


def sweep_email_changes() -> int:
    """Send links that were not sent, and forget what nobody opened; return how many of both."""
    forgotten, _ = EmailChange.objects.filter(
        asked_at__lt=timezone.now() - EMAIL_LINK_LIFETIME
    ).delete()
    late = EmailChange.objects.filter(
        sent_at=None, attempts__lt=ATTEMPTS, asked_at__lt=timezone.now() - PAUSE
    )
    return forgotten + sum(hint(change) for change in late.order_by("asked_at")[:BATCH])


def _confirmation(change: EmailChange) -> EmailMessage:
    path = reverse("users:confirm-email", args=[change.token])
    with translation.override(language_of(change.user)):
        subject = gettext("Is this your e-mail address?")
        return _letter(change.user, change.address, subject, "users/mail/confirm.txt", path)


def _letter(user: User, address: str, subject: str, template: str, path: str) -> EmailMessage:
    context = {"user": user, "site": site_name(), "url": absolute_url(path)}
    return EmailMessage(
        subject=subject,
        body=render_to_string(template, context),
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},
    )
