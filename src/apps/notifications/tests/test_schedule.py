"""What is done by the clock does some at a time, and where there is more goes on at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from apps.media import dispatch as messages
from apps.notifications import dispatch, mailing, services
from apps.notifications.kinds import Kind
from apps.notifications.models import Notification
from apps.notifications.services import News

pytestmark = pytest.mark.django_db


def _old(owner: Any) -> None:
    for number in range(3):
        news = News(kind=Kind.MEDIA_READY, key=str(number), group=str(number))
        services.notify(recipient=owner, news=news)
    Notification.objects.update(created_at=timezone.now() - services.KEPT)


def _lost(owner: Any) -> None:
    for number in range(3):
        news = News(kind=Kind.MEDIA_READY, key=str(number), media_id=uuid.uuid4())
        services.notify(recipient=owner, news=news)


def _digests(owner: Any) -> None:
    for number in range(3):
        person = get_user_model().objects.create_user(f"p{number}", email=f"p{number}@example.org")
        services.notify(recipient=person, news=News(kind=Kind.MEDIA_REFUSED, key="one"))


# What each of them does, and three that are due for it.
SWEEPS: dict[str, tuple[Callable[..., int], Callable[[Any], None]]] = {
    dispatch.EXPIRE: (services.expire_notifications, _old),
    dispatch.FORGET_LOST: (services.forget_lost, _lost),
    dispatch.QUEUE_DIGESTS: (mailing.queue_digests, _digests),
}


@pytest.mark.parametrize(("limit", "is_sent"), [(3, True), (4, False)])
@pytest.mark.parametrize("name", SWEEPS)
def test_who_did_as_much_as_it_may_is_sent_again(
    name: str,
    limit: int,
    is_sent: bool,
    owner: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[str] = []
    sweep, make_due = SWEEPS[name]
    make_due(owner)
    monkeypatch.setattr(messages, "send", lambda name, *args, **rest: sent.append(name) or True)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep(limit=limit) == 3
    assert (name in sent) == is_sent
