"""However a row disappears, its objects go with it; nothing that is used does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore, new_key
from apps.media import selectors, services
from apps.media.exceptions import ForbiddenError, WrongStateError
from apps.media.models import MediaFile, Quota, Tombstone
from apps.media.tests import samples

TEXT = b"A few plain words.\n"


@pytest.fixture
def photo(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(420, 300), "photo.jpg")
    run_jobs()
    return media


@pytest.fixture
def bury_all() -> Callable[[], None]:
    def bury() -> None:
        Tombstone.objects.update(due_at=timezone.now() - timedelta(days=1))
        services.bury_tombstones()

    return bury


def _by_service(media: MediaFile) -> None:
    services.delete_media(user=media.owner, media=media, permanent=True)


def _by_row(media: MediaFile) -> None:
    media.delete()


def _by_query(media: MediaFile) -> None:
    MediaFile.objects.filter(pk=media.pk).delete()


def _by_owner(media: MediaFile) -> None:
    media.owner.delete()


def test_a_tombstone_of_what_a_row_needs_is_dropped(
    photo: MediaFile, own_storage: ObjectStore, bury_all: Callable[[], None]
) -> None:
    there = {item.key for item in own_storage.walk()}
    for key in there:
        services.deletion.raise_tombstone(storage=photo.versions.get().storage, key=key)
    bury_all()
    assert {item.key for item in own_storage.walk()} == there
    assert not Tombstone.objects.exists()


@pytest.mark.parametrize("remove", [_by_service, _by_row, _by_query, _by_owner])
def test_every_way_of_deleting_empties_the_storage(
    photo: MediaFile,
    remove: Callable[[MediaFile], None],
    own_storage: ObjectStore,
    bury_all: Callable[[], None],
    heard: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    owner_id = photo.owner_id
    assert len(list(own_storage.walk())) > 3
    with django_capture_on_commit_callbacks(execute=True):
        remove(photo)
    bury_all()
    assert list(own_storage.walk()) == []
    assert not Tombstone.objects.exists()
    assert [name for name, _ in heard] == ["media_deleted"]
    assert not Quota.objects.filter(owner=owner_id).exclude(bytes_used=0, files_used=0).exists()


def test_the_trash_keeps_everything(photo: MediaFile, own_storage: ObjectStore) -> None:
    before = [item.key for item in own_storage.walk()]
    services.delete_media(user=photo.owner, media=photo)
    assert services.bury_tombstones() == 0
    assert [item.key for item in own_storage.walk()] == before
    assert list(selectors.list_trash(user=photo.owner)) == [photo]
    assert list(selectors.list_media_by_user(user_id=photo.owner_id)) == []
    restored = services.restore_media(user=photo.owner, media=photo)
    assert restored.deleted_at is None
    with pytest.raises(WrongStateError):
        services.restore_media(user=photo.owner, media=photo)


def test_throwing_away_twice_keeps_the_first_date(photo: MediaFile) -> None:
    services.delete_media(user=photo.owner, media=photo)
    first = photo.deleted_at
    services.delete_media(user=photo.owner, media=photo)
    assert photo.deleted_at == first


def test_old_trash_is_emptied(upload: Callable[..., MediaFile], settings: Any) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "TRASH_LIFETIME": 3600}
    kept, recent, old = (upload(TEXT, f"{number}.txt") for number in range(3))
    MediaFile.objects.filter(pk=recent.pk).update(deleted_at=timezone.now())
    MediaFile.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - timedelta(hours=2))
    assert services.empty_trash() == 1
    assert set(MediaFile.objects.all()) == {kept, recent}


def test_a_tombstone_waits_for_a_storage_that_is_away(
    photo: MediaFile,
    own_storage: Any,
    monkeypatch: pytest.MonkeyPatch,
    bury_all: Callable[[], None],
) -> None:
    photo.delete()
    waiting = Tombstone.objects.count()

    def away(key: str) -> None:
        raise StorageUnavailableError(key)

    with monkeypatch.context() as patch:
        patch.setattr(own_storage, "remove", away)
        bury_all()
    assert Tombstone.objects.count() == waiting
    assert not Tombstone.objects.filter(attempts=0).exists()
    assert not Tombstone.objects.filter(due_at__lte=timezone.now()).exists()
    bury_all()
    assert list(own_storage.walk()) == []


class TestOneThatCannotBeRemoved:
    """The oldest of all comes first every time: the others go nevertheless."""

    @pytest.fixture
    def healthy(self, own_storage: ObjectStore, db: None) -> str:
        key = new_key("original")
        with own_storage.writer(key) as writer:
            writer.write(TEXT)
        services.deletion.raise_tombstone(storage="media", key=key)
        return key

    def test_however_often_it_was_tried(
        self, healthy: str, own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stuck, remove = _old_tombstone(attempts=60), own_storage.remove

        def refuse(key: str) -> None:
            if key == stuck.key:
                raise StorageUnavailableError(key)
            remove(key)

        monkeypatch.setattr(own_storage, "remove", refuse)
        assert services.bury_tombstones() == 1
        assert Tombstone.objects.get() == stuck
        assert _due(stuck) <= timezone.now() + timedelta(hours=1)
        assert not own_storage.exists(healthy)

    def test_whose_storage_the_site_has_left(self, healthy: str, own_storage: ObjectStore) -> None:
        """It is not even tried, so that very many of them take nobody's place."""
        stuck = _old_tombstone(storage="gone")
        assert services.bury_tombstones(limit=1) == 1
        assert Tombstone.objects.get() == stuck
        assert Tombstone.objects.get().attempts == 0
        assert not own_storage.exists(healthy)

    def test_the_storage_may_come_back(
        self, own_storage: ObjectStore, settings: Any, db: None
    ) -> None:
        _old_tombstone(storage="gone")
        assert services.bury_tombstones() == 0
        settings.STORAGES = {**settings.STORAGES, "gone": settings.STORAGES["media"]}
        assert services.bury_tombstones() == 1


