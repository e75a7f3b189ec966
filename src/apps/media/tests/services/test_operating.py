"""What an operator may do with jobs, and with very many files at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.exceptions import CorruptFileError, LostLeaseError, MalwareFoundError
from apps.media.models import Job, MediaFile, MediaVersion, Tombstone
from apps.media.services import jobs, publication
from apps.media.services.jobs import Claim, Work, enqueue_job
from apps.media.services.renditions import reserve
from apps.media.tests import samples
from apps.media.tests.services.test_jobs import ARCHIVE

LATER = Work(Job.Kind.RENDER, "later", queue=Job.SLOW)


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(ARCHIVE, "a.zip")


def _job(media: MediaFile, kind: str = "inspect") -> Job:
    return Job.objects.filter(media=media, kind=kind).latest("pk")


def _claim(job: Job) -> Claim:
    claim = jobs._take(job)
    assert claim is not None
    return claim


def _states(media: MediaFile) -> dict[str, str]:
    return dict(Job.objects.filter(media=media).order_by("pk").values_list("kind", "state"))


def _media_state(media: MediaFile) -> tuple[str, bool, str]:
    media.refresh_from_db()
    return media.status, media.usable, media.failure_code


class TestCancel:
    def test_of_what_the_file_cannot_do_without_fails_it(
        self, media: MediaFile, heard: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            assert services.cancel_job(job=_job(media))
        assert _media_state(media) == ("failed", False, "processing_cancelled")
        assert _states(media) == {"inspect": "cancelled", "scan": "queued"}
        assert [(name, told.get("code")) for name, told in heard] == [
            ("media_rejected", "processing_cancelled")
        ]

    def test_of_what_it_can_do_without_lets_it_be_ready(
        self, media: MediaFile, run_jobs: Any
    ) -> None:
        later = enqueue_job(media=media, version=1, work=LATER)
        Job.objects.filter(pk=later.pk).update(due_at="2100-01-01T00:00:00Z")
        run_jobs()
        assert _media_state(media) == ("processing", True, "")
        assert services.cancel_job(job=later)
        assert _media_state(media) == ("ready", True, "")

    def test_of_a_running_job_is_noticed_by_its_worker(self, media: MediaFile) -> None:
        claim = _claim(_job(media))
        assert services.cancel_job(job=claim.job)
        with pytest.raises(LostLeaseError):
            claim.keep(0.5)
        with pytest.raises(LostLeaseError), claim.saving():
            pytest.fail("a cancelled job may not save")
        jobs.give_up(claim, CorruptFileError())
        assert _media_state(media)[2] == "processing_cancelled"

    def test_leaves_nothing_half_written(
        self, media: MediaFile, own_storage: ObjectStore, run_jobs: Any
    ) -> None:
        later = enqueue_job(media=media, version=1, work=LATER)
        with _claim(later).saving() as locked:
            (row,) = reserve(locked, locked.current, ["storyboard.jpg"])
        with own_storage.writer(row.next_key) as writer:
            writer.write(b"half of it")
        services.cancel_job(job=later)
        assert not media.renditions.exists()
        Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
        services.bury_tombstones()
        assert {item.key for item in own_storage.walk()} == {media.current.key}

    def test_of_what_is_done_changes_nothing(self, media: MediaFile, run_jobs: Any) -> None:
        run_jobs()
        before = _media_state(media), _states(media)
        assert not services.cancel_job(job=_job(media))
        assert (_media_state(media), _states(media)) == before

    def test_twice_is_once(self, media: MediaFile) -> None:
        assert services.cancel_job(job=_job(media))
        assert not services.cancel_job(job=_job(media))

    def test_of_a_job_of_deleted_media_is_nothing(self, media: MediaFile) -> None:
        job = _job(media)
        media.delete()
        assert not services.cancel_job(job=job)
        assert not services.retry_job(job=job)


@pytest.mark.django_db(transaction=True)
def test_of_a_worker_and_an_operator_one_wins(upload: Callable[..., MediaFile]) -> None:
    won = set()
    for _ in range(8):
        media = upload(ARCHIVE, "a.zip")
        won.add(_race(media))
        status, usable, code = _media_state(media)
        if (media.pk, True) in won:
            assert (status, usable, code) == ("failed", False, "processing_cancelled")
        else:
            assert (status, usable, code) == ("pending", False, "")
            assert _states(media) == {"inspect": "done", "scan": "queued"}


def _race(media: MediaFile) -> tuple[Any, bool]:
    """Finish and cancel one job at once; return whether the operator was first."""
    claim = _claim(_job(media))
    start, answers = threading.Barrier(2), {}

    def finish() -> None:
        start.wait()
        try:
            with claim.saving() as locked:
                claim.finish()
                publication.conclude(locked)
        except LostLeaseError:
            answers["worker"] = False
        else:
            answers["worker"] = True
        finally:
            connection.close()

    worker = threading.Thread(target=finish)
    worker.start()
    start.wait()
    answers["operator"] = services.cancel_job(job=claim.job)
    worker.join()
    assert answers["worker"] != answers["operator"]
    return media.pk, answers["operator"]


@pytest.fixture
def photo(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    found = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    run_jobs()
    return MediaFile.objects.get(pk=found.pk)


def _edit(media: MediaFile) -> Job:
    return Job.objects.get(media=media, kind="edit", state="queued")


def _states_of_edits(media: MediaFile) -> list[str]:
    edits = Job.objects.filter(media=media, kind="edit")
    return list(edits.order_by("pk").values_list("state", flat=True))


class TestRetry:
    def test_of_a_failed_file_begins_again_and_ends_well(
        self, media: MediaFile, run_jobs: Any
    ) -> None:
        jobs.give_up(_claim(_job(media)), CorruptFileError())
        assert _media_state(media) == ("failed", False, "corrupt_file")
        assert _states(media) == {"inspect": "failed", "scan": "queued"}
        assert services.retry_job(job=_job(media))
        assert _media_state(media) == ("pending", False, "")
        assert _states(media) == {"inspect": "queued", "scan": "queued"}
        run_jobs()
        assert _media_state(media) == ("ready", True, "")

    def test_gives_back_all_attempts(self, media: MediaFile) -> None:
        Job.objects.filter(kind="inspect").update(attempts=7)
        services.cancel_job(job=_job(media))
        services.retry_job(job=_job(media))
        job = _job(media)
        assert (job.attempts, job.error_code, job.finished_at) == (0, "", None)

    def test_is_sent_after_commit(
        self, media: MediaFile, django_capture_on_commit_callbacks: Any
    ) -> None:
        services.cancel_job(job=_job(media))
        with django_capture_on_commit_callbacks() as callbacks:
            services.retry_job(job=_job(media))
        assert len(callbacks) == 1

    def test_of_two_edits_that_failed_the_later_one_counts(
        self, photo: MediaFile, run_jobs: Any
    ) -> None:
        """The second took the place of the first, and neither comes with other work."""
        for degrees in (90, 180):
            services.edit_picture(user=photo.owner, media=photo, rotate=degrees)
            jobs.give_up(_claim(_edit(photo)), CorruptFileError())
        first, second = Job.objects.filter(media=photo, kind="edit").order_by("pk")
        services.reprocess_media(user=photo.owner, media=photo)
        again = Job.objects.get(media=photo, kind="inspect", state="queued")
        jobs.give_up(_claim(again), CorruptFileError())
        assert services.retry_job(job=again)
        assert not services.retry_job(job=first)
        assert set(_states_of_edits(photo)) == {"failed"}
        run_jobs()
        assert services.retry_job(job=second)
        assert _states_of_edits(photo) == ["failed", "queued"]
        assert _media_state(photo) == ("pending", True, "")
        run_jobs()
        photo.refresh_from_db()
        assert (photo.status, photo.version, photo.current.edit["rotate"]) == ("ready", 2, 180)

    def test_of_an_optional_job_keeps_the_file_in_use(
        self, media: MediaFile, run_jobs: Any
    ) -> None:
        later = enqueue_job(media=media, version=1, work=LATER)
        services.cancel_job(job=later)
        run_jobs()
        assert services.retry_job(job=later)
        assert _media_state(media) == ("pending", True, "")
        run_jobs()
        assert _media_state(media) == ("ready", True, "")

    def test_of_what_nobody_waits_for_leaves_the_file_ready(
        self,
        media: MediaFile,
        run_jobs: Any,
        heard: list[Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        run_jobs()
        wish = enqueue_job(media=media, version=1, work=replace(LATER, needed=False))
        services.cancel_job(job=wish)
        with django_capture_on_commit_callbacks(execute=True):
            assert services.retry_job(job=wish)
            assert _media_state(media) == ("ready", True, "")
            run_jobs()
        assert _media_state(media) == ("ready", True, "")
        assert heard == []

    @pytest.mark.parametrize("state", ["queued", "running", "done"])
    def test_of_what_has_not_ended_badly_is_refused(
        self, media: MediaFile, run_jobs: Any, state: str
    ) -> None:
        if state == "running":
            _claim(_job(media))
        elif state == "done":
            run_jobs()
        before = _states(media), _media_state(media)
        assert before[0]["inspect"] == state
        assert not services.retry_job(job=_job(media))
        assert (_states(media), _media_state(media)) == before

    def test_twice_is_once(self, media: MediaFile) -> None:
        services.cancel_job(job=_job(media))
        assert services.retry_job(job=_job(media))
        assert not services.retry_job(job=_job(media))

    def test_of_what_was_begun_anew_since_is_refused(self, media: MediaFile, owner: Any) -> None:
        old = _job(media)
        services.cancel_job(job=old)
        services.reprocess_media(user=owner, media=media)
        assert not services.retry_job(job=old)
        assert Job.objects.filter(media=media, kind="inspect", state="queued").count() == 1

    def test_leaves_quarantine_closed(self, media: MediaFile) -> None:
        job = _job(media)
        publication.quarantine(media, media.current, MalwareFoundError())
        assert Job.objects.get(pk=job.pk).state == "cancelled"
        assert not services.retry_job(job=job)
        assert _media_state(media) == ("quarantined", False, MalwareFoundError.code)

    def test_of_an_older_version_is_refused(self, media: MediaFile, run_jobs: Any) -> None:
        run_jobs()
        job = _job(media)
        Job.objects.filter(pk=job.pk).update(state="failed", finished_at=timezone.now())
        MediaFile.objects.filter(pk=media.pk).update(version=2)
        assert not services.retry_job(job=job)
        assert _media_state(media)[0] == "ready"


class TestMany:
    @pytest.fixture
    def files(self, upload: Callable[..., MediaFile], run_jobs: Any) -> list[MediaFile]:
        made = [upload(samples.photo_jpeg(120, 90, seed=n), f"{n}.jpg") for n in range(3)]
        run_jobs()
        Job.objects.all().delete()
        return made

    def test_all_anew(self, files: list[MediaFile], run_jobs: Any) -> None:
        before = _keys(files)
        ids = [media.pk for media in files]
        assert services.reprocess_many(media_ids=ids) == 3
        assert _keys(files) == before  # served until the new ones are there
        assert services.count_background_jobs() == 3
        run_jobs()
        assert not _keys(files) & before
        assert {_media_state(media) for media in files} == {("ready", True, "")}
        assert set(Job.objects.values_list("priority", flat=True)) == {-10}

    def test_fresh_uploads_go_first(
        self, files: list[MediaFile], upload: Callable[..., MediaFile]
    ) -> None:
        services.reprocess_many(media_ids=[media.pk for media in files])
        fresh = upload(samples.photo_jpeg(120, 90), "fresh.jpg")
        while services.run_job(Job.objects.filter(state="queued").earliest("pk").pk):
            if _media_state(fresh)[0] == "ready":
                break
        assert not Job.objects.filter(media__in=files).exclude(state="queued").exists()

    def test_nothing_changed_is_nothing_to_do(self, files: list[MediaFile]) -> None:
        ids = [media.pk for media in files]
        assert services.reprocess_many(media_ids=ids, changed_only=True) == 0
        assert not Job.objects.exists()

    def test_a_changed_recipe_alone_is_made(
        self, files: list[MediaFile], run_jobs: Any, settings: Any
    ) -> None:
        settings.MEDIA_APP = {
            **settings.MEDIA_APP,
            "RECIPES": [
                {"name": "thumb.webp", "width": 400, "height": 400, "fit": "cover", "quality": 85,
                 "effort": 1},
                {"name": "w320.webp", "width": 320, "quality": 10},
            ],
        }  # fmt: skip
        media = files[0]
        before = dict(media.renditions.values_list("name", "key"))
        assert services.reprocess_many(media_ids=[media.pk], changed_only=True) == 1
        assert _media_state(media) == ("ready", True, "")
        run_jobs()
        after = dict(media.renditions.values_list("name", "key"))
        assert after["thumb.webp"] == before["thumb.webp"]
        assert after["w320.webp"] != before["w320.webp"]
        assert set(Job.objects.values_list("kind", "needed", "state")) == {
            ("render", False, "done")
        }

    def test_what_was_inspected_long_ago_is_inspected(
        self, files: list[MediaFile], run_jobs: Any
    ) -> None:
        MediaVersion.objects.filter(media=files[0]).update(metadata={"frames": 1, "pages": 0})
        assert services.reprocess_many(media_ids=[files[0].pk], changed_only=True) == 1
        assert _states(files[0]) == {"inspect": "queued"}
        run_jobs()
        assert _media_state(files[0]) == ("ready", True, "")
        assert "chapters" in files[0].current.metadata

    def test_what_is_in_quarantine_stays(self, files: list[MediaFile]) -> None:
        publication.quarantine(files[0], files[0].current, MalwareFoundError())
        ids = [media.pk for media in files]
        assert services.reprocess_many(media_ids=ids) == 2
        assert _media_state(files[0])[0] == "quarantined"

    @pytest.mark.parametrize("changed", [False, True])
    def test_a_dry_run_counts_and_leaves_everything(
        self, files: list[MediaFile], changed: bool
    ) -> None:
        MediaVersion.objects.update(metadata={})
        ids = [media.pk for media in files]
        assert services.reprocess_many(media_ids=ids, changed_only=changed, dry_run=True) == 3
        assert services.rescan_many(media_ids=ids, dry_run=True) == 3
        assert not Job.objects.exists()
        assert {_media_state(media)[0] for media in files} == {"ready"}

    def test_batches_go_along_the_ids(self, files: list[MediaFile]) -> None:
        ids = [media.pk for media in files]
        assert list(services.batches_of(services.Choice(), size=2)) == [ids[:2], ids[2:]]
        behind = services.Choice(after=ids[0])
        assert list(services.batches_of(behind)) == [ids[1:]]
        assert list(services.batches_of(services.Choice(ids=(ids[1],)))) == [[ids[1]]]
        assert services.count_chosen(behind) == 2

    @pytest.mark.parametrize(
        ("choice", "count"),
        [
            ({"media_type": "image"}, 3),
            ({"media_type": "video"}, 0),
            ({"status": "ready", "owner": "olga"}, 3),
            ({"owner": "nobody"}, 0),
            ({"since": timezone.now() - timedelta(days=1)}, 3),
            ({"since": timezone.now() + timedelta(days=1)}, 0),
        ],
    )
    def test_choices(self, files: list[MediaFile], choice: dict[str, Any], count: int) -> None:
        assert services.count_chosen(services.Choice(**choice)) == count


def _keys(files: list[MediaFile]) -> set[str]:
    found = MediaFile.objects.filter(pk__in=[media.pk for media in files])
    return set(found.values_list("renditions__key", flat=True))
