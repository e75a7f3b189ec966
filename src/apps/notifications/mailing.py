"""Sends mails: each once. The rows are the truth, messages of the broker only hints.

A worker claims a mail by a conditional update, looks whether there is still something to tell, and
opens the line. Only when the server asks for the text it says so (`handed_over_at`). Whoever dies
until then leaves a lease behind, and another goes on: nothing is lost. Between the text and the
server's word nobody can know (RFC 5321, 4.1.1.4 and 6.1): a mail left there is `unknown` and never
sent again by itself, so at most once. If an operator has it sent again, its Message-ID, which is
that of the row, tells readers that it is the same.
"""

from __future__ import annotations

import logging
import smtplib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_lazy, ngettext

from apps.core.ids import new_token
from apps.core.languages import language_of
from apps.core.pages import absolute_url, site_name
from apps.media.dispatch import maybe_sweep_again
from apps.media.models import MediaFile, Status
from apps.notifications import dispatch
from apps.notifications.kinds import Email, Kind
from apps.notifications.models import Mail, Notification
from apps.notifications.selectors import Shown, find_preview, show, ways_of
from apps.notifications.tokens import ALL, token_for

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)  # longer than EMAIL_TIMEOUT lets one attempt last
LOOKS_AGAIN = timedelta(minutes=1)  # for a picture that is still to come
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
BATCH = 500
MOST_SHOWN = 200  # notifications in one mail
MOST_PICTURES = 20
DIGEST_EVERY = timedelta(hours=23)
REFUSED = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
)
WIDTH = 560  # pixels of the page that a mail takes
STILL_MADE = (Status.PENDING, Status.PROCESSING)
ACTIONS: dict[str, Any] = {
    Kind.POST: gettext_lazy("See the post"),
    Kind.EVENT_MEDIA: gettext_lazy("See the photos"),
    Kind.INVITED: gettext_lazy("See the event"),
}
READY_FOR_TEXT = 354  # RFC 5321, 4.2.3: what a server answers to DATA, and to nothing else
_State = Mail.State


class TakenOverError(smtplib.SMTPServerDisconnected):
    """It took too long: somebody else is at it."""


@dataclass(frozen=True)
class Entry:
    """One notification in a mail; `picture` is the address of its picture, or ""."""

    shown: Shown
    url: str
    picture: str
    alt: str
    width: int  # pixels of the page; no picture is shown larger than it is

    @property
    def action(self) -> str:
        """What to press to get there."""
        return str(ACTIONS.get(self.shown.row.kind) or gettext("Open"))


def send_mail(mail_id: uuid.UUID | str) -> bool:
    """Send that mail, if it is due and nobody else is at it; return whether it left."""
    mail = _claim(mail_id)
    if mail is None:
        return False
    unread = _unread(mail)
    if mail.deadline_at > timezone.now() and _is_to_come(unread):
        _put_back(mail, LOOKS_AGAIN)
        return False
    if mail.notifications.filter(open=True).update(open=False):
        # What happens from now on is told in another one; what was added up to now, in this.
        unread = _unread(mail)
    shown = [one for one in unread if one.is_there]
    if not shown:
        _end(mail, _State.DROPPED)
        return False
    with translation.override(language_of(mail.recipient)):
        message = _message(mail, shown)
    return _hand_over(mail, message)


def sweep_mails(*, limit: int = BATCH) -> int:
    """Hint at what is due, and settle what dead workers left; return how many."""
    lost = Mail.objects.filter(
        state=_State.WAITING, handed_over_at__isnull=False, lease_until__lt=Now()
    )
    settled = lost.update(state=_State.UNKNOWN, lease=None, finished_at=Now())
    due = list(_due().order_by("due_at")[:limit])
    return settled + sum(dispatch.hint(mail) for mail in due)


def send_again(*, mails: Iterable[Mail]) -> int:
    """Have mails sent that are unknown or given up, as an operator says; return how many."""
    ended = Mail.objects.filter(state__in=(_State.UNKNOWN, _State.FAILED))
    again = ended.filter(pk__in=[mail.pk for mail in mails])
    return again.update(
        state=_State.WAITING, attempts=0, handed_over_at=None, finished_at=None, due_at=Now()
    )


