"""The moment of a film that its pictures show."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from apps.media import services
from apps.media.exceptions import (
    BadRequestError,
    CorruptFileError,
    ForbiddenError,
    WrongStateError,
)
from apps.media.models import Job, MediaFile, Rendition
from apps.media.services import jobs, rendering
from apps.media.services.jobs import Work
from apps.media.services.scanning import BACKGROUND
from apps.media.storage import store_of
from apps.media.tests import recordings, samples

Make = Callable[..., MediaFile]


@pytest.fixture
def film(upload: Make, run_jobs: Callable[[], int]) -> MediaFile:
    media = upload(recordings.film(), "a.mp4")
    run_jobs()
    return MediaFile.objects.get(pk=media.pk)


def _poster(media: MediaFile) -> tuple[str, bytes]:
    """Its key, and its pixels."""
    row = Rendition.objects.get(media=media, name="poster.jpg")
    with store_of(row.storage).open_object(row.key) as file:
        return row.key, Image.open(io.BytesIO(file.read())).convert("RGB").tobytes()


def test_pictures_of_the_chosen_moment_get_new_addresses(
    film: MediaFile, run_jobs: Callable[[], int]
) -> None:
    before = _poster(film)
    pictures = []
    for at in (0, 1.5, None):
        services.choose_poster(user=film.owner, media=film, at=at)
        run_jobs()
        pictures.append(_poster(film))
    assert len({key for key, _ in [before, *pictures]}) == 4
    assert pictures[0][1] != pictures[1][1]
    assert pictures[2][1] == before[1]  # of our choice again
    film.refresh_from_db()
    assert film.status == "ready"


def test_what_could_not_be_made_is_told_and_forgotten_once_it_is(
    film: MediaFile,
    run_jobs: Callable[[], int],
    heard: list[Any],
    browser_of: Callable[[Any], Client],
    stranger: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    before = _poster(film)
    services.choose_poster(user=film.owner, media=film, at=1.5)
    claim = jobs._take(Job.objects.get(media=film, kind="render", state="queued"))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.give_up(claim, CorruptFileError())
    assert [(name, told["asked"]) for name, told in heard] == [("media_not_remade", True)]
    assert _poster(film) == before
    film.refresh_from_db()
    assert (film.status, film.failure_code) == ("ready", "")
    services.grant_access(user=film.owner, media=film, to=stranger)
    words = "The poster was not made"
    pages = [browser_of(user).get(film.get_absolute_url()) for user in (film.owner, stranger)]
    assert [words in page.content.decode() for page in pages] == [True, False]
    services.choose_poster(user=film.owner, media=film, at=1.5)
    run_jobs()
    assert words not in browser_of(film.owner).get(film.get_absolute_url()).content.decode()


def test_work_of_operators_tells_nobody(
    film: MediaFile, heard: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    work = Work(Job.Kind.RENDER, priority=BACKGROUND, needed=False)
    claim = jobs._take(jobs.enqueue_job(media=film, version=1, work=work))
    with django_capture_on_commit_callbacks(execute=True):
        jobs.give_up(claim, CorruptFileError())
    assert heard == []


def test_a_choice_that_comes_while_pictures_are_made_counts(
    film: MediaFile, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = rendering._run

    def late(*arguments: Any) -> Any:
        rendered = run(*arguments)
        monkeypatch.setattr(rendering, "_run", run)
        services.choose_poster(user=film.owner, media=film, at=1.5)
        return rendered

    monkeypatch.setattr(rendering, "_run", late)
    services.choose_poster(user=film.owner, media=film, at=0)
    run_jobs()
    late_one = _poster(film)[1]
    services.choose_poster(user=film.owner, media=film, at=1.5)
    run_jobs()
    assert _poster(film)[1] == late_one


@pytest.mark.parametrize("at", [-1, 9_999, float("nan"), "soon"])
def test_only_moments_of_the_film_are_taken(film: MediaFile, at: Any) -> None:
    jobs = Job.objects.count()
    with pytest.raises(BadRequestError):
        services.choose_poster(user=film.owner, media=film, at=at)
    assert Job.objects.count() == jobs
    assert film.versions.get().poster_at is None


def test_only_who_may_edit_chooses_and_only_of_a_film_that_is_there(
    film: MediaFile, stranger: Any, owner: Any, upload: Make, run_jobs: Callable[[], int]
) -> None:
    with pytest.raises(ForbiddenError):
        services.choose_poster(user=stranger, media=film, at=1)
    photo = upload(samples.photo_jpeg(64, 64), "a.jpg")
    run_jobs()
    with pytest.raises(BadRequestError):
        services.choose_poster(user=owner, media=photo, at=1)
    services.delete_media(user=owner, media=film)
    with pytest.raises(WrongStateError):
        services.choose_poster(user=owner, media=film, at=1)
