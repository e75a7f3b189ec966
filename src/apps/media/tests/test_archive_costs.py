"""What an archive costs is limited: by a rate, by the places for downloads, by the pace, and by
reading nothing twice only for its checksum."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from knox.models import AuthToken

from apps.core.storage import ObjectStore
from apps.media import services
from apps.media.models import MediaFile, MediaVersion, Rendition
from apps.media.rates import ArchiveRate
from apps.media.tests import samples
from apps.media.tests.views.test_limits import _leave
from apps.media.views import limits
from apps.media.views.archives import selection_url

LAST_BYTE = {"Range": "bytes=-1"}


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Callable[[], int]) -> MediaFile:
    """A public picture, which others get as a copy without the place."""
    media = upload(samples.geotagged_jpeg(), "a.jpg", visibility="public")
    run_jobs()
    return media


@pytest.fixture
def urls(owner: Any, media: MediaFile) -> tuple[str, str]:
    """The archives of a selection and of a collection."""
    shelf = services.create_collection(user=owner, title="Holiday", visibility="public")
    services.add_items(user=owner, collection=shelf, media_ids=[media.pk])
    return selection_url([media.pk]), f"/collections/{shelf.pk}/zip"


@pytest.fixture
def read(own_storage: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the storage was asked for, each time."""
    asked: list[int] = []
    original = type(own_storage).read_range

    def read_range(self: Any, key: str, start: int, length: int, **how: Any) -> Any:
        asked.append(length)
        return original(self, key, start, length, **how)

    monkeypatch.setattr(type(own_storage), "read_range", read_range)
    return asked


class TestLimits:
    def test_each_part_takes_a_place(self, urls: tuple[str, str], settings: Any) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "DOWNLOADS": {"anonymous": 1}}
        for url in urls:
            held = Client().get(url)
            refused = Client().get(url, headers=LAST_BYTE)
            assert (held.status_code, refused.status_code) == (200, 429)
            assert refused.json()["code"] == "too_many_downloads"
            _leave(held)
            assert b"".join(Client().get(url, headers=LAST_BYTE)) == b"\0"

    def test_leaves_at_the_pace(
        self, urls: tuple[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        paces: list[int | None] = []
        monkeypatch.setattr(limits, "meter", lambda response, *, rate, slot: paces.append(rate))
        settings.MEDIA_APP = {**settings.MEDIA_APP, "BANDWIDTH": {"anonymous": 5_000}}
        for url in urls:
            _leave(Client().get(url))
        assert paces == [5_000, 5_000]

    def test_only_so_many_in_a_time(
        self, urls: tuple[str, str], owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Counted together, whichever archive it is; of a program, by the user of its token."""
        monkeypatch.setattr(ArchiveRate, "rate", "2/day")
        for url in urls:
            _leave(Client().get(url))
        refused = Client().get(urls[0], headers=LAST_BYTE)
        assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
        assert int(refused["Retry-After"]) > 0
        _, token = AuthToken.objects.create(owner)
        program = Client(headers={"Authorization": f"Token {token}"})
        assert [program.head(urls[1]).status_code for _ in range(3)] == [200, 200, 429]


class TestChecksums:
    def test_of_copies_are_found_once(self, urls: tuple[str, str], read: list[int]) -> None:
        first = b"".join(Client().get(urls[0], headers=LAST_BYTE))
        assert sum(read) > 0
        read.clear()
        assert b"".join(Client().get(urls[0], headers=LAST_BYTE)) == first
        assert sum(read) == 0
        assert not MediaVersion.objects.exclude(crc32=None).exists()  # those are other bytes

    def test_of_copies_are_those_of_their_bytes(self, urls: tuple[str, str]) -> None:
        b"".join(Client().get(urls[0], headers=LAST_BYTE))
        with zipfile.ZipFile(io.BytesIO(b"".join(Client().get(urls[0])))) as found:
            assert found.testzip() is None

    def test_of_a_copy_that_was_made_anew_are_found_anew(
        self, urls: tuple[str, str], media: MediaFile, own_storage: ObjectStore
    ) -> None:
        b"".join(Client().get(urls[0], headers=LAST_BYTE))
        copy = Rendition.objects.get(media=media, name="clean")
        with own_storage.writer(f"{copy.key}.new") as writer:
            writer.write(b"Other bytes.")
        Rendition.objects.filter(pk=copy.pk).update(key=f"{copy.key}.new", size=12)
        with zipfile.ZipFile(io.BytesIO(b"".join(Client().get(urls[0])))) as found:
            assert found.testzip() is None
            assert found.read("00001 a.jpg") == b"Other bytes."