def queue_digests(*, limit: int = BATCH) -> int:
    """Write the daily mail of all who have something for it; return how many."""
    waiting = Notification.objects.filter(
        email=Email.DIGEST, mail=None, read_at=None, recipient__is_active=True
    )
    since = timezone.now() - DIGEST_EVERY
    lately = Mail.objects.filter(
        recipient=OuterRef("recipient"), is_digest=True, created_at__gte=since
    )
    people = waiting.filter(~Exists(lately)).order_by().values_list("recipient", flat=True)
    done = sum(_queue_digest(person) for person in list(people.distinct()[:limit]))
    return maybe_sweep_again(dispatch.QUEUE_DIGESTS, done=done, limit=limit)


@transaction.atomic
def _queue_digest(recipient_id: Any) -> bool:
    now = timezone.now()
    mail, created = Mail.objects.get_or_create(
        key=f"digest:{recipient_id}:{now.date()}",
        defaults={
            "recipient_id": recipient_id,
            "is_digest": True,
            "due_at": now,
            "deadline_at": now,
        },
    )
    if not created:
        return False
    rows = Notification.objects.filter(
        recipient=recipient_id, email=Email.DIGEST, mail=None, read_at=None
    )
    rows.update(mail=mail, open=False)
    dispatch.hint_later(mail)
    return True


# -- claiming ----------------------------------------------------------------------------------


def _due() -> QuerySet[Mail]:
    free = Q(lease=None) | Q(lease_until__lt=Now())
    return Mail.objects.filter(free, state=_State.WAITING, handed_over_at=None, due_at__lte=Now())


def _claim(mail_id: uuid.UUID | str) -> Mail | None:
    token = uuid.uuid4()
    if not _due().filter(pk=mail_id).update(lease=token, lease_until=Now() + LEASE):
        return None
    return Mail.objects.filter(pk=mail_id, lease=token).select_related("recipient").first()


def _mine(mail: Mail) -> QuerySet[Mail]:
    return Mail.objects.filter(pk=mail.pk, state=_State.WAITING, lease=mail.lease)


def _end(mail: Mail, state: str, error: str = "") -> None:
    _mine(mail).update(
        state=state, lease=None, lease_until=None, error=error[:200], finished_at=Now()
    )


def _put_back(mail: Mail, wait: timedelta, **values: Any) -> None:
    _mine(mail).update(
        lease=None, lease_until=None, handed_over_at=None, due_at=Now() + wait, **values
    )


# -- what it says ------------------------------------------------------------------------------


def _unread(mail: Mail) -> list[Shown]:
    """What its recipient has not read meanwhile and still wants mailed, as they may see it now."""
    if not mail.recipient.is_active or not mail.recipient.email:
        return []
    ways = ways_of(mail.recipient)
    wanted = [kind for kind, way in ways.items() if way.email != Email.NEVER]
    rows = mail.notifications.filter(read_at=None, kind__in=wanted).select_related("actor")
    return show(mail.recipient, rows.order_by("-pk")[:MOST_SHOWN])


def _is_to_come(shown: list[Shown]) -> bool:
    """Whether a picture may still be made of any; those of others are hidden until then."""
    bare = [one for one in shown if one.media is None or find_preview(media=one.media) is None]
    ids = [one.row.media_id for one in bare if one.row.media_id]
    unfinished = MediaFile.objects.filter(pk__in=ids, status__in=STILL_MADE, deleted_at=None)
    return bool(ids) and unfinished.exists()


