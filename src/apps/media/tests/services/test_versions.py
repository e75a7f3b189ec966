"""New bytes under the same id: others never see a gap, a byte unscanned, or a good file lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.db.models import F
from django.utils import timezone

from apps.core.storage import ObjectStore, new_key
from apps.media import links, selectors, services
from apps.media.exceptions import (
    EmptyFileError,
    ForbiddenError,
    NotVisibleError,
    QuotaExceededError,
    WrongStateError,
)
from apps.media.models import Job, MediaFile, MediaVersion, Rendition, Tombstone, Upload
from apps.media.services import versions
from apps.media.storage import store_of
from apps.media.tests import samples

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
OLD, NEW = b"The old words.\n".ljust(len(EICAR), b"."), b"Quite new words.\n"


def _read(media: MediaFile) -> MediaFile:
    return MediaFile.objects.get(pk=media.pk)


def _replace(media: MediaFile, data: bytes = NEW, name: str = "new.txt", **more: Any) -> MediaFile:
    more.setdefault("user", media.owner)
    file = ContentFile(data, name=name)
    return services.replace_media(media=media, file=file, **more)


def _bytes_for(user: Any, media: MediaFile) -> bytes:
    found = selectors.get_readable_media(user=user, media_id=media.pk)
    return found.file.read(100)


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    """A public file that is ready."""
    found = upload(OLD, "old.txt", visibility="public", title="Words")
    run_jobs()
    return _read(found)


class TestReplacing:
    def test_gives_the_file_new_bytes_under_the_same_id(
        self, media: MediaFile, run_jobs: Any, heard: list[Any], owner: Any
    ) -> None:
        replaced = _replace(media)
        assert replaced == media
        assert (replaced.version, replaced.status, replaced.title) == (2, "pending", "Words")
        assert (replaced.size, replaced.original_name) == (len(NEW), "new.txt")
        run_jobs()
        now = _read(media)
        assert (now.status, now.version, now.published_version) == ("ready", 2, 2)
        assert now.file.read(100) == NEW
        assert now.sha256 != media.sha256
        versions = {version.number: version for version in media.versions.all()}
        assert versions[1].replaced_at is not None
        assert versions[2].replaced_at is None
        assert versions[1].file.read(100) == OLD
        usage = selectors.get_storage_usage(user=owner)
        assert (usage.used, usage.reserved, usage.files) == (len(OLD) + len(NEW), 0, 1)

    def test_changes_every_immutable_address(
        self, upload: Callable[..., MediaFile], run_jobs: Any
    ) -> None:
        media = upload(samples.photo_jpeg(420, 300), "a.jpg")
        run_jobs()
        before = _addresses(media)
        _replace(media, samples.photo_jpeg(420, 300, quality=50), "a.jpg")
        run_jobs()
        after = _addresses(media)
        assert len(before) > 2
        assert before.keys() == after.keys()
        assert not set(before.values()) & set(after.values())

    def test_refused_bytes_leave_no_trace(
        self, media: MediaFile, own_storage: ObjectStore, settings: Any, owner: Any
    ) -> None:
        jobs = Job.objects.count()
        with pytest.raises(EmptyFileError):
            _replace(media, b"")
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": len(OLD) + 1}
        with pytest.raises(QuotaExceededError):
            _replace(media)
        assert _read(media).version == 1
        assert media.versions.count() == 1
        assert Job.objects.count() == jobs
        assert not Upload.objects.exclude(media=media).exists()
        assert selectors.get_storage_usage(user=owner).reserved == 0
        assert not list(own_storage.walk("incoming/"))

    def test_others_may_not(self, media: MediaFile, stranger: Any) -> None:
        for act in (
            lambda: _replace(media, user=stranger),
            lambda: services.restore_version(user=stranger, media=media, number=1),
            lambda: services.delete_version(user=stranger, media=media, number=1),
            lambda: selectors.list_versions(user=stranger, media=media),
            lambda: selectors.get_old_version(user=stranger, media=media, number=1),
        ):
            with pytest.raises(ForbiddenError):
                act()
        assert media.versions.count() == 1
        assert not Upload.objects.exclude(media=media).exists()

    def test_a_grant_to_edit_removes_nothing_for_good(
        self, media: MediaFile, stranger: Any, run_jobs: Any
    ) -> None:
        services.grant_access(user=media.owner, media=media, to=stranger, permission="edit")
        _replace(media, user=stranger)
        run_jobs()
        with pytest.raises(ForbiddenError):
            services.delete_version(user=stranger, media=_read(media), number=1)
        assert media.versions.count() == 2

    def test_what_is_in_the_trash_is_left_alone(self, media: MediaFile) -> None:
        services.delete_media(user=media.owner, media=media)
        with pytest.raises(WrongStateError):
            _replace(_read(media))
        assert media.versions.count() == 1

    def test_a_manager_does_it_at_the_expense_of_the_owner(
        self, media: MediaFile, staff: Any, owner: Any
    ) -> None:
        _replace(media, user=staff)
        assert _read(media).owner == owner
        assert selectors.get_storage_usage(user=owner).used == len(OLD) + len(NEW)
        assert selectors.get_storage_usage(user=staff).used == 0

    def test_deleting_the_file_takes_all_versions(
        self, media: MediaFile, run_jobs: Any, own_storage: ObjectStore, owner: Any
    ) -> None:
        _replace(media)
        run_jobs()
        services.delete_media(user=owner, media=media, permanent=True)
        Tombstone.objects.update(due_at=timezone.now())
        services.bury_tombstones()
        assert list(own_storage.walk()) == []
        usage = selectors.get_storage_usage(user=owner)
        assert (usage.used, usage.files) == (0, 0)


def _addresses(media: MediaFile) -> dict[str, str]:
    shown = selectors.get_detailed_media(user=media.owner, media_id=media.pk)
    urls = {row.name: links.rendition_url(shown, row) for row in links.shown_renditions(shown)}
    return {**urls, "original": links.original_url(shown)}


class TestWhatOthersSee:
    def test_the_old_version_until_the_new_one_is_good(
        self, media: MediaFile, stranger: Any, owner: Any, run_jobs: Any
    ) -> None:
        _replace(media)
        assert _bytes_for(stranger, media) == OLD
        assert _bytes_for(owner, media) == NEW
        (shown,) = selectors.shown_to(stranger, list(MediaFile.objects.all()))
        assert (shown.version, shown.status, shown.size) == (1, "ready", len(OLD))
        assert shown.sha256 == media.sha256
        run_jobs()
        assert _bytes_for(stranger, media) == NEW

    def test_staff_waits_for_the_scan_too(self, media: MediaFile, staff: Any) -> None:
        staff.is_superuser = False
        staff.save()
        _replace(media)
        with pytest.raises(ForbiddenError):
            _bytes_for(staff, media)

    def test_what_was_never_good_is_still_not_seen(
        self, upload: Callable[..., MediaFile], stranger: Any, run_jobs: Any
    ) -> None:
        media = upload(OLD, "old.txt", visibility="public")
        _replace(media)
        with pytest.raises(NotVisibleError):
            selectors.get_visible_media(user=stranger, media_id=media.pk)
        run_jobs()
        assert _bytes_for(stranger, media) == NEW

    def test_malware_does_not_destroy_what_was_good(
        self, media: MediaFile, stranger: Any, run_jobs: Any, heard: list[Any]
    ) -> None:
        _replace(media, EICAR)
        run_jobs()
        now = _read(media)
        assert (now.status, now.failure_code, now.version) == ("quarantined", "malware_found", 2)
        assert (now.usable, now.published_version) == (True, 1)
        assert _bytes_for(stranger, media) == OLD
        with pytest.raises(WrongStateError):
            services.reprocess_media(user=media.owner, media=now)
        services.restore_version(user=media.owner, media=now, number=1)
        assert _read(media).status == "ready"
        with pytest.raises(WrongStateError):
            services.restore_version(user=media.owner, media=now, number=2)
        services.delete_version(user=media.owner, media=now, number=2)
        assert [version.number for version in media.versions.all()] == [1]

    def test_what_cannot_be_read_neither(
        self, upload: Callable[..., MediaFile], stranger: Any, run_jobs: Any
    ) -> None:
        media = upload(samples.photo_jpeg(64, 48), "a.jpg", visibility="public")
        run_jobs()
        _replace(media, samples.truncated_jpeg(), "b.jpg")
        run_jobs()
        now = _read(media)
        assert (now.status, now.failure_code) == ("failed", "corrupt_file")
        assert media.versions.get(number=2).failure_code == "corrupt_file"
        shown = selectors.get_detailed_media(user=stranger, media_id=media.pk)
        assert (shown.status, shown.original_name) == ("ready", "a.jpg")
        assert {row.version for row in shown.current_renditions} == {1}

    def test_malware_in_what_they_get_ends_that(
        self, media: MediaFile, stranger: Any, run_jobs: Any
    ) -> None:
        services.rescan_many(media_ids=[media.pk])
        _replace(media)
        Job.objects.exclude(version=1).update(due_at=timezone.now() + timedelta(days=1))
        version = media.versions.get(number=1)
        assert selectors.get_version(media=media) == version
        # Another key: what was fetched from a bucket once is not fetched again.
        bad = new_key("rendition")
        with store_of(version.storage).writer(bad) as writer:
            writer.write(EICAR)
        media.versions.filter(number=1).update(key=bad)
        run_jobs()
        assert media.versions.get(number=1).scan == "infected"
        with pytest.raises(NotVisibleError):
            selectors.get_visible_media(user=stranger, media_id=media.pk)
        assert _read(media).status == "pending"
        Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        run_jobs()
        assert _bytes_for(stranger, media) == NEW


class TestRestoring:
    @pytest.fixture
    def replaced(self, media: MediaFile, run_jobs: Any) -> MediaFile:
        _replace(media)
        run_jobs()
        return _read(media)

    def test_brings_back_all_that_was_known(
        self, replaced: MediaFile, media: MediaFile, stranger: Any, heard: list[Any]
    ) -> None:
        jobs = Job.objects.count()
        services.restore_version(user=replaced.owner, media=replaced, number=1)
        now = _read(media)
        for name in ("original_name", "size", "sha256", "mime_type", "version", "status"):
            assert getattr(now, name) == getattr(media, name)
        assert _bytes_for(stranger, media) == OLD
        assert media.versions.get(number=1).replaced_at is None
        assert media.versions.get(number=2).replaced_at is not None
        assert Job.objects.count() == jobs

    def test_a_number_never_comes_again(self, replaced: MediaFile) -> None:
        services.restore_version(user=replaced.owner, media=replaced, number=1)
        services.delete_version(user=replaced.owner, media=replaced, number=2)
        assert _replace(_read(replaced)).version == 3

    def test_what_was_not_good_is_looked_at_again(
        self, replaced: MediaFile, stranger: Any, run_jobs: Any
    ) -> None:
        old = replaced.versions.filter(number=1)
        old.update(failure_code="processing_cancelled", failure_message="Cancelled.")
        restored = services.restore_version(user=replaced.owner, media=replaced, number=1)
        assert restored.status == "pending"
        assert _bytes_for(stranger, replaced) == NEW
        run_jobs()
        assert _read(replaced).status == "ready"
        assert old.get().failure_code == ""
        assert _bytes_for(stranger, replaced) == OLD

    def test_missing_ones_are_missing(self, replaced: MediaFile) -> None:
        with pytest.raises(NotVisibleError):
            services.restore_version(user=replaced.owner, media=replaced, number=9)

    def test_what_is_in_use_is_not_deleted(self, replaced: MediaFile) -> None:
        with pytest.raises(WrongStateError):
            services.delete_version(user=replaced.owner, media=replaced, number=2)
        _replace(replaced)
        with pytest.raises(WrongStateError):  # others get it until the third is good
            services.delete_version(user=replaced.owner, media=replaced, number=2)
        assert replaced.versions.count() == 3


class TestExpiry:
    @pytest.fixture
    def history(self, media: MediaFile, run_jobs: Any) -> MediaFile:
        """Four versions, the last current, replaced one hour after the other."""
        for number in range(2, 5):
            _replace(media, f"Words number {number}.\n".encode())
            run_jobs()
        now = timezone.now()
        for number in range(1, 4):
            media.versions.filter(number=number).update(
                replaced_at=now - timedelta(hours=4 - number)
            )
        return _read(media)

    @pytest.mark.parametrize(
        ("options", "left"),
        [
            ({}, [1, 2, 3, 4]),
            ({"VERSIONS_KEPT": 2}, [2, 3, 4]),
            ({"VERSION_LIFETIME": 2 * 3600 + 1800}, [2, 3, 4]),
            ({"VERSIONS_KEPT": 1, "VERSION_LIFETIME": 1}, [4]),
        ],
    )
    def test_keeps_what_the_policy_says(
        self,
        history: MediaFile,
        settings: Any,
        options: dict[str, int],
        left: list[int],
        own_storage: ObjectStore,
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, **options}
        assert services.expire_versions() == 4 - len(left)
        assert sorted(history.versions.values_list("number", flat=True)) == left
        Tombstone.objects.update(due_at=timezone.now())
        services.bury_tombstones()
        kept = {item.key for item in own_storage.walk("original/")}
        assert kept == set(history.versions.values_list("key", flat=True))
        assert not Rendition.objects.exclude(version__in=left).exists()
        assert services.expire_versions() == 0

    def test_never_what_others_get(self, history: MediaFile, settings: Any) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "VERSIONS_KEPT": 1, "VERSION_LIFETIME": 1}
        _replace(history)
        history.versions.filter(replaced_at__isnull=False).update(
            replaced_at=F("replaced_at") - timedelta(hours=1)
        )
        services.expire_versions()
        assert sorted(history.versions.values_list("number", flat=True)) == [4, 5]

    def test_never_what_was_replaced_anew_meanwhile(
        self, history: MediaFile, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "VERSIONS_KEPT": 2, "VERSION_LIFETIME": 9000}
        due_versions = versions.due_versions

        def listed(**limits: int) -> list[tuple[UUID, int]]:
            found = due_versions(**limits)
            for number in (1, 4):  # back for a moment
                services.restore_version(user=history.owner, media=history, number=number)
            return found

        monkeypatch.setattr(versions, "due_versions", listed)
        assert services.expire_versions() == 0
        assert history.versions.count() == 4


@pytest.mark.parametrize(("complete", "code"), [(False, "processing_cancelled"), (True, "")])
def test_a_failing_old_version_does_not_touch_the_new_one(
    media: MediaFile, run_jobs: Any, complete: bool, code: str
) -> None:
    services.reprocess_media(user=media.owner, media=media)
    media.versions.update(complete=complete)
    old_job = Job.objects.get(media=media, kind="inspect", state="queued")
    _replace(media)
    assert services.cancel_job(job=old_job)
    assert media.versions.get(number=1).failure_code == code
    assert _read(media).status == "pending"
    assert Job.objects.filter(media=media, version=2, state="queued").count() == 2
    run_jobs()
    assert _read(media).status == "ready"
    assert MediaVersion.objects.get(media=media, number=2).failure_code == ""
