"""Faults of processing found by review, one test each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from apps.core.storage import ObjectStore
from apps.media import selectors, services
from apps.media.exceptions import (
    CorruptFileError,
    LostLeaseError,
    MediaError,
    NotVisibleError,
    ProcessingCrashedError,
)
from apps.media.models import Job, MediaFile, MediaVersion, Rendition, Tombstone
from apps.media.policies import Action, can_access
from apps.media.processing import answers, sandbox
from apps.media.processing.streamtypes import StreamPlan
from apps.media.processing.types import MIB, Limits
from apps.media.services import jobs, publication
from apps.media.services.facts import facts_of
from apps.media.services.jobs import Claim
from apps.media.services.rendering import render
from apps.media.services.renditions import adopt, reserve, write
from apps.media.services.scanning import BACKGROUND
from apps.media.services.streaming import enqueue_streams
from apps.media.tests import papers, recordings, samples
from apps.media.tests.flows.waiting import eventually

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def photo(upload: Upload, run_jobs: Any) -> MediaFile:
    """A picture that is ready."""
    return _done(upload(samples.photo_jpeg(400, 300), "photo.jpg"), run_jobs)


def _done(media: MediaFile, run_jobs: Any) -> MediaFile:
    run_jobs()
    return MediaFile.objects.get(pk=media.pk)


def _claim(media: MediaFile, kind: str, subject: str = "") -> Claim:
    """The job of that kind as a worker holds it."""
    job = Job.objects.get(media=media, kind=kind, subject=subject, state="queued")
    claim = jobs._take(job)
    assert claim is not None
    return claim


def _active(media: MediaFile, **which: Any) -> list[Job]:
    return list(Job.objects.filter(media=media, state__in=("queued", "running"), **which))


# -- what a file is ----------------------------------------------------------------------------


def test_malware_in_what_cannot_be_read_is_found_although_inspection_ends_first(
    upload: Upload, run_jobs: Any
) -> None:
    media = upload(papers.locked_pdf() + EICAR, "paper.pdf")
    scan = Job.objects.filter(kind="scan")
    scan.update(priority=-1)
    assert services.run_job(Job.objects.get(kind="inspect").pk)
    media.refresh_from_db()
    assert (media.status, media.failure_code) == ("failed", "password_protected")
    media = _done(media, run_jobs)
    assert (media.status, media.failure_code) == ("quarantined", "malware_found")
    assert not can_access(media.owner, media, Action.READ)


def test_a_scan_that_fails_too_does_not_hide_why_the_file_failed(
    upload: Upload, heard: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    media = upload(samples.photo_jpeg(400, 300), "photo.jpg")
    inspection, scan = _claim(media, "inspect"), _claim(media, "scan")
    with django_capture_on_commit_callbacks(execute=True):
        jobs.give_up(inspection, CorruptFileError())
        jobs.give_up(scan, ProcessingCrashedError())
    media.refresh_from_db()
    assert (media.status, media.failure_code) == ("failed", "corrupt_file")
    assert [name for name, _ in heard] == ["media_rejected"]


def test_what_is_made_again_in_the_background_is_never_needed(
    upload: Upload, run_jobs: Any, settings: Any
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "STRETCH_SECONDS": 4}
    film = upload(recordings.film(seconds=9, picture=("-c:v", "mpeg4")), "clip.mp4")
    assert services.run_job(Job.objects.get(kind="inspect").pk)
    Job.objects.all().delete()
    MediaVersion.objects.update(scan="clean")
    MediaFile.objects.update(status="ready", usable=True)
    assert services.reprocess_many(media_ids=[film.pk], changed_only=True) == 1
    run_jobs()
    assert Job.objects.filter(media=film, kind="join").exists()
    assert not Job.objects.filter(media=film, needed=True).exists()


def test_the_words_of_a_document_outlive_a_slower_job(upload: Upload) -> None:
    paper = upload(papers.text_pdf(["Quantum marmalade"]), "paper.pdf")
    assert services.run_job(Job.objects.get(kind="inspect").pk)
    slower, quicker = _claim(paper, "render"), _claim(paper, "render", "later")
    render_while(slower, lambda: render(quicker))
    assert "marmalade" in MediaVersion.objects.get().text


def render_while(claim: Claim, act: Callable[[], object], *, transfer: int = 0) -> None:
    """Render; before its transfer of that number begins, `act` is done by another worker."""
    transfers, wait_for = itertools.count(), claim.wait_for

    def interrupted(transfer_: Callable[[], Any]) -> Any:
        if next(transfers) == transfer:
            act()
        return wait_for(transfer_)

    claim.wait_for = interrupted  # type: ignore[method-assign,assignment]
    render(claim)


def test_tracks_that_no_plan_makes_any_more_go(upload: Upload, run_jobs: Any) -> None:
    film = _done(upload(recordings.film(seconds=2), "film.mp4"), run_jobs)
    for name in ("hls/9999p.mp4", "part/rest.0003/240p.mp4"):
        film.renditions.create(version=1, name=name, state="ready", storage="media", key=name)
    services.reprocess_media(user=film.owner, media=film)
    run_jobs()
    names = set(film.renditions.values_list("name", flat=True))
    assert "hls/copy.mp4" in names
    assert not names & {"hls/9999p.mp4", "part/rest.0003/240p.mp4"}


def test_a_sound_that_was_announced_and_is_not_there_is_not_waited_for(
    upload: Upload, run_jobs: Any
) -> None:
    """Else every look for what is missing would have the film made again."""
    film = _done(upload(recordings.silent(), "film.mp4"), run_jobs)
    version = film.current
    version.metadata["audio"] = {"codec": "aac", "channels": 2, "sample_rate": 48_000}
    version.save()
    assert enqueue_streams(film, version, facts_of(version))
    run_jobs()
    version.refresh_from_db()
    assert version.metadata["audio"] is None
    assert not enqueue_streams(film, version, facts_of(version))
    assert set(film.renditions.filter(name__startswith="hls/").values_list("state")) == {("ready",)}


# -- rows and objects --------------------------------------------------------------------------


@pytest.mark.parametrize("last", [0, 1])
def test_two_jobs_for_one_rendition_leave_one_that_is_served(
    photo: MediaFile, own_storage: ObjectStore, tmp_path: Path, last: int
) -> None:
    """The crops of a moved focal point are made by one job, and by another for who asks."""
    services.update_media(user=photo.owner, media=photo, focal_x=0.1, focal_y=0.2)
    photo.refresh_from_db()
    assert services.find_or_request_rendition(media=photo, name="thumb.webp")
    claims = [_claim(photo, "render"), _claim(photo, "render", "thumb.webp")]
    made = tmp_path / "made"
    made.write_bytes(b"picture")
    rows = [_reserved(claim, "thumb.webp") for claim in claims]
    for row in rows:
        write(row, made)
    for index in (1 - last, last):
        with claims[index].saving():
            adopt(rows[index], fingerprint="new", mime_type="image/webp")
    _bury_all()
    served = photo.renditions.get(name="thumb.webp")
    assert (served.fingerprint, served.next_key) == ("new", "")
    assert own_storage.size_of(served.key) == served.size
    _assert_explained(own_storage)


def test_what_one_job_left_half_written_goes_with_the_last_one(photo: MediaFile) -> None:
    """Else it would be held for being written for ever, and could not be moved."""
    services.update_media(user=photo.owner, media=photo, focal_x=0.1, focal_y=0.2)
    photo.refresh_from_db()
    assert services.find_or_request_rendition(media=photo, name="thumb.webp")
    failing, lasting = _claim(photo, "render", "thumb.webp"), _claim(photo, "render")
    _reserved(failing, "thumb.webp")
    jobs.give_up(failing, CorruptFileError())
    assert Rendition.objects.exclude(next_key="").exists()
    with lasting.saving() as media:
        lasting.finish()
        publication.conclude(media)
    assert not Rendition.objects.exclude(next_key="").exists()


def _reserved(claim: Claim, name: str) -> Rendition:
    with claim.saving() as media:
        (row,) = reserve(media, media.current, [name])
    return row


def _bury_all() -> None:
    Tombstone.objects.update(due_at=timezone.now())
    services.bury_tombstones()


def _assert_explained(store: ObjectStore) -> None:
    """Every object has a row, every row its object."""
    served = Rendition.objects.exclude(key="").values_list("key", flat=True)
    originals = MediaVersion.objects.values_list("key", flat=True)
    assert {*served, *originals} == {found.key for found in store.walk()}


def test_an_object_that_is_written_after_the_file_was_deleted_goes(
    upload: Upload, own_storage: ObjectStore
) -> None:
    media = upload(samples.photo_jpeg(400, 300), "photo.jpg")
    assert services.run_job(Job.objects.get(kind="inspect").pk)

    def delete() -> None:
        """The write lasts longer than any tombstone waits."""
        services.delete_media(user=media.owner, media=media, permanent=True)
        _bury_all()

    with pytest.raises(LostLeaseError):
        render_while(_claim(media, "render"), delete, transfer=1)
    _bury_all()
    assert list(own_storage.walk()) == []


# -- what others can do ------------------------------------------------------------------------


def test_a_stranger_cannot_fill_the_queue_with_pages(upload: Upload, run_jobs: Any) -> None:
    paper = _done(upload(samples.pdf(60), "paper.pdf", visibility="public"), run_jobs)
    for page in range(1, 61):
        answer = Client().get(f"/media/{paper.pk}/r/page-{page}.jpg")
        assert answer.status_code == 202
    asked = _active(paper)
    assert 0 < len(asked) <= 10
    run_jobs()
    assert Client().get(f"/media/{paper.pk}/r/page-1.jpg").status_code == 200
    assert Client().get(f"/media/{paper.pk}/r/page-60.jpg").status_code == 202
    assert len(_active(paper)) == 1


def test_what_takes_long_is_made_in_the_slow_queue_also_when_asked_for(
    upload: Upload, run_jobs: Any
) -> None:
    song = upload(recordings.wav([0.1] * 8000), "a.wav")
    assert services.run_job(Job.objects.get(kind="inspect").pk)
    Job.objects.all().delete()
    MediaFile.objects.update(status="ready", usable=True)
    song.refresh_from_db()
    assert services.find_or_request_rendition(media=song, name="audio.opus") is None
    assert _active(song)[0].queue == Job.SLOW


def test_what_somebody_waits_for_overtakes_the_background(photo: MediaFile) -> None:
    assert services.reprocess_many(media_ids=[photo.pk]) == 1
    assert _active(photo, kind="inspect")[0].priority == BACKGROUND
    services.reprocess_media(user=photo.owner, media=photo)
    assert _active(photo, kind="inspect")[0].priority == 0


def test_staff_get_nothing_that_is_not_scanned(upload: Upload, staff: Any) -> None:
    media = upload(samples.photo_jpeg(400, 300), "photo.jpg", visibility="public")
    staff.is_superuser = False
    assert can_access(staff, media, Action.VIEW)
    assert not can_access(staff, media, Action.READ)
    assert can_access(media.owner, media, Action.READ)


def test_places_in_the_texts_of_a_film_are_places(upload: Upload) -> None:
    """Drones write where they are as subtitles, action cameras as tracks of data."""
    words = b"1\n00:00:00,000 --> 00:00:01,000\nGPS(13.3777,52.5163,17)\n"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=30:d=1")
    tracks = ("-f", "srt", "-i", "source", "-c:v", "libx264", "-c:s", "mov_text")
    film = recordings.made("drone.mp4", *picture, *tracks, source=words)
    media = upload(film, "drone.mp4", visibility="public")
    assert services.run_job(Job.objects.get(kind="inspect").pk)
    with pytest.raises(NotVisibleError):  # until there is a clean copy
        selectors.get_original(user=AnonymousUser(), media=media)


# -- the sandbox -------------------------------------------------------------------------------


@pytest.fixture
def stray(tmp_path: Path) -> Iterator[Callable[[], list[psutil.Process]]]:
    """The processes that run a program of that name, which no test leaves behind."""
    (tmp_path / "stray").symlink_to("/bin/sleep")

    def find() -> list[psutil.Process]:
        wanted = str(tmp_path / "stray")
        return [
            one for one in psutil.process_iter(["cmdline"]) if wanted in (one.info["cmdline"] or ())
        ]

    yield find
    for process in find():
        process.kill()


def test_a_process_in_a_session_of_its_own_ends_with_the_job(
    tmp_path: Path, stray: Callable[[], list[psutil.Process]]
) -> None:
    program = tmp_path / "ffmpeg"
    escape = f"setsid {tmp_path}/stray 300 >/dev/null 2>&1 </dev/null &"
    program.write_text(f"#!/bin/sh\n{escape}\ntouch begun\nexit 1\n")
    program.chmod(0o755)
    source, out_dir = tmp_path / "film.mp4", tmp_path / "out"
    source.write_bytes(recordings.film())
    out_dir.mkdir()
    plan = StreamPlan(out_dir, str(program), "copy")
    with pytest.raises(MediaError):
        sandbox.run_stream(source, "video/mp4", plan=plan, limits=Limits(memory_bytes=2048 * MIB))
    assert (out_dir / "begun").exists()
    eventually(lambda: stray() == [])


@pytest.mark.parametrize("value", [10**400, "\ud800"], ids=["huge", "surrogate"])
def test_an_answer_that_no_database_can_hold_is_refused(value: object) -> None:
    facts = {"width": 1, "height": 1, "frames": 1, "pages": 0, "chapters": []}
    with pytest.raises(answers.AnswerError):
        answers.decode_facts({**facts, "metadata": {"lens": value}}, Limits())
