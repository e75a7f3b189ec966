"""Cleanup never deletes what is used, also when a use appears at that moment: two connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError
from apps.media.models import MediaFile
from apps.media.tests.hosts.models import Leaflet, Member
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def _beside(act: Callable[[], Any]) -> Iterator[list[Any]]:
    """`act` runs on a connection of its own; its result is in the list when the block is left."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(act())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield results
    thread.join(timeout=60)
    assert not thread.is_alive()


def _due(upload: Upload) -> MediaFile:
    media = upload(photo_jpeg(32, 24), for_use=True)
    MediaFile.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return media


def test_a_use_that_is_being_committed_keeps_the_file(owner: Any, upload: Upload) -> None:
    media = _due(upload)
    member = Member.objects.create(name="M")
    with transaction.atomic():
        services.attach_media(user=owner, media=media, to=member, field="avatar")
        cleaning = _beside(services.expire_unused)
        gone = cleaning.__enter__()
    cleaning.__exit__(None, None, None)
    assert gone == [0]
    assert Member.objects.get().avatar == media


def test_a_use_that_comes_while_the_cleanup_looks_is_refused(
    owner: Any, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cleanup has locked the file and found nothing; only then somebody attaches it."""
    media = _due(upload)
    member = Member.objects.create(name="M")
    looked, found = threading.Event(), selectors.is_media_used

    def look(media_id: Any) -> bool:
        answer = found(media_id)
        looked.set()
        return answer

    monkeypatch.setattr("apps.media.selectors.is_media_used", look)

    def attach() -> None:
        looked.wait(timeout=60)
        services.attach_media(user=owner, media=media, to=member, field="avatar")

    with _beside(attach) as results:
        assert services.expire_unused() == 1
    (error,) = results
    assert isinstance(error, NotVisibleError)
    assert Member.objects.get().avatar is None


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="DATABASE_URL is no PostgreSQL")
def test_a_plain_insert_never_ends_in_a_use_of_nothing(upload: Upload) -> None:
    """Code that knows nothing of the media app, uncommitted while the cleanup deletes."""
    media = _due(upload)

    def insert() -> None:
        Leaflet.objects.create(sheet_id=media.pk)

    with suppress(IntegrityError), transaction.atomic():
        insert()
        with _beside(services.expire_unused):
            pass
    leaflets = Leaflet.objects.count()
    assert leaflets == MediaFile.objects.filter(pk=media.pk).count()


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="DATABASE_URL is no PostgreSQL")
def test_many_rounds_of_attaching_against_cleaning(owner: Any, upload: Upload) -> None:
    outcomes = set()
    for _ in range(30):
        media = _due(upload)
        member = Member.objects.create(name="M")

        def attach(media: MediaFile = media, member: Member = member) -> None:
            services.attach_media(user=owner, media=media, to=member, field="avatar")

        with _beside(attach), _beside(services.expire_unused):
            pass
        member.refresh_from_db()
        there = MediaFile.objects.filter(pk=media.pk).exists()
        assert there == (member.avatar_id is not None)
        outcomes.add(there)
    assert outcomes
