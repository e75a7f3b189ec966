"""The moment that the pictures of a film show, chosen over HTTP and on the page of the film."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.media import services
from apps.media.models import Job, MediaFile
from apps.media.tests import recordings, samples

Make = Callable[..., MediaFile]
Run = Callable[[], int]


@pytest.fixture
def film(upload: Make, run_jobs: Run) -> MediaFile:
    media = upload(recordings.film(), "a.mp4", visibility="public")
    run_jobs()
    media.refresh_from_db()
    assert media.status == "ready", media.failure_message
    return media


def _url(media: MediaFile) -> str:
    return f"/api/v1/media/{media.pk}/poster/"


def _page(media: MediaFile) -> str:
    return f"/library/{media.pk}/poster/"


def _chosen(media: MediaFile) -> float | None:
    return media.versions.get().poster_at


def _asked() -> int:
    return Job.objects.filter(kind="render", state="queued").count()


def test_a_moment_is_taken_and_given_back(api: APIClient, film: MediaFile, run_jobs: Run) -> None:
    answer = api.post(_url(film), {"at": 1.2345}, format="json")
    assert (answer.status_code, answer.json()["id"]) == (202, str(film.pk))
    assert (answer.json()["status"], _chosen(film), _asked()) == ("ready", 1.234, 1)
    run_jobs()
    assert api.post(_url(film), {"at": None}, format="json").status_code == 202
    assert _chosen(film) is None


@pytest.mark.parametrize("at", [-1, 9_999, "soon", [], {}, "nan", "inf", ""])
def test_what_is_no_moment_is_refused(api: APIClient, film: MediaFile, at: Any) -> None:
    answer = api.post(_url(film), {"at": at}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert (_chosen(film), _asked()) == (None, 0)


def test_states_that_have_no_moment(
    api: APIClient, owner: Any, upload: Make, film: MediaFile, run_jobs: Run
) -> None:
    photo = upload(samples.photo_jpeg(64, 64), "a.jpg")
    run_jobs()
    assert api.post(_url(photo), {"at": 0}, format="json").status_code == 400
    MediaFile.objects.filter(pk=film.pk).update(status="processing", usable=False)
    answer = api.post(_url(film), {"at": 0}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    MediaFile.objects.filter(pk=film.pk).update(status="ready", usable=True)
    services.delete_media(user=owner, media=film)
    assert api.post(_url(film), {"at": 0}, format="json").status_code == 409
    assert (_chosen(film), _asked()) == (None, 0)


def test_whoever_may_edit_chooses_and_nobody_else(
    owner: Any, stranger: Any, film: MediaFile, browser_of: Callable[[Any], Client]
) -> None:
    client = browser_of(stranger)

    def ask() -> tuple[int, int]:
        api = client.post(_url(film), {"at": 1}, content_type="application/json")
        return api.status_code, client.post(_page(film), {"at": "1"}).status_code

    assert browser_of(None).post(_url(film)).status_code == 401
    assert ask() == (403, 403)  # it is public
    assert "Use this moment" not in client.get(film.get_absolute_url()).content.decode()
    services.grant_access(user=owner, media=film, to=stranger, permission="view")
    assert ask() == (403, 403)
    wrong = client.post(_url(film), {"at": "soon"}, content_type="application/json")
    assert wrong.status_code == 403  # before what was sent is read
    MediaFile.objects.filter(pk=film.pk).update(visibility="private")
    services.revoke_access(user=owner, grant=film.grants.get())
    assert ask() == (404, 404)
    assert (_chosen(film), _asked()) == (None, 0)
    services.grant_access(user=owner, media=film, to=stranger, permission="edit")
    assert ask() == (202, 302)
    assert _chosen(film) == 1


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_the_page_learns_when_the_new_poster_is_there(
    owner: Any, film: MediaFile, browser_of: Callable[[Any], Client], ends: str
) -> None:
    client = browser_of(owner)
    asked = f"/library/{film.pk}/status/?part=poster"
    assert asked not in client.get(film.get_absolute_url()).content.decode()
    client.post(_page(film), {"at": "1.5"})
    assert asked in client.get(film.get_absolute_url()).content.decode()
    assert asked not in Client().get(film.get_absolute_url()).content.decode()
    assert client.get(asked).status_code == 204
    Job.objects.filter(media=film, kind="render").update(state=ends)
    told = client.get(asked).content.decode()
    assert asked not in told
    if ends == "done":
        assert "data-finished" in told  # the script then takes the preview anew
        assert "Show the new poster" in told
    else:
        assert "The poster was not made" in told
    preview = client.get(f"/library/{film.pk}/status/?part=preview").content.decode()
    assert asked not in preview
    assert "data-finished" not in preview


def test_the_page_takes_a_moment_and_says_what_is_none(
    owner: Any, film: MediaFile, browser_of: Callable[[Any], Client], run_jobs: Run
) -> None:
    client = browser_of(owner)
    answer = client.post(f"{_page(film)}?ordering=size", {"at": "1.5"})
    assert answer["Location"] == f"{film.get_absolute_url()}?ordering=size"
    assert _chosen(film) == 1.5
    run_jobs()
    text = client.get(film.get_absolute_url()).content.decode()
    assert 'value="1.5"' in text
    for at in ("99", "soon", "-1", "nan"):
        told = client.post(_page(film), {"at": at}, follow=True).content.decode()
        assert "This moment is not in the film." in told or "is not valid" in told
    assert (_chosen(film), _asked()) == (1.5, 0)
    client.post(_page(film), {"at": ""})
    assert _chosen(film) is None
    assert client.get(_page(film)).status_code == 405