def _message(mail: Mail, shown: list[Shown]) -> EmailMultiAlternatives:
    entries = [_entry(one, pictured=at < MOST_PICTURES) for at, one in enumerate(shown)]
    kind = ALL if mail.is_digest else shown[0].row.kind
    unsubscribe = absolute_url(
        reverse("notifications:unsubscribe", args=[token_for(mail.recipient_id, kind)])
    )
    many = _count(shown) if len(shown) > 1 else ""
    context = {
        "heading": many or site_name(),
        "entries": entries,
        "is_digest": mail.is_digest,
        "recipient": mail.recipient,
        "unsubscribe": unsubscribe,
        "preferences": absolute_url(reverse("notifications:preferences")),
    }
    message = EmailMultiAlternatives(
        subject=(many or shown[0].text)[:150],
        body=render_to_string("notifications/mail/body.txt", context),
        to=[mail.recipient.email],
        headers={
            "Message-ID": f"<{mail.pk.hex}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
            # RFC 8058: one click, without a sign-in.
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(
        render_to_string("notifications/mail/body.html", context), "text/html"
    )
    return message


def _count(shown: list[Shown]) -> str:
    words = ngettext("%(count)s notification", "%(count)s notifications", len(shown))
    return words % {"count": len(shown)}


def _entry(shown: Shown, *, pictured: bool) -> Entry:
    media = shown.media if pictured else None
    picture = ""
    preview = find_preview(media=media) if media is not None else None
    if preview is not None:
        path = reverse("notifications:preview", args=[_ensure_token(shown.row)])
        picture = absolute_url(path)
    alt = media.alt_text or gettext("Preview of %(file)s") % {"file": media} if media else ""
    width = min(preview.width or WIDTH, WIDTH) if preview else WIDTH
    return Entry(shown, absolute_url(shown.url), picture, " ".join(alt.split()), width)


def _ensure_token(row: Notification) -> str:
    if row.preview_token is None:
        Notification.objects.filter(pk=row.pk, preview_token=None).update(preview_token=new_token())
        row.refresh_from_db(fields=["preview_token"])
    return row.preview_token or ""


# -- the line ----------------------------------------------------------------------------------


def _hand_over(mail: Mail, message: EmailMultiAlternatives) -> bool:
    try:
        line = get_connection()
        line.open()
        message.connection = line
        _before_text(line, lambda: _mark(mail))
        message.send()
    except TakenOverError:
        return False
    except Exception as error:
        return _note_failure(mail, error)
    finally:
        _close(message.connection)
    _end(mail, _State.SENT)
    return True


def _before_text(line: Any, mark: Callable[[], None]) -> None:
    """Have `mark` called when the server asks for the text; of a line to no server, at once."""
    smtp = getattr(line, "connection", None)
    if not isinstance(smtp, smtplib.SMTP):
        mark()
        return
    read = smtp.getreply

    def read_and_maybe_mark() -> tuple[int, bytes]:
        reply = read()
        if reply[0] == READY_FOR_TEXT:
            try:
                mark()
            except Exception:
                smtp.close()  # whatever would be said now would be taken for text
                raise
        return reply

    smtp.getreply = read_and_maybe_mark  # type: ignore[method-assign]


def _mark(mail: Mail) -> None:
    values = {"handed_over_at": Now(), "lease_until": Now() + LEASE, "attempts": F("attempts") + 1}
    if not _mine(mail).update(**values):
        raise TakenOverError


def _close(line: Any) -> None:
    if line is None:
        return
    try:
        line.close()
    except Exception:  # what was accepted stays accepted
        logger.warning("a line to the mail server did not end well", exc_info=True)


def _note_failure(mail: Mail, error: Exception) -> bool:
    """Try again later or give up, unless it broke off in the middle: it may have left."""
    logger.warning("mail %s was not sent: %r", mail.pk, error)
    mail.refresh_from_db(fields=["attempts", "handed_over_at"])
    if mail.handed_over_at is not None and not isinstance(error, REFUSED):
        _end(mail, _State.UNKNOWN, repr(error))
        return False
    attempts = mail.attempts + (0 if mail.handed_over_at else 1)
    if attempts > len(DELAYS):
        _end(mail, _State.FAILED, repr(error))
    else:
        delay = DELAYS[max(attempts, 1) - 1]
        _put_back(mail, delay, attempts=attempts, error=repr(error)[:200])
    return False
