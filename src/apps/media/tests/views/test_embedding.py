"""Open Graph and oEmbed: previews on other sites, of what everybody may see."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import samples

URL = "/oembed/"
HERE = "http://testserver"


@pytest.fixture
def photo(upload: Callable[..., MediaFile], run_jobs: Callable[[], int]) -> MediaFile:
    media = upload(
        samples.photo_jpeg(1400, 900),
        "sea.jpg",
        title="The sea",
        caption="At <noon>",
        alt_text="waves",
        visibility="public",
    )
    run_jobs()
    media.refresh_from_db()
    return media


def ask(client: Client, media: MediaFile, **more: Any) -> Any:
    return client.get(URL, {"url": f"{HERE}{media.get_absolute_url()}", **more})


def properties(page: bytes) -> dict[str, str]:
    return dict(re.findall(r'property="(og:[a-z:]+)" content="([^"]*)"', page.decode()))


class TestOEmbed:
    def test_a_photo(self, client: Client, photo: MediaFile) -> None:
        answer = ask(client, photo)
        body = answer.json()
        assert (body["version"], body["type"], body["title"]) == ("1.0", "photo", "The sea")
        assert body["url"].startswith(f"{HERE}/media/{photo.pk}/r/w")
        assert client.get(body["url"]).status_code == 200
        assert answer["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize("limit", [{"maxwidth": 700}, {"maxheight": 500}])
    def test_no_larger_than_asked(
        self, client: Client, photo: MediaFile, limit: dict[str, int]
    ) -> None:
        body = ask(client, photo, **limit).json()
        assert body["width"] <= limit.get("maxwidth", 10_000)
        assert body["height"] <= limit.get("maxheight", 10_000)

    def test_where_no_picture_is_small_enough(self, client: Client, photo: MediaFile) -> None:
        assert ask(client, photo, maxwidth=1).json()["type"] == "link"

    def test_a_size_that_is_no_size_of_a_picture_limits_nothing(
        self, client: Client, photo: MediaFile
    ) -> None:
        for digits in ("9" * 400, "9" * 5000, "0", "²"):
            assert ask(client, photo, maxwidth=digits, maxheight=digits).json()["type"] == "photo"

    def test_a_film(
        self, client: Client, upload: Callable[..., MediaFile], add_rendition: Any
    ) -> None:
        media = upload(b"words", "film.txt", visibility="public")
        MediaFile.objects.filter(pk=media.pk).update(
            usable=True, status="ready", published_version=1, media_type="video"
        )
        add_rendition(media, "video.mp4", mime_type="video/mp4", width=1280, height=720)
        assert ask(client, media, maxwidth="9" * 400).json()["width"] == 1280
        body = ask(client, media, maxwidth=640).json()
        assert (body["type"], body["width"], body["height"]) == ("video", 640, 360)
        assert f"{HERE}/media/{media.pk}/r/video.mp4" in body["html"]

    def test_words_in_another_format(self, client: Client, photo: MediaFile) -> None:
        assert ask(client, photo, format="xml").status_code == 501

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "http://[",
            f"{HERE}/library/",
            "http://elsewhere.example/library/01a22170-b7e4-7301-bf35-5a6d763844b0/",
            f"{HERE}/library/01a22170-b7e4-7301-bf35-5a6d763844b0/",
        ],
    )
    def test_what_is_no_page_of_a_file(self, db: None, client: Client, url: str) -> None:
        assert client.get(URL, {"url": url}).status_code == 404

    def test_the_asker_does_not_matter(
        self, photo: MediaFile, owner: Any, browser_of: Callable[[Any], Client]
    ) -> None:
        services.update_media(user=owner, media=photo, visibility="private")
        assert ask(browser_of(owner), photo).status_code == 404


class TestOpenGraph:
    def test_a_public_photo(self, client: Client, photo: MediaFile) -> None:
        page = client.get(photo.get_absolute_url()).content
        found = properties(page)
        assert found["og:title"] == "The sea"
        assert found["og:description"] == "At &lt;noon&gt;"
        assert found["og:image:alt"] == "waves"
        assert client.get(found["og:image"].replace("&amp;", "&")).status_code == 200
        (oembed,) = re.findall(rb'type="application/json\+oembed"\s+href="([^"]+)"', page)
        assert client.get(oembed.decode().replace("&amp;", "&")).json()["title"] == "The sea"
        assert b"noindex" not in page

    def test_an_unlisted_one_is_not_for_search_engines(
        self, client: Client, photo: MediaFile, owner: Any
    ) -> None:
        services.update_media(user=owner, media=photo, visibility="unlisted")
        page = client.get(photo.get_absolute_url()).content
        assert properties(page)
        assert b'name="robots" content="noindex"' in page

    def test_a_private_one_says_nothing(
        self, photo: MediaFile, owner: Any, browser_of: Callable[[Any], Client]
    ) -> None:
        services.update_media(user=owner, media=photo, visibility="private")
        assert not properties(browser_of(owner).get(photo.get_absolute_url()).content)
