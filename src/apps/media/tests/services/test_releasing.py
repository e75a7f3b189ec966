"""What was uploaded for a use lives as long as it does, and no file that is used ever goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.models import AuditEvent, Lifetime, MediaFile, Tombstone
from apps.media.services import AttachmentItem
from apps.media.tests.hosts.models import Leaflet, Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

Upload = Callable[..., MediaFile]
Commit = Any  # runs what waits for a commit that a test never makes
pytestmark = pytest.mark.django_db


@pytest.fixture
def media(upload: Upload) -> MediaFile:
    return upload(photo_jpeg(32, 24), for_use=True)


def _seconds_left(media: MediaFile) -> float | None:
    media.refresh_from_db()
    if media.expires_at is None:
        return None
    return (media.expires_at - timezone.now()).total_seconds()


def _let_time_pass(seconds: int) -> None:
    for media in MediaFile.objects.exclude(expires_at=None):
        media.expires_at -= timedelta(seconds=seconds)
        media.save(update_fields=["expires_at"])


def _attach(media: MediaFile, member: Member | None = None) -> Member:
    member = member or Member.objects.create(name="M")
    services.attach_media(user=media.owner, media=media, to=member, field="avatar")
    return member


def test_a_file_of_the_library_has_no_end(upload: Upload) -> None:
    media = upload(photo_jpeg(32, 24))
    assert (media.lifetime, media.expires_at) == (Lifetime.KEPT, None)
    assert services.mark_unused() == services.expire_unused() == 0
    assert MediaFile.objects.exists()


def test_what_nobody_claims_goes_after_a_day(
    media: MediaFile, run_jobs: Callable[[], int], own_storage: ObjectStore
) -> None:
    run_jobs()
    assert media.lifetime == Lifetime.USED
    assert _seconds_left(media) == pytest.approx(24 * 3600, abs=60)
    _let_time_pass(24 * 3600 - 60)
    assert services.expire_unused() == 0
    _let_time_pass(61)
    assert services.expire_unused() == 1
    assert not MediaFile.objects.exists()
    assert Tombstone.objects.exists()
    services.bury_tombstones()
    assert not list(own_storage.walk())
    event = AuditEvent.objects.get(act=AuditEvent.Act.DELETED)
    assert (event.media_id, event.actor_id) == (media.pk, None)


def test_how_long_is_an_option(upload: Upload, settings: Any) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "UNCLAIMED_LIFETIME": 100}
    assert _seconds_left(upload(photo_jpeg(32, 24), for_use=True)) == pytest.approx(100, abs=10)


def test_what_is_used_stays(media: MediaFile) -> None:
    _attach(media)
    assert _seconds_left(media) is None
    assert services.mark_unused() == services.expire_unused() == 0
    assert MediaFile.objects.exists()


def test_what_a_plain_foreign_key_uses_stays_though_nobody_told(media: MediaFile) -> None:
    Leaflet.objects.create(sheet=media)
    _let_time_pass(25 * 3600)
    assert services.expire_unused() == 0
    assert _seconds_left(media) is None


def test_a_rows_end_sets_the_clock_at_once(
    media: MediaFile, django_capture_on_commit_callbacks: Commit
) -> None:
    member = _attach(media)
    with django_capture_on_commit_callbacks(execute=True):
        member.delete()
    assert _seconds_left(media) == pytest.approx(3600, abs=60)
    _let_time_pass(3601)
    assert services.expire_unused() == 1


def test_no_grace_is_at_once(
    media: MediaFile,
    settings: Any,
    django_capture_on_commit_callbacks: Commit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "UNUSED_GRACE": 0}
    sent: list[str] = []
    monkeypatch.setattr("apps.media.dispatch.send", lambda name, **kwargs: sent.append(name))
    member = _attach(media)
    with django_capture_on_commit_callbacks(execute=True):
        member.delete()
    assert sent == ["media.expire_unused"]
    assert services.expire_unused() == 1


def test_another_use_keeps_it(media: MediaFile, django_capture_on_commit_callbacks: Commit) -> None:
    member = _attach(media)
    Leaflet.objects.create(sheet=media)
    with django_capture_on_commit_callbacks(execute=True):
        member.delete()
    assert _seconds_left(media) is None


def test_a_file_of_the_library_outlives_its_uses(
    upload: Upload, django_capture_on_commit_callbacks: Commit
) -> None:
    media = upload(photo_jpeg(32, 24))
    member = _attach(media)
    with django_capture_on_commit_callbacks(execute=True):
        member.delete()
    services.mark_unused()
    assert _seconds_left(media) is None


@pytest.mark.parametrize("how", ["another file", "detached"])
def test_a_field_that_lets_go_sets_the_clock(
    how: str, media: MediaFile, upload: Upload, django_capture_on_commit_callbacks: Commit
) -> None:
    member = _attach(media)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "detached":
            services.detach_media(user=media.owner, to=member, field="avatar")
        else:
            _attach(upload(photo_jpeg(33, 24)), member)
    assert _seconds_left(media) == pytest.approx(3600, abs=60)


def test_what_leaves_a_list_goes_and_what_stays_stays(
    owner: Any, upload: Upload, django_capture_on_commit_callbacks: Commit
) -> None:
    note = Note.objects.create(text="n")
    files = [upload(photo_jpeg(32 + number, 24), for_use=True) for number in range(3)]

    def keep(*kept: MediaFile) -> None:
        items = [AttachmentItem(media) for media in kept]
        services.set_attachments(user=owner, to=note, through=NoteAttachment, items=items)

    keep(*files)
    with django_capture_on_commit_callbacks(execute=True):
        keep(files[1])
    assert [_seconds_left(media) is None for media in files] == [False, True, False]


def test_the_end_of_a_host_is_one_statement_for_all_its_files(
    owner: Any, upload: Upload, django_capture_on_commit_callbacks: Commit
) -> None:
    note = Note.objects.create(text="n")
    files = [upload(photo_jpeg(32 + number, 24), for_use=True) for number in range(3)]
    items = [AttachmentItem(media) for media in files]
    services.set_attachments(user=owner, to=note, through=NoteAttachment, items=items)
    with django_capture_on_commit_callbacks() as callbacks:
        note.delete()
    (release,) = callbacks
    assert release.ids == {media.pk for media in files}
    release()
    assert all(_seconds_left(media) for media in files)


def test_a_deletion_that_is_taken_back_releases_nothing(
    media: MediaFile, django_capture_on_commit_callbacks: Commit
) -> None:
    member = _attach(media)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        with pytest.raises(RuntimeError), transaction.atomic():
            member.delete()
            raise RuntimeError
        Leaflet.objects.create(sheet=media).delete()
    assert callbacks
    assert _seconds_left(media) is None


@pytest.mark.parametrize("way", ["raw", "bulk", "update"])
def test_what_went_unnoticed_the_sweep_finds(way: str, media: MediaFile) -> None:
    member = _attach(media)
    if way == "raw":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM hosts_member")
    elif way == "bulk":
        Member.objects.all()._raw_delete("default")
    else:
        Member.objects.filter(pk=member.pk).update(avatar=None)
    assert services.expire_unused() == 0
    assert services.mark_unused() == 1
    assert services.mark_unused() == 0
    assert _seconds_left(media) == pytest.approx(3600, abs=60)


def test_marking_takes_all_whatever_their_number(
    media: MediaFile, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.media.services.releasing.BATCH", 2)
    for number in range(4):
        upload(photo_jpeg(33 + number, 24), for_use=True)
    MediaFile.objects.update(expires_at=None)
    assert services.mark_unused() == 5


def test_a_file_in_the_trash_is_left_to_the_trash(owner: Any, media: MediaFile) -> None:
    services.delete_media(user=owner, media=media)
    _let_time_pass(25 * 3600)
    assert services.mark_unused() == services.expire_unused() == 0
    services.restore_media(user=owner, media=media)
    media.refresh_from_db()
    assert (media.lifetime, media.expires_at) == (Lifetime.KEPT, None)


def test_what_its_owner_collects_stays(owner: Any, media: MediaFile) -> None:
    collection = services.create_collection(user=owner, title="C")
    services.add_items(user=owner, collection=collection, media_ids=[media.pk])
    _let_time_pass(25 * 3600)
    assert services.expire_unused() == 0
    assert MediaFile.objects.exists()


def test_a_copy_for_the_library_keeps_the_file(media: MediaFile, upload: Upload) -> None:
    MediaFile.objects.update(sha256="a" * 64)
    again = upload(photo_jpeg(32, 24), sha256="a" * 64, on_duplicate="link")
    assert again == media
    again.refresh_from_db()
    assert (again.lifetime, again.expires_at) == (Lifetime.KEPT, None)


def test_a_copy_of_what_is_used_has_time_of_its_own(
    media: MediaFile, upload: Upload, django_capture_on_commit_callbacks: Commit
) -> None:
    """It is waiting for its own use when the one before goes."""
    MediaFile.objects.update(sha256="a" * 64)
    member = _attach(media)
    upload(photo_jpeg(32, 24), sha256="a" * 64, on_duplicate="link", for_use=True)
    with django_capture_on_commit_callbacks(execute=True):
        member.delete()
    _let_time_pass(2 * 3600)
    assert services.expire_unused() == 0
    assert _seconds_left(media) == pytest.approx(22 * 3600, abs=60)


def test_a_copy_for_another_use_gives_it_time_again(media: MediaFile, upload: Upload) -> None:
    MediaFile.objects.update(sha256="a" * 64)
    _let_time_pass(24 * 3600 - 60)
    again = upload(photo_jpeg(32, 24), sha256="a" * 64, on_duplicate="link", for_use=True)
    assert _seconds_left(again) == pytest.approx(24 * 3600, abs=60)
    assert again.lifetime == Lifetime.USED
