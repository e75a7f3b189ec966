"""Uses are found wherever a model of another app refers to a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.media import selectors, services
from apps.media.models import MediaFile
from apps.media.processing.crops import Crop, cropped_name
from apps.media.tests.hosts.models import Leaflet, Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db


@pytest.fixture
def media(upload: Upload) -> MediaFile:
    return upload(photo_jpeg(32, 24))


def test_every_foreign_key_of_other_apps_is_a_use() -> None:
    labels = {use.label for use in selectors.use_fields()}
    assert {
        "hosts.leaflet.sheet",
        "hosts.member.avatar",
        "hosts.noteattachment.media",
    } <= labels
    assert not any(label.startswith("media.") for label in labels)
    assert {Member, NoteAttachment, Leaflet} <= set(selectors.using_models())
    assert Note not in selectors.using_models()


def _used(media: MediaFile) -> bool:
    unused = selectors.list_unused_media(older_than=timezone.now() + timedelta(minutes=1))
    assert selectors.is_media_used(media.pk) is (media not in unused)
    return selectors.is_media_used(media.pk)


def test_a_file_is_used_as_long_as_anything_refers_to_it(media: MediaFile) -> None:
    assert not _used(media)
    member = Member.objects.create(name="M", avatar=media)
    leaflet = Leaflet.objects.create(sheet=media)
    assert _used(media)
    Member.objects.filter(pk=member.pk).update(avatar=None)
    assert _used(media)
    leaflet.delete()
    assert not _used(media)


def test_usage_names_the_objects_that_people_know(media: MediaFile, upload: Upload) -> None:
    other = upload(photo_jpeg(20, 24))
    member = Member.objects.create(name="M", avatar=media)
    note = Note.objects.create(text="n")
    NoteAttachment.objects.create(note=note, media=media)
    NoteAttachment.objects.create(note=note, media=other)
    uses = selectors.list_media_usage(media=media)
    assert [use.host for use in uses] == [member, note]
    assert [use.field.label for use in uses] == [
        "hosts.member.avatar",
        "hosts.noteattachment.media",
    ]


def test_usage_takes_a_query_for_each_field(
    media: MediaFile, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        NoteAttachment.objects.create(note=Note.objects.create(text=str(number)), media=media)
    with django_assert_num_queries(len(selectors.use_fields())):
        assert [use.host.text for use in selectors.list_media_usage(media=media)] == list("01234")


def test_what_uses_ask_for_is_read_once_however_many_ask(
    media: MediaFile,
) -> None:
    left, right = Crop(0, 0, 0.5, 1), Crop(0.5, 0, 0.5, 1)
    for crop in (None, left, left, right):
        NoteAttachment.objects.create(note=Note.objects.create(text="n"), media=media, crop=crop)
        Member.objects.create(name="M", avatar=media, avatar_crop=left)
    with CaptureQueriesContext(connection) as asked:
        names = selectors.list_use_names(media_id=media.pk)
    whole = {cropped_name("banner.webp", crop) for crop in (None, left, right)}
    assert names == whole | {cropped_name("square.webp", left)}
    assert all(" DISTINCT " in one["sql"] or " LIMIT 1" in one["sql"] for one in asked)


def test_what_its_owner_collected_is_used(owner: Any, stranger: Any, upload: Upload) -> None:
    media = upload(photo_jpeg(32, 24), visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(usable=True, status="ready")
    foreign = services.create_collection(user=stranger, title="C")
    services.add_items(user=stranger, collection=foreign, media_ids=[media.pk])
    assert not _used(media)
    own = services.create_collection(user=owner, title="C")
    services.add_items(user=owner, collection=own, media_ids=[media.pk])
    assert _used(media)


def test_unused_media_are_old_enough_and_not_in_the_trash(owner: Any, media: MediaFile) -> None:
    assert list(selectors.list_unused_media(older_than=timedelta(0))) == [media]
    assert list(selectors.list_unused_media(older_than=timedelta(hours=1))) == []
    services.delete_media(user=owner, media=media)
    assert list(selectors.list_unused_media(older_than=timedelta(0))) == []
