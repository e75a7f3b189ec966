"""What whoever may edit a file says about it, and what not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.media import services
from apps.media.exceptions import ForbiddenError
from apps.media.models import AuditEvent, MediaFile

pytestmark = pytest.mark.django_db
PAST = timezone.now() - timedelta(days=1)


@pytest.fixture
def media(upload: Callable[..., MediaFile], owner: Any, stranger: Any) -> MediaFile:
    """A file that the stranger may edit."""
    made = upload(b"words\n", "a.txt")
    services.grant_access(user=owner, media=made, to=stranger, permission="edit")
    return made


def test_who_may_edit_says_not_when_it_goes(media: MediaFile, stranger: Any) -> None:
    events = AuditEvent.objects.count()
    with pytest.raises(ForbiddenError):
        services.update_media(user=stranger, media=media, title="Mine", expires_at=PAST)
    assert services.expire_unused() == 0
    media.refresh_from_db()
    assert (media.title, media.expires_at) == ("", None)
    assert AuditEvent.objects.count() == events


def test_nor_that_it_stays(media: MediaFile, stranger: Any) -> None:
    MediaFile.objects.update(expires_at=PAST)
    with pytest.raises(ForbiddenError):
        services.update_media(user=stranger, media=media, expires_at=None)
    assert MediaFile.objects.get().expires_at == PAST


def test_what_stays_as_it_is_needs_no_such_right(media: MediaFile, stranger: Any) -> None:
    services.update_media(user=stranger, media=media, title="Words", expires_at=None)
    assert MediaFile.objects.get().title == "Words"


def test_who_may_delete_says_when_it_goes(media: MediaFile, owner: Any) -> None:
    services.update_media(user=owner, media=media, expires_at=PAST)
    assert services.expire_unused() == 1
    assert not MediaFile.objects.exists()
