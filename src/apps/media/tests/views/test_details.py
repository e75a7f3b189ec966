"""What the API tells of one file beyond a list, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.media.models import MediaFile, MediaVersion, Rendition
from apps.media.tests import samples

URL = "/api/v1/media/"
FACTS = {
    "camera": "Camera 3000",
    "taken_at": "2024-05-06T07:08:09",
    "has_position": 1,
    "artist": "Olga",
    "pages": 0,
    "frames": 1,
    "video": {"codec": "h264", "frame_rate": "25/1"},
    "audio": None,
    "chapters": [{"start": 0.0, "end": 2.5, "title": "Beginning"}],
}


class TestFacts:
    @pytest.fixture
    def known(self, film: MediaFile) -> MediaFile:
        MediaVersion.objects.update(metadata=FACTS)
        MediaFile.objects.update(visibility="public")
        return film

    def test_owners_read_everything(self, api: APIClient, known: MediaFile) -> None:
        body = api.get(f"{URL}{known.pk}/").json()
        hidden = {"chapters", "audio"}
        assert body["facts"] == {name: FACTS[name] for name in FACTS.keys() - hidden}
        assert body["chapters"] == FACTS["chapters"]

    @pytest.mark.parametrize("who", ["anonymous", "stranger"])
    def test_others_read_what_playing_needs(
        self, who: str, known: MediaFile, stranger: Any, browser_of: Any
    ) -> None:
        client = browser_of(stranger if who == "stranger" else None)
        answer = client.get(f"{URL}{known.pk}/")
        assert answer.json()["facts"] == {"pages": 0, "frames": 1, "video": FACTS["video"]}
        assert b"Camera" not in answer.content
        assert b"2024-05-06" not in answer.content

    def test_lists_tell_none(self, known: MediaFile) -> None:
        (row,) = Client().get(URL).json()["results"]
        assert not {"facts", "chapters", "captions"} & set(row)


class TestAddresses:
    @pytest.mark.parametrize("name", ["poster.jpg", "cover.jpg"])
    def test_poster(
        self, name: str, film: MediaFile, api: APIClient, add_rendition: Callable[..., Rendition]
    ) -> None:
        assert api.get(f"{URL}{film.pk}/").json()["urls"]["poster"] is None
        add_rendition(film, name, mime_type="image/jpeg")
        (row,) = api.get(URL).json()["results"]
        assert f"/media/{film.pk}/r/{name}?v=" in row["urls"]["poster"]

    def test_tracks_are_no_renditions_of_their_own(
        self,
        film: MediaFile,
        api: APIClient,
        add_rendition: Callable[..., Rendition],
        add_track: Callable[..., Rendition],
    ) -> None:
        add_track(film, "240p", height=240)
        add_track(film, "sound")
        add_rendition(film, "part/low.0000/240p.mp4", mime_type="video/mp4")
        add_rendition(film, "video.mp4", mime_type="video/mp4")
        add_rendition(film, "clean", mime_type="video/mp4")
        for body in (api.get(f"{URL}{film.pk}/").json(), api.get(URL).json()["results"][0]):
            assert [one["name"] for one in body["renditions"]] == ["video.mp4"]
            assert body["urls"]["hls"].endswith(f"/media/{film.pk}/hls/master.m3u8")


class TestSimilar:
    LIKENESS = "00000000000000ff"

    @pytest.fixture
    def add(self, upload: Callable[..., MediaFile]) -> Callable[..., MediaFile]:
        def add_one(likeness: str, **fields: Any) -> MediaFile:
            media = upload(samples.photo_jpeg(16, 16), f"{likeness or 'none'}.jpg", **fields)
            MediaFile.objects.filter(pk=media.pk).update(
                likeness=likeness, status="ready", usable=True
            )
            return media

        return add_one

    def _names(self, client: Any, media: MediaFile) -> list[str]:
        answer = client.get(f"{URL}{media.pk}/similar/")
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["next"], body["previous"]) == (None, None)
        return [row["original_name"].removesuffix(".jpg") for row in body["results"]]

    def test_nearest_first_within_ten_bits(self, api: APIClient, add: Any) -> None:
        media = add(self.LIKENESS)
        near = ["80000000000000ff", "00000000000000fe", "ffc00000000000ff", "00000000000000ff"]
        for likeness in (*near, "ffe00000000000ff", ""):
            add(likeness)
        names = self._names(api, media)
        assert names[0] == "00000000000000ff"
        assert set(names[1:3]) == {"80000000000000ff", "00000000000000fe"}
        assert names[3:] == ["ffc00000000000ff"]

    def test_only_among_what_lists_show(
        self, api: APIClient, add: Any, stranger: Any, browser_of: Any
    ) -> None:
        media = add(self.LIKENESS, visibility="public")
        add("00000000000000f0", user=stranger)
        add("00000000000000f1", user=stranger, visibility="unlisted")
        add("00000000000000f3", user=stranger, visibility="public")
        trashed = add("00000000000000f7")
        MediaFile.objects.filter(pk=trashed.pk).update(deleted_at="2026-01-01T00:00:00Z")
        assert self._names(api, media) == ["00000000000000f3"]
        assert len(self._names(browser_of(stranger), media)) == 3
        assert self._names(Client(), media) == ["00000000000000f3"]

    def test_what_has_no_likeness_has_no_likes(self, api: APIClient, add: Any) -> None:
        add("")
        assert self._names(api, add("")) == []

    def test_costs_the_same_for_many(
        self, api: APIClient, add: Any, django_assert_num_queries: Any
    ) -> None:
        media = add(self.LIKENESS)
        for _ in range(3):
            add(self.LIKENESS)
        api.get(f"{URL}{media.pk}/")  # permissions are read once
        with django_assert_num_queries(
            6
        ):  # media, likenesses of own and others, rows, tags, renditions
            assert len(self._names(api, media)) == 3


class TestCameraWords:
    """Facts of the camera find an owner's own files, and nobody else's."""

    @pytest.fixture
    def photos(self, upload: Callable[..., MediaFile], stranger: Any) -> None:
        for user, name in ((None, "mine.jpg"), (stranger, "theirs.jpg")):
            fields = {"user": user} if user else {}
            upload(samples.photo_jpeg(16, 16), name, visibility="public", **fields)
        MediaFile.objects.update(owner_text="camera 3000 2024-05-06", status="ready", usable=True)

    def _found(self, client: Any, words: str) -> list[str]:
        rows = client.get(URL, {"q": words}).json()["results"]
        return [row["original_name"] for row in rows]

    def test_own_files_are_found(self, api: APIClient, photos: None) -> None:
        assert self._found(api, "Camera 3000") == ["mine.jpg"]
        assert self._found(api, "camera mine") == ["mine.jpg"]
        assert self._found(api, "camera theirs") == []
        assert self._found(api, "jpg") == ["theirs.jpg", "mine.jpg"]

    def test_others_are_not(self, photos: None, staff: Any, browser_of: Any) -> None:
        for client in (Client(), browser_of(staff)):
            assert self._found(client, "camera") == []
            assert self._found(client, "2024-05-06") == []
            assert len(self._found(client, "jpg")) == 2
