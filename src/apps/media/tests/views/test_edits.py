"""Pictures turned and cut over HTTP and on the page of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.media.models import Job, MediaFile, Quota
from apps.media.tests import samples

Make = Callable[..., MediaFile]


@pytest.fixture
def photo(upload: Make, run_jobs: Callable[[], int]) -> MediaFile:
    media = upload(samples.photo_jpeg(320, 240), "a.jpg")
    run_jobs()
    return media


def _url(media: MediaFile) -> str:
    return f"/api/v1/media/{media.pk}/edits/"


def test_an_edit_is_taken_and_told_among_the_versions(
    api: APIClient, photo: MediaFile, run_jobs: Callable[[], int]
) -> None:
    asked = {"rotate": 90, "crop": {"left": 0, "top": 0, "width": 0.5, "height": 0.5}, "version": 1}
    answer = api.post(_url(photo), asked, format="json")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    run_jobs()
    media = api.get(f"/api/v1/media/{photo.pk}/").json()
    assert (media["version"], media["width"], media["height"]) == (2, 120, 160)
    new, old = api.get(f"/api/v1/media/{photo.pk}/versions/").json()["results"]
    assert new["edit"] == {"of": 1, "rotate": 90, "crop": asked["crop"], "lossless": False}
    assert old["edit"] is None


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"rotate": 45}, 400, "invalid"),
        ({"crop": {"left": 0.8, "top": 0, "width": 0.5, "height": 1}}, 400, "invalid"),
        ({"rotate": 90, "version": 2}, 409, "version_changed"),
    ],
)
def test_refusals_have_stable_codes(
    api: APIClient, photo: MediaFile, asked: Any, status: int, code: str
) -> None:
    answer = api.post(_url(photo), asked, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Job.objects.filter(kind="edit").exists()


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (samples.animated_gif, "a.gif", "animated_picture"),
        (samples.pdf, "a.pdf", "not_editable"),
    ],
)
def test_what_cannot_be_edited_is_said(
    api: APIClient, upload: Make, run_jobs: Any, data: Any, name: str, code: str
) -> None:
    media = upload(data(), name)
    run_jobs()
    answer = api.post(_url(media), {"rotate": 90}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_page_turns_a_picture(
    owner: Any, browser_of: Callable[[Any], Client], photo: MediaFile, run_jobs: Any
) -> None:
    client = browser_of(owner)
    page = f"/library/{photo.pk}/"
    assert "Turn left" in client.get(page).content.decode()
    sent = {"rotate": "270", "version": "1", "crop": ""}
    answer = client.post(f"{page}turn/?ordering=size", sent)
    assert answer["Location"] == f"{page}?ordering=size"
    run_jobs()
    text = client.get(page).content.decode()
    assert "edited from version 1, without loss" in text
    again = client.post(f"{page}turn/", sent, follow=True).content.decode()
    assert "has been replaced meanwhile" in again
    assert (
        "is not valid" in client.post(f"{page}turn/", {"rotate": "x"}, follow=True).content.decode()
    )


def test_an_edit_that_was_not_made_is_told_as_that_and_to_editors_alone(
    owner: Any, stranger: Any, browser_of: Callable[[Any], Client], photo: MediaFile, run_jobs: Any
) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility="public")
    client = browser_of(owner)
    page = f"/library/{photo.pk}/"
    client.post(f"{page}turn/", {"rotate": "90", "version": "1"})
    Quota.objects.filter(owner=owner).update(bytes_limit=photo.size + 10)
    run_jobs()
    text = client.get(page).content.decode()
    assert "The edit was not made" in text
    assert not [words for words in ("Processing it again", "Try again") if words in text]
    assert "The edit was not made" not in browser_of(stranger).get(page).content.decode()
    Quota.objects.filter(owner=owner).update(bytes_limit=None)
    client.post(f"{page}turn/", {"rotate": "90", "version": "1"})
    run_jobs()
    assert "The edit was not made" not in client.get(page).content.decode()


def test_the_page_keeps_the_point_that_was_chosen(
    owner: Any, browser_of: Callable[[Any], Client], photo: MediaFile
) -> None:
    client = browser_of(owner)
    page = f"/library/{photo.pk}/"
    client.post(f"{page}edit/", {"focal_across": "25", "focal_down": "80.5"})
    photo.refresh_from_db()
    assert (photo.focal_x, photo.focal_y) == (0.25, 0.805)
    text = client.get(page).content.decode()
    assert 'd="M25 0V100M0 80.5H100"' in text
    wrong = client.post(f"{page}edit/", {"focal_across": "125", "focal_down": "80"})
    assert wrong.status_code == 422
    client.post(f"{page}edit/", {"title": "Only that"})
    photo.refresh_from_db()
    assert (photo.focal_x, photo.title) == (0.25, "Only that")
