"""What the tests of this app ask of a process beside the site: see the observer of media."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

import django

if __name__ == "__main__":
    django.setup()

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from apps.events.services import create_event, invite_guest
from apps.media.tests.flows import observer as media_observer
from apps.notifications.kinds import Kind
from apps.notifications.models import Mail, Notification
from apps.notifications.services import News, notify
from apps.posts.services import create_post
from apps.users.models import User
from apps.users.services import follow_user

LONG_AGO = timedelta(days=1)


def people() -> dict[str, int]:
    """An author and a follower, to whom no mails can go; their keys."""
    author = User.objects.create_user(username=f"author-{User.objects.count()}")
    reader = User.objects.create_user(username=f"reader-{User.objects.count()}")
    follow_user(user=reader, person=author)
    return {"author": author.pk, "reader": reader.pk}


def post_and_die(author_id: int) -> None:
    """Write a post and be killed when it is committed, before anything else happens."""
    author = User.objects.get(pk=author_id)
    with transaction.atomic():
        transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
        create_post(author=author, text="The last words")


def invite_and_die(host_id: int, guest_id: int) -> None:
    """The same with an invitation."""
    host, guest = (User.objects.get(pk=pk) for pk in (host_id, guest_id))
    event = create_event(user=host, title="Party", starts_at=timezone.now() + LONG_AGO)
    with transaction.atomic():
        transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
        invite_guest(user=host, event=event, name=guest.username)


def told(user_id: int) -> list[str]:
    """The kinds of what somebody is told."""
    rows = Notification.objects.filter(recipient=user_id).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def session(user_id: int) -> dict[str, str]:
    """The cookie of somebody who is signed in."""
    client = Client()
    client.force_login(User.objects.get(pk=user_id))
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value}


def sign_out(user_id: int) -> int:
    """Everywhere."""
    sessions = [one for one in Session.objects.all() if _user_of(one) == str(user_id)]
    for one in sessions:
        one.delete()
    return len(sessions)


def _user_of(session: Session) -> str:
    return str(session.get_decoded().get(SESSION_KEY))


def tell(user_id: int) -> None:
    news = News(kind=Kind.WEBHOOK_OFF, key=str(timezone.now()), group=str(timezone.now()))
    notify(recipient=User.objects.get(pk=user_id), news=news)


def write_mail() -> str:
    """A mail to somebody that is due; its id."""
    name = f"writes-{User.objects.count()}"
    person = User.objects.create_user(username=name, email=f"{name}@example.org")
    notify(recipient=person, news=News(kind=Kind.WEBHOOK_OFF, key="1"))
    mail = Mail.objects.get(recipient=person)
    Mail.objects.filter(pk=mail.pk).update(due_at=timezone.now() - LONG_AGO)
    return mail.pk.hex


def mail_state(mail_id: str) -> str:
    return Mail.objects.get(pk=mail_id).state


def let_lease_end() -> int:
    """As if the time had passed that a dead worker had."""
    held = Mail.objects.filter(lease__isnull=False)
    return held.update(lease_until=timezone.now() - LONG_AGO)


media_observer.COMMANDS.update(
    {
        command.__name__: command
        for command in (
            people,
            post_and_die,
            invite_and_die,
            told,
            session,
            sign_out,
            tell,
            write_mail,
            mail_state,
            let_lease_end,
        )
    }
)

if __name__ == "__main__":
    media_observer.main()