def _old_tombstone(**values: Any) -> Tombstone:
    due = timezone.now() - timedelta(days=2)
    return Tombstone.objects.create(
        **{"storage": "media", "key": new_key("original"), "due_at": due, **values}
    )


def _due(tombstone: Tombstone) -> Any:
    return Tombstone.objects.values_list("due_at", flat=True).get(pk=tombstone.pk)


class TestBytesThatStayForBackups:
    @pytest.fixture(autouse=True)
    def a_day(self, settings: Any) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "DELETED_LIFETIME": 24 * 3600}

    def test_are_the_original_which_nothing_could_make_again(
        self, photo: MediaFile, own_storage: ObjectStore
    ) -> None:
        key = photo.current.key
        _by_service(photo)
        services.bury_tombstones()
        assert [item.key for item in own_storage.walk()] == [key]
        assert Quota.objects.get(owner=photo.owner).bytes_used == 0
        assert not MediaFile.objects.exists()

    def test_go_when_their_time_is_over(
        self, photo: MediaFile, own_storage: ObjectStore, bury_all: Callable[[], None]
    ) -> None:
        _by_service(photo)
        bury_all()
        assert list(own_storage.walk()) == []

    def test_go_at_once_with_whoever_is_erased(
        self, photo: MediaFile, own_storage: ObjectStore
    ) -> None:
        services.erase_user(user=photo.owner, by=None)
        assert list(own_storage.walk()) == []


def test_others_may_not_delete(photo: MediaFile, stranger: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility="public")
    for permanent in (False, True):
        with pytest.raises(ForbiddenError):
            services.delete_media(user=stranger, media=photo, permanent=permanent)
    photo.refresh_from_db()
    assert photo.deleted_at is None


def test_a_role_may(photo: MediaFile, stranger: Any) -> None:
    role = Group.objects.create(name="media managers")
    role.permissions.add(Permission.objects.get(codename="delete_mediafile"))
    stranger.groups.add(role)
    services.delete_media(user=stranger, media=photo)
    assert photo.deleted_at is not None
