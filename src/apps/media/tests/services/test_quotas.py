"""The account is exact: bytes by version, files by file, whatever happens side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from apps.media import selectors, services
from apps.media.exceptions import QuotaExceededError, UploadInterruptedError
from apps.media.models import MediaFile, MediaVersion, Upload
from apps.media.services import quotas
from apps.media.services.finalizing import finalize_upload
from apps.media.services.receiving import open_receipt

TEXT = b"A few plain words.\n"


def account(user: Any) -> tuple[int, int, int]:
    usage = selectors.get_storage_usage(user=user)
    return usage.used, usage.reserved, usage.files


@pytest.fixture
def old_version() -> Callable[[MediaFile, int], MediaVersion]:
    """Give a file one more version of so many bytes, charged as uploads are."""

    def add(media: MediaFile, size: int) -> MediaVersion:
        upload = Upload.objects.create(
            owner=media.owner,
            source="form",
            original_name="old.txt",
            storage="media",
            key=f"incoming/{size}",
            replaces=media,
            expires_at=timezone.now(),
        )
        quotas.reserve(upload=upload, size=size)
        quotas.charge(upload=upload, size=size)
        Upload.objects.filter(pk=upload.pk).update(reserved=0)
        return MediaVersion.objects.create(
            media=media,
            number=media.versions.count() + 1,
            storage="media",
            key=f"original/{size}",
            original_name="old.txt",
            mime_type="text/plain",
            size=size,
        )

    return add


def side_by_side(count: int, work: Callable[[int], object]) -> list[object]:
    """Do `work` on threads of their own that begin at once; what each returned or raised."""
    gate, outcomes = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        try:
            gate.wait()
            outcomes[number] = work(number)
        except Exception as error:
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class TestVersions:
    def test_bytes_count_by_version_and_the_file_once(
        self, upload: Callable[..., MediaFile], owner: Any, old_version: Any
    ) -> None:
        media = upload(TEXT, "a.txt")
        first, second = old_version(media, 100), old_version(media, 50)
        assert account(owner) == (len(TEXT) + 150, 0, 1)
        first.delete()
        assert account(owner) == (len(TEXT) + 50, 0, 1)
        second.delete()
        assert account(owner) == (len(TEXT), 0, 1)

    @pytest.mark.parametrize("bulk", [False, True])
    def test_deleting_the_file_gives_all_back(
        self, upload: Callable[..., MediaFile], owner: Any, old_version: Any, bulk: bool
    ) -> None:
        kept, *gone = (upload(TEXT, f"{number}.txt") for number in range(3))
        for media in gone:
            old_version(media, 100 + media.pk.int % 1000)
        rows = MediaFile.objects.filter(pk__in=[media.pk for media in gone])
        for one in [rows] if bulk else rows:
            one.delete()
        assert account(owner) == (len(TEXT), 0, 1)
        assert list(MediaFile.objects.all()) == [kept]

    def test_a_new_version_needs_no_place_of_a_file(
        self, upload: Callable[..., MediaFile], owner: Any, old_version: Any, settings: Any
    ) -> None:
        media = upload(TEXT, "a.txt")
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_FILES": 1}
        old_version(media, 10)
        assert account(owner) == (len(TEXT) + 10, 0, 1)


class TestCharging:
    @pytest.fixture
    def receiving(self, owner: Any) -> Upload:
        return open_receipt(user=owner, name="a.txt", declared_size=10, source="form").upload

    def test_more_than_was_reserved_has_to_fit(
        self, receiving: Upload, owner: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 15}
        with pytest.raises(QuotaExceededError):
            quotas.charge(upload=receiving, size=16)
        assert account(owner) == (0, 10, 0)
        quotas.charge(upload=receiving, size=15)
        assert account(owner) == (15, 0, 1)

    def test_what_was_reserved_fits_although_the_limit_has_sunk(
        self, receiving: Upload, owner: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 5}
        quotas.charge(upload=receiving, size=10)
        assert account(owner) == (10, 0, 1)

    def test_expiry_gives_back_what_was_added_meanwhile(
        self, receiving: Upload, owner: Any
    ) -> None:
        stale = Upload.objects.get(pk=receiving.pk)
        quotas.reserve(upload=receiving, size=90)
        stale.delete()
        assert account(owner) == (0, 0, 0)

    def test_a_refused_reservation_leaves_none(
        self, receiving: Upload, owner: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 50}
        with pytest.raises(QuotaExceededError):
            quotas.reserve(upload=receiving, size=41)
        assert account(owner) == (0, 10, 0)
        assert Upload.objects.get().reserved == 10

    def test_nothing_is_set_aside_for_an_upload_that_is_gone(
        self, receiving: Upload, owner: Any
    ) -> None:
        Upload.objects.all().delete()
        with pytest.raises(UploadInterruptedError):
            quotas.reserve(upload=receiving, size=5)
        assert account(owner) == (0, 0, 0)

    def test_dropping_an_upload_that_has_just_become_a_file_takes_nothing(self, owner: Any) -> None:
        receipt = open_receipt(user=owner, name="a.txt", declared_size=0, source="form")
        receipt.write(TEXT)
        receipt.close()
        stale = Upload.objects.get(pk=receipt.upload.pk)
        media = finalize_upload(upload=receipt.upload, fields={})
        stale.delete()
        assert account(owner) == (len(TEXT), 0, 1)
        assert services.bury_tombstones() == 0
        assert media.file.read(100) == TEXT


@pytest.mark.django_db(transaction=True)
class TestSideBySide:
    def test_of_twenty_uploads_of_which_one_fits_one_is_taken(
        self, owner: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 1000}

        def send(number: int) -> MediaFile:
            file = ContentFile(b"x" * 600, name=f"{number}.txt")
            return services.upload_media(user=owner, file=file)

        outcomes = side_by_side(20, send)
        taken = [outcome for outcome in outcomes if isinstance(outcome, MediaFile)]
        assert len(taken) == 1
        assert sum(isinstance(outcome, QuotaExceededError) for outcome in outcomes) == 19
        assert account(owner) == (600, 0, 1)
        services.delete_media(user=owner, media=taken[0], permanent=True)
        assert account(owner) == (0, 0, 0)
        assert not Upload.objects.exists()

    def test_deleting_the_same_file_everywhere_at_once_gives_back_once(
        self, owner: Any, upload: Callable[..., MediaFile]
    ) -> None:
        upload(TEXT, "kept.txt")
        media = upload(TEXT, "gone.txt")
        side_by_side(6, lambda number: MediaFile.objects.filter(pk=media.pk).delete())
        assert not MediaFile.objects.filter(pk=media.pk).exists()
        assert account(owner) == (len(TEXT), 0, 1)

    def test_reserving_and_expiring_at_once_leaves_nothing(self, owner: Any) -> None:
        receipts = [
            open_receipt(user=owner, name="a.txt", declared_size=1, source="form") for _ in range(4)
        ]
        Upload.objects.update(expires_at="2000-01-01T00:00:00Z")

        def work(number: int) -> None:
            if number % 2:
                services.expire_uploads()
                return
            for _ in range(5):
                with transaction.atomic():
                    quotas.reserve(upload=receipts[number // 2].upload, size=7)

        outcomes = side_by_side(8, work)
        assert all(
            outcome is None or isinstance(outcome, UploadInterruptedError) for outcome in outcomes
        )
        services.expire_uploads()
        assert not Upload.objects.exists()
        assert account(owner) == (0, 0, 0)


def test_the_report_tells_what_the_account_is_made_of(
    api: Any,
    owner: Any,
    upload: Callable[..., MediaFile],
    old_version: Any,
    django_assert_num_queries: Any,
) -> None:
    media = upload(TEXT, "a.txt")
    upload(TEXT, "b.txt")
    old_version(media, 100)
    Upload.objects.all().delete()
    open_receipt(user=owner, name="c.txt", declared_size=10, source="form")
    with django_assert_num_queries(4):
        report = selectors.get_usage_report(user=owner)
    body = api.get("/api/v1/me/usage/").json()
    assert body["by_type"] == {"document": {"files": 2, "bytes": 2 * len(TEXT) + 100}}
    assert body["uploads"] == {"count": 1, "bytes": 0}
    assert (body["used"], body["reserved"], body["files"]) == (2 * len(TEXT) + 100, 10, 2)
    assert report.by_type == body["by_type"]
