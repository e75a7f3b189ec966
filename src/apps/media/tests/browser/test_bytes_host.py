"""Pages on one host, bytes on another: Chromium shows pictures and plays films over the border."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, Request
from pytest_django.live_server_helper import LiveServer

from apps.media.models import MediaFile
from apps.media.tests import recordings, samples
from launch.readiness import free_port


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def pages(port: int) -> str:
    return f"http://localhost:{port}"


@pytest.fixture
def files(port: int, live_server: Any, settings: Any, pages: str) -> Iterator[str]:
    """The origin of the bytes; the server of both runs meanwhile."""
    origin = f"http://127.0.0.1:{port}"
    directives = django_settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    allowed = {
        name: [*directives[name], origin] for name in ("img-src", "media-src", "connect-src")
    }
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**directives, **allowed}}
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
    settings.BYTES_ORIGIN = origin
    settings.MEDIA_APP = {**settings.MEDIA_APP, "BYTES_ORIGIN": origin}
    settings.CORS_ALLOWED_ORIGINS = [pages]
    settings.CORS_URLS_REGEX = r"^/media/"
    server = LiveServer(f"127.0.0.1:{port}")
    yield origin
    server.stop()


@pytest.fixture
def make(
    upload: Callable[..., MediaFile], run_jobs: Callable[[], int]
) -> Callable[[bytes, str], MediaFile]:
    def publish(data: bytes, name: str) -> MediaFile:
        media = upload(data, name, visibility="public")
        run_jobs()
        return MediaFile.objects.get(pk=media.pk, status="ready")

    return publish


@pytest.fixture
def asked(page: Page, stranger: Any, browser_of: Any, pages: str) -> Iterator[list[Request]]:
    """What the browser of somebody signed in asks for; what it finds wrong fails the test."""
    name = django_settings.SESSION_COOKIE_NAME
    value = browser_of(stranger).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": pages}])
    found: list[Request] = []
    wrong: list[str] = []

    def watch(request: Request) -> None:
        found.append(request)

    page.on("request", watch)
    page.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
    yield found
    assert wrong == []


def _of_bytes(asked: list[Request]) -> list[Request]:
    return [one for one in asked if "/media/" in one.url and "/static/" not in one.url]


def _assert_apart(asked: list[Request], files: str) -> None:
    bytes_asked = _of_bytes(asked)
    assert bytes_asked
    assert {one.url.startswith(f"{files}/media/") for one in bytes_asked} == {True}
    assert not [one.url for one in bytes_asked if "cookie" in one.all_headers()]


def test_a_picture(page: Page, files: str, pages: str, make: Any, asked: list[Request]) -> None:
    photo = make(samples.photo_jpeg(640, 480), "photo.jpg")
    page.goto(f"{pages}/library/{photo.pk}/")
    page.wait_for_function(
        "() => [...document.images].some((it) => it.currentSrc.includes('/r/') && it.naturalWidth)"
    )
    _assert_apart(asked, files)
    assert page.request.get(f"{files}/library/{photo.pk}/").status == 404


def test_a_film(page: Page, files: str, pages: str, make: Any, asked: list[Request]) -> None:
    film = make(recordings.film(size=(320, 240), rate="15", seconds=6), "walk.mp4")
    page.goto(f"{pages}/library/{film.pk}/")
    page.get_by_role("button", name="Play walk.mp4").click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.4")
    _assert_apart(asked, files)
    assert [one for one in _of_bytes(asked) if "/hls/" in one.url]
