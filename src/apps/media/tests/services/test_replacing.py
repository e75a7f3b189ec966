"""Replacing a file takes as long as its bytes do: what is true at its end counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile

from apps.media import selectors, services
from apps.media.exceptions import ForbiddenError, NotVisibleError, WrongStateError
from apps.media.models import AuditEvent, Job, MediaFile, MediaVersion, Upload

pytestmark = pytest.mark.django_db
OLD, NEW = b"The old words.\n", b"Quite new words.\n"


class Slow(ContentFile):  # type: ignore[type-arg]  # generic in the stubs only
    """While its bytes come, something happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(NEW, name="new.txt")
        self._meanwhile = meanwhile

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self._meanwhile()
        yield NEW


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(OLD, "old.txt")


def _expect_nothing_new(owner: Any) -> None:
    assert set(MediaVersion.objects.values_list("number", flat=True)) <= {1}
    assert not Upload.objects.filter(replaces__isnull=False).exists()
    assert not Job.objects.exclude(version=1).exists()
    assert not AuditEvent.objects.filter(act=AuditEvent.Act.REPLACED).exists()
    assert selectors.get_storage_usage(user=owner).reserved == 0


def test_what_is_thrown_away_meanwhile_stays_as_it_is(media: MediaFile, owner: Any) -> None:
    slow = Slow(lambda: services.delete_media(user=owner, media=media))
    with pytest.raises(WrongStateError):
        services.replace_media(user=owner, media=media, file=slow)
    _expect_nothing_new(owner)


def test_what_is_deleted_meanwhile_is_gone(media: MediaFile, owner: Any) -> None:
    slow = Slow(lambda: services.delete_media(user=owner, media=media, permanent=True))
    with pytest.raises(NotVisibleError):
        services.replace_media(user=owner, media=media, file=slow)
    _expect_nothing_new(owner)


def test_a_right_that_is_taken_back_meanwhile_is_none(
    media: MediaFile, owner: Any, stranger: Any
) -> None:
    grant = services.grant_access(user=owner, media=media, to=stranger, permission="edit")
    slow = Slow(lambda: services.revoke_access(user=owner, grant=grant))
    with pytest.raises(ForbiddenError):
        services.replace_media(user=stranger, media=media, file=slow)
    _expect_nothing_new(owner)
