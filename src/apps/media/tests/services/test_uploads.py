"""Bytes come in: kept whole or refused without a trace."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import connection
from PIL import Image

from apps.core.errors import AppError, StorageUnavailableError
from apps.core.storage import ObjectStore
from apps.media import selectors, services
from apps.media.exceptions import ForbiddenError, QuotaExceededError, RejectedError
from apps.media.models import Job, MediaFile, Quota, Upload
from apps.media.services.finalizing import finalize_upload
from apps.media.services.receiving import open_receipt
from apps.media.tests import samples

TEXT = b"A few plain words.\n"


class EndlessText(File):
    """A stream that never ends and does not know its size; counts what was taken of it."""

    given = 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while True:
            self.given += 65_536
            yield b"word " * 13_107 + b"w"


def _png(width: int = 8, height: int = 6) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def test_an_upload_becomes_a_pending_media_file(
    upload: Callable[..., MediaFile], owner: Any, own_storage: ObjectStore
) -> None:
    data = _png()
    media = upload(data, "Holiday.PNG", caption="At the sea", tags=["sea", "Sun", "sea "])

    assert (media.media_type, media.mime_type, media.size) == ("image", "image/png", len(data))
    assert (media.width, media.height) == (8, 6)
    assert (media.status, media.visibility, media.version) == ("pending", "private", 1)
    assert media.original_name == "Holiday.PNG"
    assert sorted(tag.name for tag in media.tags.all()) == ["Sun", "sea"]
    assert media.file.read(1024) == data
    assert media.file.name == "Holiday.PNG"
    job = Job.objects.get(media=media, kind="inspect")
    assert (job.kind, job.state) == ("inspect", "queued")
    assert [item.key for item in own_storage.walk()] == [media.current.key]
    assert selectors.get_storage_usage(user=owner).used == len(data)
    assert selectors.get_storage_usage(user=owner).reserved == 0


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_is_upright_from_the_start(
    upload: Callable[..., MediaFile], run_jobs: Any, orientation: int
) -> None:
    media = upload(samples.oriented_jpeg(orientation), "phone.jpg")
    at_once = (media.width, media.height)
    run_jobs()
    media.refresh_from_db()
    assert at_once == (media.width, media.height)


def test_storage_keys_hold_nothing_of_the_client(upload: Callable[..., MediaFile]) -> None:
    media = upload(TEXT, "../../etc/Passwd .txt")
    assert media.original_name == "Passwd .txt"
    assert media.current.key.startswith("original/")
    assert "passwd" not in media.current.key.lower()


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "empty.jpg", "empty_file"),
        (b"<!doctype html><script>alert(1)</script>", "photo.jpg", "type_mismatch"),
        (_png(), "photo.jpg", "type_mismatch"),
        (b"MZ\x90\x00" + b"\0" * 64, "setup.exe", "unsupported_type"),
        (b"\0\1\2\3" * 32, "noextension", "unsupported_type"),
        (b"<html></html>", "page.html", "unsupported_type"),
        (TEXT, "shell.txt.php", "unsupported_type"),
    ],
)
def test_refused_bytes_leave_no_trace(
    upload: Callable[..., MediaFile],
    nothing_happened: Callable[[], None],
    data: bytes,
    name: str,
    code: str,
) -> None:
    with pytest.raises(RejectedError) as caught:
        upload(data, name)
    assert caught.value.code == code
    nothing_happened()


def test_too_many_pixels_are_seen_in_the_header(
    upload: Callable[..., MediaFile], nothing_happened: Callable[[], None]
) -> None:
    with pytest.raises(RejectedError) as caught:
        upload(samples.bomb_png(), "bomb.png")
    assert caught.value.code == "too_many_pixels"
    nothing_happened()


def test_size_limit_of_the_type(
    upload: Callable[..., MediaFile], settings: Any, nothing_happened: Callable[[], None]
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "MAX_SIZE": {"document": 20}}
    with pytest.raises(RejectedError) as caught:
        upload(b"x" * 21, "a.txt")
    assert caught.value.code == "file_too_large"
    nothing_happened()
    assert upload(b"x" * 20, "a.txt").size == 20


def test_a_stream_of_unknown_size_stops_at_the_limit(
    owner: Any, settings: Any, nothing_happened: Callable[[], None]
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "MAX_SIZE": {"document": 3 * 1024 * 1024}}
    stream = EndlessText(None, name="endless.txt")
    with pytest.raises(RejectedError) as caught:
        services.upload_media(user=owner, file=stream)
    assert caught.value.code == "file_too_large"
    assert stream.given <= 5 * 1024 * 1024
    nothing_happened()


def test_unusable_texts_are_refused_before_any_byte(
    upload: Callable[..., MediaFile], nothing_happened: Callable[[], None]
) -> None:
    for fields in ({"visibility": "everyone"}, {"title": "x" * 300}, {"tags": ["t" * 65]}):
        with pytest.raises(ValidationError):
            upload(TEXT, "a.txt", **fields)
    nothing_happened()


def test_who_is_not_signed_in_uploads_nothing(nothing_happened: Callable[[], None]) -> None:
    from django.contrib.auth.models import AnonymousUser

    with pytest.raises(ForbiddenError):
        services.upload_media(user=AnonymousUser(), file=ContentFile(TEXT, name="a.txt"))
    nothing_happened()


def test_storage_away_is_said_and_leaves_no_trace(
    upload: Callable[..., MediaFile],
    own_storage: Any,
    monkeypatch: pytest.MonkeyPatch,
    nothing_happened: Callable[[], None],
) -> None:
    def away(key: str) -> Any:
        raise StorageUnavailableError(key)

    with monkeypatch.context() as patch:
        patch.setattr(own_storage, "writer", away)
        with pytest.raises(AppError) as caught:
            upload(TEXT, "a.txt")
    assert caught.value.status == 503
    nothing_happened()


def test_import_from_a_path_leaves_the_source(owner: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(TEXT)
    media = services.import_media_from_path(user=owner, path=path, title="Notes")
    assert (media.title, media.original_name, media.size) == ("Notes", "notes.txt", len(TEXT))
    assert path.read_bytes() == TEXT


class TestFinalize:
    """One function turns a complete upload into a media file, however often it is called."""

    @pytest.fixture
    def complete(self, owner: Any) -> Upload:
        receipt = open_receipt(user=owner, name="a.txt", declared_size=0, source="form")
        receipt.write(TEXT)
        receipt.close()
        return receipt.upload

    def test_twice_gives_the_same_file(self, complete: Upload) -> None:
        first = finalize_upload(upload=complete, fields={})
        second = finalize_upload(upload=complete, fields={})
        assert first == second
        assert MediaFile.objects.count() == 1

    def test_goes_on_after_a_crash_behind_the_promotion(
        self, complete: Upload, monkeypatch: pytest.MonkeyPatch, own_storage: ObjectStore
    ) -> None:
        from apps.media.services import finalizing

        def crash(*args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(finalizing, "_record", crash)
            with pytest.raises(KeyboardInterrupt):
                finalize_upload(upload=complete, fields={})
        media = finalize_upload(upload=complete, fields={})
        assert media.file.read(100) == TEXT
        assert [item.key for item in own_storage.walk()] == [media.current.key]

    def test_believes_the_stored_bytes_only(
        self, complete: Upload, own_storage: ObjectStore
    ) -> None:
        own_storage.remove(complete.key)
        with own_storage.writer(complete.key) as writer:
            writer.write(b"<html><script>alert(1)</script>")
        with pytest.raises(RejectedError) as caught:
            finalize_upload(upload=complete, fields={})
        assert caught.value.code == "type_mismatch"
        assert not MediaFile.objects.exists()

    def test_an_unfinished_upload_expires_with_its_bytes(
        self, complete: Upload, nothing_happened: Callable[[], None], owner: Any
    ) -> None:
        Upload.objects.update(expires_at="2000-01-01T00:00:00Z")
        assert services.expire_uploads() == 1
        nothing_happened()

    def test_a_completed_upload_expires_without_its_file(self, complete: Upload) -> None:
        media = finalize_upload(upload=complete, fields={})
        Upload.objects.update(expires_at="2000-01-01T00:00:00Z")
        assert services.expire_uploads() == 1
        assert services.bury_tombstones() == 0
        assert MediaFile.objects.get(pk=media.pk).file.read(100) == TEXT


class TestQuota:
    def test_is_exact_to_the_byte(
        self, upload: Callable[..., MediaFile], owner: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 2 * len(TEXT)}
        upload(TEXT, "a.txt")
        upload(TEXT, "b.txt")
        with pytest.raises(QuotaExceededError):
            upload(b"x", "c.txt")
        assert selectors.get_storage_usage(user=owner).used == 2 * len(TEXT)
        assert selectors.get_storage_usage(user=owner).reserved == 0

    def test_counts_files(
        self, upload: Callable[..., MediaFile], owner: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_FILES": 1}
        upload(TEXT, "a.txt")
        with pytest.raises(QuotaExceededError):
            upload(TEXT, "b.txt")
        assert MediaFile.objects.count() == 1

    def test_a_personal_limit_wins(self, upload: Callable[..., MediaFile], owner: Any) -> None:
        Quota.objects.create(owner=owner, bytes_limit=5)
        with pytest.raises(QuotaExceededError):
            upload(TEXT, "a.txt")

    def test_deleting_for_good_gives_the_room_back(
        self, upload: Callable[..., MediaFile], owner: Any
    ) -> None:
        media = upload(TEXT, "a.txt")
        services.delete_media(user=owner, media=media)
        assert selectors.get_storage_usage(user=owner).files == 1
        services.delete_media(user=owner, media=media, permanent=True)
        usage = selectors.get_storage_usage(user=owner)
        assert (usage.used, usage.files) == (0, 0)

    @pytest.mark.django_db(transaction=True)
    def test_parallel_uploads_never_pass_it(self, owner: Any, settings: Any) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "QUOTA_BYTES": 1000}
        outcomes: list[str] = []

        def send() -> None:
            try:
                services.upload_media(user=owner, file=ContentFile(b"x" * 600, name="a.txt"))
                outcomes.append("kept")
            except QuotaExceededError:
                outcomes.append("refused")
            finally:
                connection.close()

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["kept"] + ["refused"] * 7
        usage = selectors.get_storage_usage(user=owner)
        assert (usage.used, usage.reserved, usage.files) == (600, 0, 1)


def test_any_django_file_will_do(owner: Any, tmp_path: Path) -> None:
    path = tmp_path / "open.txt"
    path.write_bytes(TEXT)
    with path.open("rb") as handle:
        media = services.upload_media(user=owner, file=File(handle, name="open.txt"))
    assert media.size == len(TEXT)
