"""Work is done once and to the end, whatever happens to workers and messages."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.core.errors import AppError, StorageFullError, StorageUnavailableError
from apps.core.ids import id_at
from apps.core.storage import ObjectStore
from apps.media import dispatch, services
from apps.media.conf import options
from apps.media.exceptions import CorruptFileError, EngineAwayError, LostLeaseError
from apps.media.models import Job, MediaFile, Rendition, Tombstone
from apps.media.services import jobs, probing
from apps.media.services.jobs import Claim
from apps.media.services.renditions import reserve
from apps.media.tests import samples


def _archive() -> bytes:
    """What no engine makes anything of."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "A few plain words.")
    return buffer.getvalue()


ARCHIVE = _archive()


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(ARCHIVE, "a.zip")


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(samples.photo_jpeg(700, 500), "photo.jpg")


def _job(media: MediaFile, kind: str = "inspect") -> Job:
    return Job.objects.get(media=media, kind=kind, state__in=("queued", "running"))


def _claimed(media: MediaFile, kind: str = "inspect") -> Claim:
    """The job as a worker holds it."""
    claim = jobs._take(_job(media, kind))
    assert claim is not None
    return claim


def _run_until(media: MediaFile, kind: str) -> None:
    """Do the work that comes before the job of that kind."""
    while not Job.objects.filter(media=media, kind=kind).exists():
        assert services.run_job(Job.objects.filter(media=media, state="queued")[0].pk)


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
        assert run_jobs() == 2  # inspect and scan
    media.refresh_from_db()
    assert (media.status, media.progress, media.usable) == ("ready", 100, True)
    assert media.sha256 == hashlib.sha256(ARCHIVE).hexdigest()
    assert [name for name, _ in heard] == ["media_ready"]


def test_a_photo_gets_its_renditions(photo: MediaFile, run_jobs: Any) -> None:
    assert run_jobs() == 3
    photo.refresh_from_db()
    assert photo.status == "ready"
    assert photo.placeholder
    assert photo.color.startswith("#")
    names = set(photo.renditions.values_list("name", flat=True))
    assert {"thumb.webp", "w320.webp", "w640.webp", "w640.jpg"} <= names
    assert "w960.webp" not in names
    assert not photo.renditions.exclude(state="ready", next_key="").exists()


def test_a_message_delivered_twice_does_nothing_the_second_time(media: MediaFile) -> None:
    message = _job(media).pk
    assert [services.run_job(message) for _ in range(3)] == [True, True, False]
    assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}


def test_the_most_urgent_job_of_a_queue_is_done_first(media: MediaFile) -> None:
    Job.objects.filter(kind="scan").update(priority=1)
    assert services.run_job(_job(media).pk)
    assert list(Job.objects.filter(state="done").values_list("kind", flat=True)) == ["scan"]


def test_a_message_brings_work_of_its_own_queue_only(media: MediaFile) -> None:
    Job.objects.filter(kind="scan").update(queue="media.slow")
    message = _job(media).pk
    assert [services.run_job(message) for _ in range(2)] == [True, False]
    assert _job(media, "scan").state == "queued"


@pytest.mark.django_db
def test_an_unknown_job_is_nothing_to_do() -> None:
    assert services.run_job("0198c0de-0000-7000-8000-000000000000") is False


def test_a_kind_that_this_version_does_not_know_waits_for_a_newer_worker(media: MediaFile) -> None:
    newest = _job(media)
    Job.objects.filter(pk=newest.pk).update(kind="dream", priority=9)
    assert services.run_job(newest.pk) is True  # of what waits beside it, the scan
    assert services.run_job(newest.pk) is False
    newest.refresh_from_db()
    assert (newest.state, newest.attempts, newest.error_code) == ("queued", 0, "")


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


def _start_writing(claim: Claim, storage: ObjectStore) -> None:
    """As far as a worker gets before it is frozen: a row with a key, and bytes there."""
    with claim.saving() as media:
        (row,) = reserve(media, media.current, ["w320.webp"])
    with storage.writer(row.next_key) as writer:
        writer.write(b"half of it")


