"""Pictures turned and cut: a new version through the pipeline, the old one kept, nothing lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image, ImageOps

from apps.media import services
from apps.media.exceptions import (
    AnimatedPictureError,
    BadRequestError,
    EngineAwayError,
    ForbiddenError,
    NotEditableError,
    QuotaExceededError,
    VersionChangedError,
    WrongStateError,
)
from apps.media.models import Job, MediaFile, MediaVersion, Quota, Upload
from apps.media.services import edits
from apps.media.tests import heifs, recordings, samples

Make = Callable[..., MediaFile]
Run = Callable[[], int]
HALF = {"left": 0, "top": 0, "width": 0.5, "height": 1}


@pytest.fixture
def made(upload: Make, run_jobs: Run) -> Make:
    def make(data: bytes, name: str, **fields: Any) -> MediaFile:
        media = upload(data, name, **fields)
        run_jobs()
        return _read(media)

    return make


@pytest.fixture
def photo(made: Make) -> MediaFile:
    """A public picture, 640 by 480, that is ready."""
    return made(samples.oriented_jpeg(6), "corners.jpg", visibility="public", alt_text="Corners")


def _read(media: MediaFile) -> MediaFile:
    return MediaFile.objects.get(pk=media.pk)


def _seen(media: MediaFile) -> Image.Image:
    with media.file.open() as file:
        return ImageOps.exif_transpose(Image.open(io.BytesIO(file.read()))).convert("RGB")


def _edit(media: MediaFile, **asked: Any) -> MediaFile:
    return services.edit_picture(**{"user": media.owner, "media": media, **asked})


def _traces(media: MediaFile) -> tuple[Any, ...]:
    """All that an edit would leave."""
    return (
        MediaVersion.objects.filter(media=media).count(),
        Job.objects.filter(media=media).count(),
        Upload.objects.count(),
        _read(media).status,
    )


def test_an_edit_makes_a_new_version_and_keeps_the_old_one(
    photo: MediaFile, run_jobs: Run, owner: Any
) -> None:
    asked = _edit(photo, rotate=90, crop=HALF)
    assert (asked.status, asked.version) == ("pending", 1)
    run_jobs()
    media = _read(photo)
    assert (media.status, media.version, media.published_version) == ("ready", 2, 2)
    assert (media.width, media.height, media.alt_text) == (240, 640, "Corners")
    assert _seen(media).getpixel((30, 30))[2] > 200  # blue, which was below
    assert media.current.edit == {
        "of": 1,
        "rotate": 90,
        "crop": {"left": 0.0, "top": 0.0, "width": 0.5, "height": 1.0},
        "lossless": False,
    }
    sizes = sum(MediaVersion.objects.filter(media=media).values_list("size", flat=True))
    quota = Quota.objects.get(owner=owner)
    assert (quota.bytes_used, quota.bytes_reserved, quota.files_used) == (sizes, 0, 1)
    services.restore_version(user=owner, media=media, number=1)
    run_jobs()
    assert _seen(_read(photo)).size == (640, 480)


@pytest.mark.parametrize(
    ("mime", "name", "told"),
    [("image/heic", "IMG_1.HEIC", "IMG_1.avif"), ("image/avif", "IMG_1.Avif", "IMG_1.Avif")],
)
def test_what_phones_write_becomes_avif_and_what_came_is_kept(
    made: Make,
    run_jobs: Run,
    browser_of: Callable[[Any], Client],
    mime: str,
    name: str,
    told: str,
) -> None:
    media = made(heifs.heif_of(samples.corners(), mime), name)
    note = "The new one is an AVIF of the same pixels"
    page = browser_of(media.owner).get(media.get_absolute_url()).content.decode()
    assert (note in page) == (mime == "image/heic")
    _edit(media, rotate=90, crop=HALF)
    run_jobs()
    media = _read(media)
    assert (media.status, media.version, media.failure_code) == ("ready", 2, "")
    assert (media.mime_type, media.original_name) == ("image/avif", told)
    assert (media.width, media.height) == (240, 640)
    services.restore_version(user=media.owner, media=media, number=1)
    assert (_read(media).mime_type, _read(media).original_name) == (mime, name)


def test_others_see_the_old_picture_until_the_new_one_is_good(
    photo: MediaFile, run_jobs: Run
) -> None:
    _edit(photo, rotate=180)
    job = Job.objects.get(media=photo, kind="edit")
    services.run_job(job.pk)  # the edit alone: the new version is still to be looked at
    media = _read(photo)
    assert (media.version, media.published_version, media.usable) == (2, 1, True)
    run_jobs()
    assert _read(photo).published_version == 2
    assert _read(photo).current.edit["lossless"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, BadRequestError),
        ({"rotate": 45}, BadRequestError),
        ({"rotate": "much"}, BadRequestError),
        ({"crop": {"left": 0, "top": 0, "width": 2, "height": 1}}, BadRequestError),
        ({"crop": {"left": 0, "top": 0, "width": 1, "height": 1}}, BadRequestError),
        ({"crop": {"left": 0}}, BadRequestError),
        ({"rotate": 90, "version": 7}, VersionChangedError),
    ],
)
def test_what_makes_no_sense_is_refused(
    photo: MediaFile, asked: dict[str, Any], error: type[Exception]
) -> None:
    before = _traces(photo)
    with pytest.raises(error):
        _edit(photo, **asked)
    assert _traces(photo) == before


@pytest.mark.parametrize(
    ("data", "name", "error"),
    [
        (samples.animated_gif, "a.gif", AnimatedPictureError),
        (samples.animated_webp, "a.webp", AnimatedPictureError),
        (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", NotEditableError),
        (recordings.film, "a.mp4", NotEditableError),
        (samples.pdf, "a.pdf", NotEditableError),
    ],
)
def test_only_still_pictures_are_edited(
    made: Make, data: Callable[[], bytes], name: str, error: type[Exception]
) -> None:
    media = made(data(), name)
    before = _traces(media)
    with pytest.raises(error) as refused:
        _edit(media, rotate=90)
    assert refused.type is error
    assert _traces(media) == before


def test_only_who_may_edit_may(photo: MediaFile, stranger: Any) -> None:
    before = _traces(photo)
    with pytest.raises(ForbiddenError):
        _edit(photo, user=stranger, rotate=90)
    services.grant_access(user=photo.owner, media=photo, to=stranger, permission="edit")
    assert _traces(photo) == before
    assert _edit(photo, user=stranger, rotate=90).status == "pending"


def test_one_edit_at_a_time_and_none_in_the_trash(photo: MediaFile) -> None:
    _edit(photo, rotate=90)
    before = _traces(photo)
    with pytest.raises(WrongStateError):
        _edit(photo, rotate=90)
    services.delete_media(user=photo.owner, media=photo)
    with pytest.raises(WrongStateError):
        _edit(_read(photo), rotate=90)
    assert _traces(photo) == before


def test_an_edit_needs_room(photo: MediaFile, owner: Any) -> None:
    Quota.objects.filter(owner=owner).update(bytes_limit=photo.size + 10)
    before = _traces(photo)
    with pytest.raises(QuotaExceededError):
        _edit(photo, rotate=90)
    assert _traces(photo) == before


def test_room_that_has_gone_meanwhile_leaves_the_file_as_it_was(
    photo: MediaFile, owner: Any, run_jobs: Run, heard: list[Any]
) -> None:
    _edit(photo, rotate=90)
    Quota.objects.filter(owner=owner).update(bytes_limit=photo.size + 10)
    run_jobs()
    media = _read(photo)
    assert (media.status, media.version, media.failure_code) == ("ready", 1, "quota_exceeded")
    assert Quota.objects.get(owner=owner).bytes_reserved == 0
    assert not Upload.objects.filter(media=None).exists()


def test_a_new_version_that_comes_first_wins(
    photo: MediaFile, run_jobs: Run, monkeypatch: pytest.MonkeyPatch, owner: Any
) -> None:
    run = edits._run

    def late(*arguments: Any) -> Any:
        edited = run(*arguments)
        file = ContentFile(samples.photo_jpeg(320, 200), name="other.jpg")
        services.replace_media(user=owner, media=photo, file=file)
        return edited

    _edit(photo, rotate=90)
    with monkeypatch.context() as patch:
        patch.setattr(edits, "_run", late)
        services.run_job(Job.objects.get(kind="edit").pk)
    run_jobs()
    media = _read(photo)
    assert (media.status, media.version, media.width) == ("ready", 2, 320)
    assert media.versions.count() == 2
    assert not Upload.objects.filter(media=None).exists()
    assert Job.objects.get(kind="edit").state == "done"


def test_a_file_that_goes_to_the_trash_meanwhile_stays_as_it_was(
    photo: MediaFile, run_jobs: Run, owner: Any
) -> None:
    _edit(photo, rotate=90)
    services.delete_media(user=owner, media=photo)
    run_jobs()
    services.restore_media(user=owner, media=_read(photo))
    media = _read(photo)
    assert (media.status, media.version) == ("ready", 1)
    _edit(photo, rotate=90)
    services.delete_media(user=owner, media=_read(photo), permanent=True)
    run_jobs()
    assert not MediaFile.objects.exists()
    assert not Upload.objects.filter(media=None).exists()


def test_a_lost_worker_leaves_nothing_and_another_one_goes_on(
    photo: MediaFile, run_jobs: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _edit(photo, rotate=90)

    def broken(**_: Any) -> Any:
        raise EngineAwayError

    with monkeypatch.context() as patch:
        patch.setattr(edits, "finalize_upload", broken)
        services.run_job(Job.objects.get(kind="edit").pk)
    assert not Upload.objects.filter(media=None).exists()
    Job.objects.filter(kind="edit").update(due_at="2000-01-01T00:00Z")
    run_jobs()
    assert _read(photo).version == 2
