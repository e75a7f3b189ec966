"""Public bytes by way of a CDN: which addresses lead there, what it may keep, and when it is told
to forget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from rest_framework.test import APIClient

from apps.media import services, signals
from apps.media.conf import options
from apps.media.exceptions import MalwareFoundError
from apps.media.models import MediaFile, MediaVersion
from apps.media.services import publication
from apps.media.tests import samples

CDN = "https://cdn.example.org"


@pytest.fixture(autouse=True)
def cdn(settings: Any) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "CDN_URL": f"{CDN}/"}


@pytest.fixture
def told() -> Iterator[list[str]]:
    """The prefixes that were to be purged."""
    heard: list[str] = []

    def listen(prefix: str, **_: Any) -> None:
        heard.append(prefix)

    signals.media_withdrawn.connect(listen)
    yield heard
    signals.media_withdrawn.disconnect(listen)


@pytest.fixture
def photo(upload: Callable[..., MediaFile], add_rendition: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48), "a.jpg", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True, published_version=1)
    add_rendition(media, "thumb.webp", b"small", mime_type="image/webp", width=400)
    add_rendition(media, "preview.html", b"<p>words", mime_type="text/html")
    media.refresh_from_db()
    return media


def shown(media: MediaFile, client: Any) -> Any:
    return client.get(f"/api/v1/media/{media.pk}/").json()


def addresses(body: Any) -> dict[str, str]:
    return {row["name"]: row["url"] for row in body["renditions"]}


def test_public_renditions_are_there(photo: MediaFile, api: APIClient) -> None:
    for client in (api, Client()):
        body = shown(photo, client)
        thumb = addresses(body)["thumb.webp"]
        assert thumb.startswith(f"{CDN}/media/{photo.pk}/r/thumb.webp?v=")
        assert body["urls"]["thumbnail"] == thumb
        for name in ("self", "page", "original", "download"):
            assert body["urls"][name].startswith("http://testserver/")
        assert addresses(body)["preview.html"].startswith("http://testserver/")


def test_streams_are_there(
    film: MediaFile, add_track: Any, add_rendition: Any, api: APIClient
) -> None:
    add_track(film, "240p", height=240)
    add_track(film, "sound")
    assert shown(film, api)["urls"]["hls"].startswith("http://testserver/")
    MediaFile.objects.update(visibility="public")
    hls = shown(film, api)["urls"]["hls"]
    assert hls == f"{CDN}/media/{film.pk}/hls/master.m3u8"
    add_rendition(film, "storyboard.vtt", b"WEBVTT", mime_type="text/vtt")
    assert addresses(shown(film, api))["storyboard.vtt"].startswith(CDN)
    answer = Client().get(hls.removeprefix(CDN))
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_cdn_that_asks_for_signatures(
    photo: MediaFile,
    film: MediaFile,
    add_track: Any,
    add_rendition: Any,
    api: APIClient,
    settings: Any,
) -> None:
    key = {"CDN_KEY_ID": "name", "CDN_KEY": "AAAAAAAAAAAAAAAAAAAAAA=="}
    settings.MEDIA_APP = {**settings.MEDIA_APP, "CDN_URL": f"google+{CDN}", **key}
    url = addresses(shown(photo, api))["thumb.webp"]
    assert url.startswith(f"{CDN}/media/{photo.pk}/r/thumb.webp?v=")
    assert "&KeyName=name&Signature=" in url
    answer = Client().get(url.removeprefix(CDN))  # should it pass on what it has checked
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    add_track(film, "240p", height=240)
    add_track(film, "sound")
    add_rendition(film, "storyboard.vtt", b"WEBVTT", mime_type="text/vtt")
    add_rendition(film, "storyboard.jpg", b"sheet", mime_type="image/jpeg")
    MediaFile.objects.update(visibility="public")
    body = shown(film, api)
    # What these name has no signature of its own.
    assert body["urls"]["hls"].startswith("http://testserver/")
    assert addresses(body)["storyboard.vtt"].startswith("http://testserver/")
    assert addresses(body)["storyboard.jpg"].startswith(CDN)


@pytest.mark.parametrize(
    "change",
    [
        {"visibility": "private"},
        {"visibility": "unlisted"},
        {"usable": False},
        {"deleted_at": "2026-01-01T00:00:00Z"},
        {"published_version": 7},
    ],
)
def test_nothing_else_is(photo: MediaFile, api: APIClient, change: dict[str, Any]) -> None:
    MediaFile.objects.update(**change)
    assert CDN not in api.get(f"/api/v1/media/{photo.pk}/").content.decode()
    page = api.get(f"/library/{photo.pk}/")
    assert CDN not in page.content.decode()


def test_what_a_cdn_may_keep(photo: MediaFile, api: APIClient, owner: Any) -> None:
    path = addresses(shown(photo, api))["thumb.webp"].removeprefix(CDN)
    answer = Client().get(path, headers={"Origin": "https://media.example.org"})
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer
    assert "Origin" not in answer.get("Vary", "")
    signed = Client().get(services.create_signed_url(user=owner, media=photo))
    MediaFile.objects.update(visibility="private")
    own = Client()
    own.force_login(owner)
    for private in (signed, own.get(path)):
        assert private["Cache-Control"].startswith("private")
        assert private["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in private


def test_without_a_cdn_other_sites_may_show_and_not_read_it(
    photo: MediaFile, api: APIClient, settings: Any
) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "CDN_URL": ""}
    url = addresses(shown(photo, api))["thumb.webp"]
    assert url.startswith("http://testserver/")
    answer = Client().get(url.removeprefix("http://testserver"))
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize(
    "url", ["cdn.example.org", "ftp://a", "https://", "https://u:p@a", "https://a?x=1", "//a"]
)
def test_only_plain_addresses(settings: Any, url: str) -> None:
    settings.MEDIA_APP = {"CDN_URL": url}
    with pytest.raises(ImproperlyConfigured):
        options()


class TestWithdrawn:
    WAYS: dict[str, Callable[[MediaFile], object]] = {
        "hidden": lambda media: services.update_media(
            user=media.owner, media=media, visibility="private"
        ),
        "unlisted": lambda media: services.update_media(
            user=media.owner, media=media, visibility="unlisted"
        ),
        "trashed": lambda media: services.delete_media(user=media.owner, media=media),
        "deleted": lambda media: services.delete_media(
            user=media.owner, media=media, permanent=True
        ),
        "gone with its owner": lambda media: media.owner.delete(),
        "malware": lambda media: publication.quarantine(media, media.current, MalwareFoundError()),
    }

    @pytest.mark.parametrize("way", WAYS)
    def test_a_purge_is_asked_for_after_commit(
        self,
        photo: MediaFile,
        told: list[str],
        way: str,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        prefix = f"{CDN}/media/{photo.pk}/"
        with django_capture_on_commit_callbacks(execute=True):
            self.WAYS[way](photo)
            assert told == []
        assert told == [prefix]

    def test_once_and_only_for_what_was_public(
        self, photo: MediaFile, told: list[str], owner: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            services.update_media(user=owner, media=photo, title="Still public")
            services.update_media(user=owner, media=photo, visibility="public")
        assert told == []
        MediaFile.objects.update(visibility="private")
        with django_capture_on_commit_callbacks(execute=True):
            services.update_media(user=owner, media=photo, visibility="unlisted")
            services.delete_media(user=owner, media=photo, permanent=True)
        assert told == []

    def test_a_new_version_needs_none(self, photo: MediaFile, told: list[str]) -> None:
        MediaVersion.objects.create(
            media=photo, number=2, storage="media", key="a/b", size=1, mime_type="image/jpeg"
        )
        before = shown(photo, Client())["renditions"]
        MediaFile.objects.update(version=2, published_version=2)
        assert before
        assert shown(photo, Client())["renditions"] == []
        assert told == []
