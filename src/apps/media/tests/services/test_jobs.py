"""Work is done once and to the end, whatever happens to workers and messages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.core.errors import StorageUnavailableError
from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.exceptions import LostLeaseError
from apps.media.models import Job, MediaFile, Rendition, Tombstone
from apps.media.services import jobs, pipeline
from apps.media.tests import samples

TEXT = b"A few plain words.\n"


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(TEXT, "a.txt")


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(samples.photo_jpeg(700, 500), "photo.jpg")


def _job(media: MediaFile) -> Job:
    return Job.objects.get(media=media, state__in=("queued", "running"))


def _expire_leases() -> None:
    past = timezone.now() - timedelta(hours=1)
    Job.objects.filter(state="running").update(lease_until=past)


def test_a_file_without_an_engine_is_hashed_and_ready(
    media: MediaFile,
    run_jobs: Any,
    heard: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert run_jobs() == 1
    media.refresh_from_db()
    assert (media.status, media.progress) == ("ready", 100)
    assert media.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert [name for name, _ in heard] == ["media_ready"]


def test_a_photo_gets_its_renditions(photo: MediaFile, run_jobs: Any) -> None:
    assert run_jobs() == 2
    photo.refresh_from_db()
    assert photo.status == "ready"
    assert photo.placeholder
    assert photo.color.startswith("#")
    names = set(photo.renditions.values_list("name", flat=True))
    assert {"thumb.webp", "w320.webp", "w640.webp", "w640.jpg"} <= names
    assert "w960.webp" not in names
    assert not photo.renditions.exclude(state="ready", next_key="").exists()


def test_a_message_delivered_twice_does_nothing_the_second_time(media: MediaFile) -> None:
    job = _job(media)
    assert services.run_job(job.pk) is True
    assert services.run_job(job.pk) is False
    job.refresh_from_db()
    assert job.attempts == 1


@pytest.mark.django_db
def test_an_unknown_job_is_nothing_to_do() -> None:
    assert services.run_job("0198c0de-0000-7000-8000-000000000000") is False


def test_a_truncated_photo_fails_with_its_code(
    upload: Callable[..., MediaFile],
    run_jobs: Any,
    heard: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    media = upload(samples.truncated_jpeg(), "cut.jpg")
    with django_capture_on_commit_callbacks(execute=True):
        run_jobs()
    media.refresh_from_db()
    assert (media.status, media.failure_code) == ("failed", "corrupt_file")
    assert media.failure_message
    assert ("media_rejected", "corrupt_file") in [(n, a.get("code")) for n, a in heard]


class TestLease:
    def test_a_dead_workers_job_is_done_by_another(self, photo: MediaFile, run_jobs: Any) -> None:
        job = _job(photo)
        assert jobs._claim(job.pk) is not None  # the worker claims it and dies
        assert services.run_job(job.pk) is False
        assert services.sweep_jobs() == 0  # the lease still holds
        _expire_leases()
        assert services.sweep_jobs() >= 1
        run_jobs()
        photo.refresh_from_db()
        assert photo.status == "ready"

    def test_a_zombie_cannot_save(self, photo: MediaFile, run_jobs: Any) -> None:
        zombie = jobs._claim(_job(photo).pk)
        assert zombie is not None
        _expire_leases()
        services.sweep_jobs()
        run_jobs()
        before = list(photo.renditions.order_by("pk").values("key", "updated_at"))
        with pytest.raises(LostLeaseError):
            pipeline.inspect(zombie)
        assert list(photo.renditions.order_by("pk").values("key", "updated_at")) == before

    def test_a_zombie_renderer_leaves_no_second_set(
        self, photo: MediaFile, run_jobs: Any, own_storage: ObjectStore
    ) -> None:
        services.run_job(_job(photo).pk)  # inspect
        zombie = jobs._claim(_job(photo).pk)
        assert zombie is not None
        pipeline._plan_renditions(zombie, photo.current)
        _expire_leases()
        services.sweep_jobs()
        run_jobs()
        keys = set(Rendition.objects.values_list("key", flat=True))
        Tombstone.objects.update(due_at=timezone.now() - timedelta(days=1))
        services.bury_tombstones()
        stored = {item.key for item in own_storage.walk("rendition/")}
        assert stored == keys
        assert len(keys) == photo.renditions.count()

    def test_poison_ends_after_bounded_attempts(self, media: MediaFile) -> None:
        for _ in range(10):
            job = Job.objects.get(media=media)
            if job.state == "failed":
                break
            jobs._claim(job.pk)  # and the worker dies
            _expire_leases()
            services.sweep_jobs()
        job.refresh_from_db()
        media.refresh_from_db()
        assert job.state == "failed"
        assert (media.status, media.failure_code) == ("failed", "processing_crashed")

    def test_progress_is_shown_and_renews(self, media: MediaFile) -> None:
        claim = jobs._claim(_job(media).pk)
        assert claim is not None
        claim.keep(0.5)
        media.refresh_from_db()
        assert media.progress == 50
        claim.keep(0.2)
        media.refresh_from_db()
        assert media.progress == 50


class TestMessages:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        calls: list[tuple[str, ...]] = []

        def send(name: str, *args: str, queue: str | None = None) -> bool:
            calls.append((name, *args))
            return True

        monkeypatch.setattr("apps.media.dispatch.send", send)
        return calls

    def test_are_sent_after_commit_only(
        self,
        sent: list[Any],
        upload: Callable[..., MediaFile],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=False) as callbacks:
            media = upload(TEXT, "a.txt")
        assert sent == []
        for callback in callbacks:
            callback()
        assert ("media.run_job", str(_job(media).pk)) in sent

    def test_a_lost_message_is_sent_again(self, media: MediaFile, sent: list[Any]) -> None:
        assert services.sweep_jobs() == 0  # it may still be on its way
        Job.objects.update(sent_at=timezone.now() - timedelta(hours=1))
        assert services.sweep_jobs() == 1
        assert sent == [("media.run_job", str(_job(media).pk))]
        assert services.sweep_jobs() == 0

    @pytest.mark.parametrize("error", [ConnectionRefusedError(), OperationalError("away")])
    def test_a_broker_away_fails_nothing(
        self,
        error: Exception,
        upload: Callable[..., MediaFile],
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        def refuse(*args: Any, **kwargs: Any) -> None:
            raise error

        monkeypatch.setattr(current_app, "send_task", refuse)
        with django_capture_on_commit_callbacks(execute=True):
            media = upload(TEXT, "a.txt")
        assert _job(media).state == "queued"


class TestRetries:
    def test_an_engine_away_is_tried_again_later(
        self, media: MediaFile, monkeypatch: pytest.MonkeyPatch, run_jobs: Any
    ) -> None:
        def away(*args: Any) -> str:
            raise StorageUnavailableError

        with monkeypatch.context() as patch:
            patch.setattr(pipeline, "_hash", away)
            services.run_job(_job(media).pk)
        job = _job(media)
        assert (job.state, job.attempts, job.error_code) == ("queued", 1, "storage_unavailable")
        assert services.run_job(job.pk) is False  # not due yet
        Job.objects.update(due_at=timezone.now() - timedelta(minutes=1))
        run_jobs()
        media.refresh_from_db()
        assert media.status == "ready"

    def test_an_unexpected_error_ends_after_bounded_attempts(
        self, media: MediaFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any) -> str:
            raise ZeroDivisionError("not for users")

        monkeypatch.setattr(pipeline, "_hash", broken)
        for _ in range(5):
            Job.objects.update(due_at=timezone.now() - timedelta(minutes=1))
            services.run_job(Job.objects.get(media=media).pk)
        media.refresh_from_db()
        assert (media.status, media.failure_code) == ("failed", "processing_crashed")
        assert "not for users" not in media.failure_message


class TestReprocess:
    def test_makes_a_new_set_and_buries_the_old(
        self, photo: MediaFile, run_jobs: Any, owner: Any, own_storage: ObjectStore
    ) -> None:
        run_jobs()
        old = set(photo.renditions.values_list("key", flat=True))
        services.reprocess_media(user=owner, media=photo)
        assert set(photo.renditions.values_list("key", flat=True)) == old  # still served
        run_jobs()
        new = set(photo.renditions.values_list("key", flat=True))
        assert not old & new
        services.bury_tombstones()
        assert {item.key for item in own_storage.walk("rendition/")} == new

    def test_drops_renditions_that_are_no_longer_wanted(
        self, photo: MediaFile, run_jobs: Any, owner: Any, settings: Any
    ) -> None:
        run_jobs()
        settings.MEDIA_APP = {
            **settings.MEDIA_APP,
            "RECIPES": [{"name": "small.webp", "width": 100}],
        }
        services.reprocess_media(user=owner, media=photo)
        run_jobs()
        assert list(photo.renditions.values_list("name", "width")) == [("small.webp", 100)]


def test_deleting_while_a_job_runs_ends_it_quietly(
    photo: MediaFile, owner: Any, own_storage: ObjectStore, run_jobs: Any
) -> None:
    services.run_job(_job(photo).pk)
    claim = jobs._claim(_job(photo).pk)
    assert claim is not None
    version = photo.current
    pipeline._plan_renditions(claim, version)
    with transaction.atomic():
        services.delete_media(user=owner, media=photo, permanent=True)
    with pytest.raises(LostLeaseError):
        claim.keep(1.0)
    Tombstone.objects.update(due_at=timezone.now() - timedelta(days=1))
    services.bury_tombstones()
    assert list(own_storage.walk()) == []
