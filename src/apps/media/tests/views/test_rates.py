"""What costs much is limited: 429 with the time to wait, nothing is begun, reading goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from apps.media.models import Caption, Job, MediaFile, Upload
from apps.media.rates import (
    ImportRate,
    RenderRate,
    ReprocessRate,
    SearchRate,
    UploadRate,
)
from apps.media.tests import samples

HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def two_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    for rate in (ImportRate, RenderRate, ReprocessRate, SearchRate, UploadRate):
        monkeypatch.setattr(rate, "rate", "2/day")


@pytest.fixture
def photo(upload: Callable[..., MediaFile]) -> MediaFile:
    media = upload(samples.photo_jpeg(400, 300), "Photo.jpg", visibility="public")
    Job.objects.all().delete()
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    return media


def _third(ask: Callable[[], Any], *, first: set[int]) -> Any:
    """The answer to the third of three requests, of which two were let in."""
    assert {ask().status_code for _ in range(2)} <= first
    refused = ask()
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 24 * 3600
    assert "no-store" in refused.get("Cache-Control", "no-store")
    return refused


def _file() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.txt", b"A few plain words.\n")


def test_files_by_every_way(api: APIClient, owner: Any, browser_of: Any) -> None:
    """They are counted together: who is refused by one way is refused by all."""
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    refused = _third(lambda: api.post("/api/v1/uploads/tus/", headers=tus), first={201})
    assert refused.json()["code"] == "throttled"
    before = (MediaFile.objects.count(), Upload.objects.count())
    for ask in (
        lambda: api.post("/api/v1/media/", {"file": _file()}),
        lambda: api.post("/api/v1/uploads/direct/", {"filename": "a.txt", "size": 5}),
        lambda: browser_of(owner).post("/library/upload/", {"files": _file()}, headers=HTML),
    ):
        assert ask().status_code == 429
    assert (MediaFile.objects.count(), Upload.objects.count()) == before


def test_new_versions(photo: MediaFile, api: APIClient, browser_of: Any, owner: Any) -> None:
    url = f"/api/v1/media/{photo.pk}/replace/"
    _third(lambda: api.post(url, {"file": _file()}), first={200, 422})
    page = f"/library/{photo.pk}/replace/"
    assert browser_of(owner).post(page, {"file": _file()}, headers=HTML).status_code == 429


def test_captions_by_the_form(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    browser, url = browser_of(owner), f"/library/{photo.pk}/captions/"
    _third(lambda: browser.post(url, {"language": "en"}, headers=HTML), first={422})
    assert not Caption.objects.exists()


def test_imports(api: APIClient) -> None:
    ask = lambda: api.post("/api/v1/uploads/imports/", {"url": "https://example.org/a.jpg"})  # noqa: E731
    _third(ask, first={202})
    assert Upload.objects.count() == 2


def test_processing_again(photo: MediaFile, api: APIClient, browser_of: Any, owner: Any) -> None:
    _third(lambda: api.post(f"/api/v1/media/{photo.pk}/reprocess/"), first={200})
    page = browser_of(owner).post(f"/library/{photo.pk}/reprocess/", headers=HTML)
    assert page.status_code == 429
    assert b"<html" in page.content


def test_searching_and_not_looking(photo: MediaFile, owner: Any, browser_of: Any) -> None:
    client = Client()
    _third(lambda: client.get("/api/v1/media/", {"q": "photo"}), first={200})
    assert client.get("/api/v1/media/").status_code == 200
    assert client.get("/api/v1/media/", {"media_type": "image"}).status_code == 200
    mine = browser_of(owner)
    _third(lambda: mine.get("/library/", {"q": "photo"}), first={200})
    assert mine.get("/library/").status_code == 200


def test_renditions_that_are_made_and_not_those_that_are_there(
    photo: MediaFile, add_rendition: Any
) -> None:
    recipes = ["w320.avif", "w320.webp", "w640.jpg"]
    names, client = iter(recipes), Client()
    add_rendition(photo, "thumb.webp", samples.photo_webp(40, 40), mime_type="image/webp")
    refused = _third(lambda: client.get(f"/media/{photo.pk}/r/{next(names)}"), first={202})
    assert refused.json()["code"] == "throttled"
    assert Job.objects.filter(kind="render", subject__in=recipes).count() == 2
    assert client.get(f"/media/{photo.pk}/original").status_code == 200
    MediaFile.objects.update(status="processing")  # nothing is asked of it meanwhile
    assert client.get(f"/media/{photo.pk}/r/thumb.webp").status_code == 200
    assert client.get(f"/media/{photo.pk}/r/{recipes[0]}").status_code == 202
