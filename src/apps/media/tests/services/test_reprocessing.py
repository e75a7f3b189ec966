"""Processing a file again may fail: others go on seeing what they saw, its owner learns of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.exceptions import CorruptFileError, MalwareFoundError
from apps.media.models import Job, MediaFile, MediaVersion, Rendition, Tombstone
from apps.media.services import jobs, publication
from apps.media.services.jobs import Claim
from apps.media.services.renditions import reserve
from apps.media.tests import recordings, samples

Upload = Callable[..., MediaFile]
KINDS = ["inspect", "render"]


@pytest.fixture
def photo(upload: Upload, run_jobs: Any) -> MediaFile:
    """A public photograph with all its renditions."""
    media = upload(samples.photo_jpeg(400, 300), "photo.jpg", visibility="public")
    run_jobs()
    media.refresh_from_db()
    assert media.status == "ready"
    return media


def _state(media: MediaFile) -> tuple[str, bool, str]:
    media.refresh_from_db()
    return media.status, media.usable, media.failure_code


def _served(media: MediaFile) -> dict[str, str]:
    return dict(media.renditions.exclude(key="").values_list("name", "key"))


def _begin_until(media: MediaFile, kind: str) -> Claim:
    """Process `media` again as far as a worker that holds a job of that kind."""
    services.reprocess_media(user=media.owner, media=media)
    queued = Job.objects.filter(media=media, state="queued")
    while not queued.filter(kind=kind).exists():
        assert services.run_job(queued[0].pk)
    claim = jobs._take(queued.filter(kind=kind)[0])
    assert claim is not None
    return claim


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_see_stays_when_it_fails(
    photo: MediaFile,
    kind: str,
    own_storage: ObjectStore,
    heard: list[Any],
    django_capture_on_commit_callbacks: Any,
    run_jobs: Any,
) -> None:
    before = _served(photo)
    claim = _begin_until(photo, kind)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.give_up(claim, CorruptFileError())
    assert _state(photo) == ("ready", True, "corrupt_file")
    assert photo.progress == 100
    assert photo.failure_message
    assert _served(photo) == before
    assert [(name, told["code"]) for name, told in heard] == [("media_not_remade", "corrupt_file")]
    run_jobs()  # the scan, where it is left, changes nothing
    assert _state(photo) == ("ready", True, "corrupt_file")
    _bury_all()
    kept = {*before.values(), photo.current.key}
    assert {item.key for item in own_storage.walk()} == kept
    anybody = APIClient()
    for name in before:
        assert anybody.get(f"/media/{photo.pk}/r/{name}").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_see_stays_when_it_is_cancelled(photo: MediaFile, kind: str) -> None:
    before = _served(photo)
    claim = _begin_until(photo, kind)
    assert services.cancel_job(job=claim.job)
    assert _state(photo) == ("ready", True, "processing_cancelled")
    assert _served(photo) == before


def test_what_workers_die_of_keeps_it_too(photo: MediaFile) -> None:
    services.reprocess_media(user=photo.owner, media=photo)
    job = Job.objects.get(media=photo, kind="inspect", state="queued")
    past = "2000-01-01T00:00:00Z"
    while Job.objects.get(pk=job.pk).state != "failed":
        assert jobs._take(job)
        Job.objects.filter(pk=job.pk).update(lease_until=past)
        services.sweep_jobs()
    assert _state(photo) == ("ready", True, "processing_crashed")


def test_half_written_renditions_go_and_the_served_ones_stay(
    photo: MediaFile, own_storage: ObjectStore
) -> None:
    before = _served(photo)
    claim = _begin_until(photo, "render")
    with claim.saving() as media:
        rows = reserve(media, media.current, before)
    for row in rows:
        with own_storage.writer(row.next_key) as writer:
            writer.write(b"half of it")
    services.cancel_job(job=claim.job)
    assert _served(photo) == before
    assert not Rendition.objects.exclude(next_key="").exists()
    _bury_all()
    assert {item.key for item in own_storage.walk("rendition/")} == set(before.values())


def test_the_next_try_that_ends_well_forgets_the_failure(photo: MediaFile, run_jobs: Any) -> None:
    before = _served(photo)
    jobs.give_up(_begin_until(photo, "render"), CorruptFileError())
    services.reprocess_media(user=photo.owner, media=photo)
    assert _state(photo) == ("pending", True, "")
    run_jobs()
    assert _state(photo) == ("ready", True, "")
    assert not set(before.values()) & set(_served(photo).values())


def test_retrying_the_job_takes_up_what_ended_with_it(
    upload: Upload, run_jobs: Any, settings: Any
) -> None:
    film = upload(recordings.film(seconds=1, size=(160, 120)), "film.mp4")
    run_jobs()
    assert _state(film) == ("ready", True, "")
    before = _served(film)
    claim = _begin_until(film, "stream")
    jobs.give_up(claim, CorruptFileError())
    assert _state(film) == ("ready", True, "corrupt_file")
    assert set(_served(film)) == set(before)
    assert Job.objects.filter(media=film, state="cancelled").exists()
    assert services.retry_job(job=claim.job)
    assert _state(film) == ("pending", True, "")
    assert not Job.objects.filter(media=film, state__in=("failed", "cancelled")).exists()
    run_jobs()
    assert _state(film) == ("ready", True, "")


def test_a_film_that_never_was_complete_fails_as_a_whole(upload: Upload) -> None:
    film = upload(recordings.film(seconds=1, size=(160, 120)), "film.mp4", visibility="public")
    queued = Job.objects.filter(media=film, state="queued").exclude(kind="stream")
    while job := queued.first():
        services.run_job(job.pk)
    assert _state(film) == ("processing", True, "")  # its first pictures are there
    jobs.give_up(_taken(film, "stream"), CorruptFileError())
    assert _state(film) == ("failed", False, "corrupt_file")


def test_a_new_version_that_never_was_complete_is_not_kept(photo: MediaFile) -> None:
    MediaVersion.objects.filter(media=photo).update(complete=False)
    jobs.give_up(_begin_until(photo, "inspect"), CorruptFileError())
    assert _state(photo) == ("failed", False, "corrupt_file")


def test_quarantine_takes_everything_offline(photo: MediaFile) -> None:
    _begin_until(photo, "render")
    publication.quarantine(photo, photo.current, MalwareFoundError())
    assert _state(photo) == ("quarantined", False, "malware_found")
    assert not photo.renditions.exists()
    assert APIClient().get(f"/media/{photo.pk}/original").status_code == 404


def test_what_comes_out_of_quarantine_has_to_be_made_anew(photo: MediaFile, run_jobs: Any) -> None:
    publication.quarantine(photo, photo.current, MalwareFoundError())
    services.rescan_media(media=MediaFile.objects.filter(pk=photo.pk))
    services.run_job(Job.objects.get(media=photo, state="queued").pk)
    assert _state(photo) == ("pending", False, "")
    jobs.give_up(_taken(photo, "inspect"), CorruptFileError())
    assert _state(photo) == ("failed", False, "corrupt_file")


class TestWhatIsTold:
    @pytest.fixture
    def kept(self, photo: MediaFile) -> MediaFile:
        jobs.give_up(_begin_until(photo, "render"), CorruptFileError())
        photo.refresh_from_db()
        return photo

    def test_the_owner_reads_it_in_the_api(self, kept: MediaFile, api: APIClient) -> None:
        told = api.get(f"/api/v1/media/{kept.pk}/").json()
        assert (told["status"], told["progress"]) == ("ready", 100)
        assert told["failure"] == {"code": "corrupt_file", "message": kept.failure_message}
        assert told["renditions"]

    def test_others_do_not(self, kept: MediaFile, stranger: Any) -> None:
        client = APIClient()
        client.force_authenticate(stranger)
        told = client.get(f"/api/v1/media/{kept.pk}/").json()
        assert (told["status"], told["failure"]) == ("ready", None)

    def test_on_the_page_of_the_file(
        self, kept: MediaFile, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
    ) -> None:
        pages = [
            browser_of(user).get(kept.get_absolute_url()).content.decode()
            for user in (owner, stranger)
        ]
        told = ["Processing it again failed" in page for page in pages]
        assert told == [True, False]
        assert ["Try again" in page for page in pages] == [True, False]
        assert all("srcset" in page for page in pages)


def _taken(media: MediaFile, kind: str) -> Claim:
    claim = jobs._take(Job.objects.filter(media=media, kind=kind, state="queued")[0])
    assert claim is not None
    return claim


def _bury_all() -> None:
    Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
    services.bury_tombstones()
