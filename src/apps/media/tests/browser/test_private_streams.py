"""A private film in Chromium, through the app and through nginx: by a token in the address, and by
a right of the visitor; and what happens when the right ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, Route, expect

from apps.media import services
from apps.media.models import Grant, MediaFile
from apps.media.tests import recordings
from apps.media.tests.flows.nginx import running_nginx
from apps.media.views import rights
from launch.nginx import nginx_program

# What a player asks for: a range of a track; of the server, not of what the browser still has.
FETCH = """async ([url, range]) => {
  const answer = await fetch(url, {headers: {Range: range}, cache: "no-store"});
  return [answer.status, (await answer.arrayBuffer()).byteLength];
}"""


@pytest.fixture(params=["app", "nginx"])
def front(
    request: pytest.FixtureRequest, live_server: Any, tmp_path: Path, settings: Any
) -> Iterator[str]:
    """The address of the site, with or without nginx in front, which then sends the bytes."""
    if request.param == "app":
        yield live_server.url
        return
    if nginx_program() is None:
        pytest.skip("nginx is not installed")
    settings.MEDIA_APP = {**settings.MEDIA_APP, "ACCEL": "nginx"}
    folder = tmp_path / "nginx"
    folder.mkdir()
    application = urlsplit(live_server.url).netloc
    with running_nginx(
        folder, application=application, bodies=folder / "bodies", files=tmp_path / "media"
    ) as address:
        yield address


@pytest.fixture
def film(
    upload: Callable[..., MediaFile], run_jobs: Callable[[], int], live_server: Any
) -> MediaFile:
    """Private, and all is made of it."""
    media = upload(recordings.film(size=(320, 240), rate="15", seconds=8), "walk.mp4")
    run_jobs()
    media.refresh_from_db()
    assert (media.status, media.visibility) == ("ready", "private")
    return media


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    yield
    rights.forget_signed()


def play(page: Page) -> None:
    page.get_by_role("button", name="Play walk.mp4").click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.4")


def test_by_a_token_and_nothing_else(
    page: Page, front: str, film: MediaFile, owner: Any, browser_of: Any
) -> None:
    signed = services.create_signed_url(user=owner, media=film, rendition="hls")
    own = browser_of(owner).get(film.get_absolute_url()).content.decode()
    assert f'data-hls="/media/{film.pk}/hls/master.m3u8"' in own
    shown = own.replace(f"/media/{film.pk}/hls/master.m3u8", signed)
    where = f"{front}/a-page-of-somebody-else/"

    def give(route: Route) -> None:
        route.fulfill(body=shown, content_type="text/html")

    page.route(where, give)
    asked: dict[str, int] = {}
    page.on("response", lambda answer: asked.update({answer.url: answer.status}))
    page.goto(where)
    play(page)
    segments = [url for url in asked if "/hls/" in url and ".mp4" in url]
    assert segments
    assert all(f"{front}/media/s/" in url and asked[url] == 206 for url in segments)
    plain = f"/media/{film.pk}/hls/master.m3u8"
    assert page.evaluate(FETCH, [plain, "bytes=0-"])[0] == 404  # nobody is signed in
    assert page.evaluate(FETCH, [segments[0], "bytes=0-99"]) == [206, 100]

    services.delete_media(user=owner, media=film)
    rights.forget_signed()  # what else takes five seconds
    assert page.evaluate(FETCH, [segments[0], "bytes=100-199"])[0] == 404
    page.reload()
    page.get_by_role("button", name="Play walk.mp4").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be played at the moment")


def test_by_a_grant_until_it_is_revoked(
    page: Page, front: str, film: MediaFile, owner: Any, stranger: Any, browser_of: Any
) -> None:
    grant = Grant.objects.create(media=film, user=stranger, granted_by=owner)
    name = django_settings.SESSION_COOKIE_NAME
    value = browser_of(stranger).cookies[name].value
    page.context.add_cookies([{"name": name, "value": value, "url": front}])
    asked: dict[str, int] = {}
    page.on("response", lambda answer: asked.update({answer.url: answer.status}))
    page.goto(f"{front}{film.get_absolute_url()}")
    play(page)
    segments = [url for url in asked if "/hls/" in url and ".mp4" in url]
    assert segments
    assert all(asked[url] == 206 for url in segments)
    assert page.evaluate(FETCH, [segments[0], "bytes=0-99"]) == [206, 100]
    grant.delete()
    assert page.evaluate(FETCH, [segments[0], "bytes=100-199"])[0] == 404