class TestLease:
    def test_a_dead_workers_job_is_done_by_another(self, photo: MediaFile, run_jobs: Any) -> None:
        job = _job(photo)
        for kind in ("inspect", "scan"):
            _claimed(photo, kind)  # the worker claims it and dies
        assert services.run_job(job.pk) is False
        assert services.sweep_jobs() == 0  # the lease still holds
        _expire_leases()
        assert services.sweep_jobs() >= 1
        run_jobs()
        photo.refresh_from_db()
        assert photo.status == "ready"

    def test_a_zombie_cannot_save(self, photo: MediaFile, run_jobs: Any) -> None:
        zombie = _claimed(photo)
        _expire_leases()
        services.sweep_jobs()
        run_jobs()
        before = list(photo.renditions.order_by("pk").values("key", "updated_at"))
        with pytest.raises(LostLeaseError):
            probing.inspect(zombie)
        assert list(photo.renditions.order_by("pk").values("key", "updated_at")) == before

    def test_a_zombie_renderer_leaves_no_second_set(
        self, photo: MediaFile, run_jobs: Any, own_storage: ObjectStore
    ) -> None:
        _run_until(photo, "render")
        zombie = _claimed(photo, "render")
        _start_writing(zombie, own_storage)
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
            job = Job.objects.get(media=media, kind="inspect")
            if job.state == "failed":
                break
            _claimed(media)  # and the worker dies
            _expire_leases()
            services.sweep_jobs()
        job.refresh_from_db()
        media.refresh_from_db()
        assert job.state == "failed"
        assert (media.status, media.failure_code) == ("failed", "processing_crashed")

    def test_progress_is_shown_and_renews(self, media: MediaFile) -> None:
        claim = _claimed(media)
        shown = []
        for done in (0.5, 0.2, 0.9):
            claim.keep(done)
            media.refresh_from_db()
            shown.append(media.progress)
        assert shown == [25, 25, 45]  # of two jobs, the other not begun


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
            media = upload(ARCHIVE, "a.zip")
        assert sent == []
        for callback in callbacks:
            callback()
        assert ("media.run_job", str(_job(media).pk)) in sent

    def test_a_lost_message_is_sent_again(self, media: MediaFile, sent: list[Any]) -> None:
        assert services.sweep_jobs() == 0  # it may still be on its way
        Job.objects.update(sent_at=timezone.now() - timedelta(hours=1))
        assert services.sweep_jobs() == 2
        kinds = ("inspect", "scan")
        assert sorted(sent) == sorted(("media.run_job", str(_job(media, k).pk)) for k in kinds)
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
        monkeypatch.setattr(dispatch, "NOWHERE", frozenset())  # there is a broker, so to say
        with django_capture_on_commit_callbacks(execute=True):
            media = upload(ARCHIVE, "a.zip")
        assert _job(media).state == "queued"
        assert services.sweep_jobs() == 0  # it was tried: not so soon again

    def test_without_a_broker_no_message_piles_up(
        self,
        upload: Callable[..., MediaFile],
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        monkeypatch.setattr(dispatch, "NOWHERE", frozenset({current_app.conf.broker_url}))
        sent: list[Any] = []
        monkeypatch.setattr(current_app, "send_task", lambda *args, **kwargs: sent.append(args))
        with django_capture_on_commit_callbacks(execute=True):
            media = upload(ARCHIVE, "a.zip")
        assert _job(media).state == "queued"
        assert sent == []


class TestRetries:
    def test_an_engine_away_is_tried_again_later(
        self, media: MediaFile, monkeypatch: pytest.MonkeyPatch, run_jobs: Any
    ) -> None:
        def away(*args: Any) -> str:
            raise EngineAwayError

        with monkeypatch.context() as patch:
            patch.setattr(probing, "_hash", away)
            run_jobs()
        job = _job(media)
        assert (job.state, job.attempts, job.error_code) == ("queued", 1, "engine_away")
        assert services.run_job(job.pk) is False  # not due yet
        Job.objects.update(due_at=timezone.now() - timedelta(minutes=1))
        run_jobs()
        media.refresh_from_db()
        assert media.status == "ready"

    @pytest.mark.parametrize("error", [StorageUnavailableError(), StorageFullError()])
    def test_without_the_storage_it_waits_for_as_long_as_that_takes(
        self,
        error: AppError,
        media: MediaFile,
        monkeypatch: pytest.MonkeyPatch,
        run_jobs: Any,
        heard: list[Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        def away(*args: Any) -> str:
            raise error

        with monkeypatch.context() as patch, django_capture_on_commit_callbacks(execute=True):
            patch.setattr(probing, "_hash", away)
            for _ in range(options().job_attempts + 1):
                run_jobs()
                Job.objects.filter(state="queued").update(due_at=timezone.now())
        job = _job(media)
        assert (job.state, job.attempts, job.error_code) == ("queued", 0, error.code)
        assert heard == []
        run_jobs()
        media.refresh_from_db()
        assert media.status == "ready"

    def test_an_unexpected_error_ends_after_bounded_attempts(
        self, media: MediaFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any) -> str:
            raise ZeroDivisionError("not for users")

        monkeypatch.setattr(probing, "_hash", broken)
        for _ in range(6):
            Job.objects.update(due_at=timezone.now() - timedelta(minutes=1))
            services.run_job(Job.objects.get(media=media, kind="inspect").pk)
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


class TestForgetting:
    def test_takes_what_ended_long_ago(
        self, media: MediaFile, run_jobs: Any, upload: Callable[..., MediaFile]
    ) -> None:
        run_jobs()
        _make_old()
        waiting = _job(upload(ARCHIVE, "b.zip"))
        assert services.expire_jobs() == 2
        assert waiting in Job.objects.all()
        assert not Job.objects.filter(media=media).exists()

    def test_leaves_what_a_failed_file_can_be_tried_again_by(
        self, media: MediaFile, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: Any) -> str:
            raise CorruptFileError

        with monkeypatch.context() as patch:
            patch.setattr(probing, "_hash", refuse)
            run_jobs()
        _make_old()
        services.expire_jobs()
        (failed,) = Job.objects.all()
        assert services.retry_job(job=failed)
        run_jobs()
        _make_old()
        services.expire_jobs()
        assert not Job.objects.exists()


def _make_old() -> None:
    long_ago = timezone.now() - timedelta(days=400)
    for job in Job.objects.exclude(finished_at=None):
        Job.objects.filter(pk=job.pk).update(id=id_at(long_ago), finished_at=long_ago)


def test_deleting_while_a_job_runs_ends_it_quietly(
    photo: MediaFile, owner: Any, own_storage: ObjectStore, run_jobs: Any
) -> None:
    _run_until(photo, "render")
    claim = _claimed(photo, "render")
    _start_writing(claim, own_storage)
    with transaction.atomic():
        services.delete_media(user=owner, media=photo, permanent=True)
    with pytest.raises(LostLeaseError):
        claim.keep(1.0)
    Tombstone.objects.update(due_at=timezone.now() - timedelta(days=1))
    services.bury_tombstones()
    assert list(own_storage.walk()) == []
