"""One file, one address, every way that its bytes can go: the same answers, by the same table.

The application runs in this process, behind the configuration of nginx that is shipped, or in front
of an S3 server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.storage import ObjectStore, object_store
from apps.core.tests.storages import S3Server, fresh_bucket, s3_server  # noqa: F401
from apps.media import services
from apps.media.links import fingerprint_of
from apps.media.models import MediaFile, Rendition
from apps.media.tests import samples
from apps.media.tests.conditions import on_disk
from apps.media.tests.flows.nginx import running_cache, running_nginx
from apps.media.tests.views.asking import (
    Answer,
    Ask,
    check_case,
    check_protocol,
    following,
    over_the_wire,
)
from apps.media.tests.views.range_table import TABLE, fill
from apps.media.views import rights
from launch.nginx import nginx_program

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed"),
]

DATA = samples.photo_png(64, 48)
SMALL, LARGE = b"small" * 400, b"large" * 400_000  # the first of which nginx keeps


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    yield
    rights.forget_signed()


@pytest.fixture
def front(live_server: Any, tmp_path: Path, settings: Any) -> Iterator[str]:
    """nginx in front of the application, which leaves the sending to it."""
    settings.MEDIA_APP = {**settings.MEDIA_APP, "ACCEL": "nginx"}
    folder = tmp_path / "nginx"
    folder.mkdir()
    with running_nginx(
        folder,
        application=urlsplit(live_server.url).netloc,
        bodies=folder / "bodies",
        files=tmp_path / "media",
    ) as address:
        yield address


@pytest.fixture
def photo(upload: Callable[..., MediaFile], add_rendition: Any) -> MediaFile:
    """A public photograph that is ready, with a small and a large rendition."""
    media = upload(DATA, "Holiday photo.png", visibility="public")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    media.versions.update(scan="clean")
    add_rendition(media, "thumb.webp", SMALL, mime_type="image/webp")
    add_rendition(media, "video.mp4", LARGE, mime_type="video/mp4")
    media.refresh_from_db()
    return media


def sign(media: MediaFile, rendition: str | None = None, **more: Any) -> str:
    return services.create_signed_url(user=media.owner, media=media, rendition=rendition, **more)


def share(media: MediaFile) -> str:
    link = services.create_share_link(user=media.owner, media=media)
    return f"{link.get_absolute_url()}{media.pk}/original"


class TestNginx:
    @on_disk
    def test_it_is_nginx_that_sends(self, front: str, live_server: Any, photo: MediaFile) -> None:
        address = f"/media/{photo.pk}/original"
        behind = over_the_wire(f"{live_server.url}{address}")("GET", {})
        assert behind.headers["X-Accel-Redirect"] == f"/_stored/whole/media/{photo.current.key}"
        assert behind.body == b""
        answer = over_the_wire(f"{front}{address}")("GET", {})
        assert (answer.status, answer.body) == (200, DATA)
        assert "X-Accel-Redirect" not in answer.headers

    @pytest.mark.parametrize("place", ["original", "signed", "shared", "large", "track"])
    def test_protocol_table(
        self, front: str, photo: MediaFile, film: MediaFile, add_track: Any, place: str
    ) -> None:
        track = add_track(film, "240p", height=240)
        address = {
            "original": f"/media/{photo.pk}/original",
            "signed": sign(photo),
            "shared": share(photo),
            "large": sign(photo, "video.mp4"),
            "track": sign(film, "hls").replace("master.m3u8", "240p.mp4"),
        }[place]
        assert track.size > 0
        ask = over_the_wire(f"{front}{address}")
        for case in TABLE:
            check_case(case, ask)

    def test_the_same_headers_as_of_the_application(
        self, front: str, live_server: Any, photo: MediaFile, settings: Any
    ) -> None:
        addresses = [f"/media/{photo.pk}/original", sign(photo), share(photo)]
        addresses.append(f"/media/{photo.pk}/r/thumb.webp")
        asked: list[dict[str, str]] = [{}, {"Range": "bytes=0-4"}, {"Range": "bytes=0-1,3-4"}]
        through = [
            over_the_wire(f"{front}{address}")("GET", headers)
            for address in addresses
            for headers in asked
        ]
        settings.MEDIA_APP = {**settings.MEDIA_APP, "ACCEL": "self"}
        direct = [
            over_the_wire(f"{live_server.url}{address}")("GET", headers)
            for address in addresses
            for headers in asked
        ]
        for ours, theirs in zip(through, direct, strict=True):
            assert ours.body == theirs.body
            assert _ours(ours) == _ours(theirs)

    @on_disk
    def test_at_the_pace_that_is_allowed(
        self, front: str, live_server: Any, photo: MediaFile, settings: Any
    ) -> None:
        rate = len(LARGE) // 2  # bytes per second, of which nginx sends the first at once
        settings.MEDIA_APP = {**settings.MEDIA_APP, "BANDWIDTH": {"anonymous": rate}}
        address = f"/media/{photo.pk}/r/video.mp4"
        told = over_the_wire(f"{live_server.url}{address}")("GET", {})
        assert told.headers["X-Accel-Limit-Rate"] == str(rate)
        begun = time.monotonic()
        answer = over_the_wire(f"{front}{address}")("GET", {})
        took = time.monotonic() - begun
        assert (answer.status, answer.body) == (200, LARGE)
        assert "X-Accel-Limit-Rate" not in answer.headers
        assert took >= (len(LARGE) / rate - 1) / 2

    def test_an_object_that_is_missing(
        self, front: str, photo: MediaFile, own_storage: ObjectStore
    ) -> None:
        own_storage.remove(photo.current.key)
        answer = over_the_wire(f"{front}/media/{photo.pk}/original?v=1")("GET", {})
        assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store")
        assert b"object_missing" in answer.body

    @pytest.mark.parametrize("way", ["part", "whole", "other"])
    def test_nobody_asks_for_stored_objects(self, front: str, photo: MediaFile, way: str) -> None:
        key = photo.current.key
        for address in (
            f"/_stored/{way}/media/{key}",
            f"/_stored//{way}/media/{key}",
            f"/%5fstored/{way}/media/{key}",
            f"/x/../_stored/{way}/media/{key}",
        ):
            ask = over_the_wire(f"{front}{address}")
            for headers in ({}, {"X-Accel-Redirect": address}, {"X-Accel-Internal": "1"}):
                assert ask("GET", headers).status == 404

    def test_permission_comes_first(self, front: str, photo: MediaFile) -> None:
        MediaFile.objects.update(visibility="private")
        ask = over_the_wire(f"{front}/media/{photo.pk}/original")
        for case in TABLE:
            if case.id == "R-42":
                continue
            headers = fill(case, etag='"x"', modified="garbage", n=len(DATA))
            answer = ask(case.method, headers)
            assert answer.status == 404
            assert not {"ETag", "Content-Range", "Accept-Ranges"} & set(answer.headers)

    def test_replaced_while_somebody_downloads(
        self, front: str, photo: MediaFile, owner: Any
    ) -> None:
        ask = over_the_wire(f"{front}/media/{photo.pk}/original")
        begun = ask("GET", {"Range": "bytes=0-99"})
        assert begun.status == 206
        resume = {"Range": "bytes=100-", "If-Range": begun.headers["ETag"]}
        assert begun.body + ask("GET", resume).body == DATA
        new = samples.photo_png(80, 60)
        other = services.upload_media(user=owner, file=_named(new))
        photo.versions.update(key="gone/before", number=9)
        other.versions.update(media=photo)
        whole = ask("GET", resume)
        assert (whole.status, whole.body) == (200, new)


def _named(data: bytes) -> Any:
    from django.core.files.base import ContentFile

    return ContentFile(data, name="new.png")


def _ours(answer: Answer) -> dict[str, str]:
    """All headers but those of the connection."""
    theirs = {"Server", "Date", "Connection"}
    return {name: value for name, value in answer.headers.items() if name not in theirs}


class TestKept:
    """Small renditions under signed addresses, for seconds."""

    def test_protocol_table_cold_and_warm(self, front: str, photo: MediaFile) -> None:
        ask = over_the_wire(f"{front}{sign(photo, 'thumb.webp')}")
        for case in TABLE:
            check_case(case, ask)
        for case in TABLE:  # now the whole is kept for sure
            if case.method == "GET":
                assert ask("GET", {}).body == SMALL
            check_case(case, ask)

    def test_without_the_application(self, front: str, photo: MediaFile) -> None:
        address = sign(photo, "thumb.webp")
        ask = over_the_wire(f"{front}{address}")
        first = ask("GET", {})
        assert first.headers["Cache-Control"] == "private, max-age=60, must-revalidate"
        assert "X-Accel-Expires" not in first.headers
        with CaptureQueriesContext(connection) as queries:
            for headers in ({}, {"Range": "bytes=1-4"}, {"If-None-Match": first.headers["ETag"]}):
                answer = ask("GET", headers)
                assert answer.status in {200, 206, 304}
        assert not queries

    def test_one_site_gets_nothing_that_was_said_to_another(
        self, front: str, photo: MediaFile, settings: Any
    ) -> None:
        sites = ["https://one.example", "https://two.example"]
        settings.CORS_URLS_REGEX, settings.CORS_ALLOWED_ORIGINS = r"^/media/", sites
        ask = over_the_wire(f"{front}{sign(photo, 'thumb.webp')}")
        for _ in range(2):  # cold and warm
            assert "Access-Control-Allow-Origin" not in ask("GET", {}).headers
            for site in sites:
                answer = ask("GET", {"Origin": site})
                assert answer.headers["Access-Control-Allow-Origin"] == site

    def test_only_for_seconds(self, front: str, photo: MediaFile, owner: Any) -> None:
        ask = over_the_wire(f"{front}{sign(photo, 'thumb.webp')}")
        assert ask("GET", {}).status == 200
        services.delete_media(user=owner, media=photo)
        assert ask("GET", {}).status == 200  # kept
        deadline = time.monotonic() + 30
        while ask("GET", {}).status == 200:
            assert time.monotonic() < deadline
        assert ask("GET", {}).status == 404

    def test_nothing_else_is_kept(self, front: str, photo: MediaFile, tmp_path: Path) -> None:
        for address in (
            sign(photo),
            sign(photo, "video.mp4"),
            f"/media/{photo.pk}/r/thumb.webp",
            f"/media/{photo.pk}/original?v=1",
        ):
            assert over_the_wire(f"{front}{address}")("GET", {}).status == 200
        wrong = sign(photo, "thumb.webp").replace("/s/", "/s/x")
        assert over_the_wire(f"{front}{wrong}")("GET", {}).status == 403
        asked = over_the_wire(f"{front}{sign(photo, 'thumb.webp')}")
        assert asked("GET", {"Range": "bytes=0-4"}).status == 206
        assert not [path for path in (tmp_path / "nginx/cache").rglob("*") if path.is_file()]
        asked("GET", {})
        assert len([p for p in (tmp_path / "nginx/cache").rglob("*") if p.is_file()]) == 1

    def test_one_more_parameter_is_not_one_more_copy(
        self, front: str, photo: MediaFile, tmp_path: Path
    ) -> None:
        address = sign(photo, "thumb.webp")
        for query in ("?x=1", "?v=a&v=b", "?download=1"):
            assert over_the_wire(f"{front}{address}{query}")("GET", {}).status == 403
        assert over_the_wire(f"{front}{address}?v=no")("GET", {}).status == 404
        assert not [path for path in (tmp_path / "nginx/cache").rglob("*") if path.is_file()]


class TestSharedCache:
    """Two people behind one cache never get each other's bytes."""

    @pytest.fixture
    def shared(self, front: str, tmp_path: Path) -> Iterator[str]:
        folder = tmp_path / "shared"
        folder.mkdir()
        with running_cache(folder, behind=front) as address:
            yield address

    @staticmethod
    def _ask(shared: str, path: str, user: Any = None, **headers: str) -> Answer:
        if user is not None:
            browser = Client()
            browser.force_login(user)
            headers["Cookie"] = f"sessionid={browser.cookies['sessionid'].value}"
        return over_the_wire(f"{shared}{path}")("GET", headers)

    def test_what_is_private_stays_so(
        self, shared: str, photo: MediaFile, film: MediaFile, add_track: Any, owner: Any
    ) -> None:
        MediaFile.objects.update(visibility="private")
        add_track(film, "240p", height=240)
        add_track(film, "sound")
        for path in (
            f"/media/{photo.pk}/original",
            f"/media/{photo.pk}/original?v=1",
            f"/media/{photo.pk}/r/thumb.webp",
            f"/media/{film.pk}/hls/master.m3u8",
            f"/media/{film.pk}/hls/240p.m3u8",
            f"/media/{film.pk}/hls/240p.mp4",
        ):
            for _ in range(2):
                mine = self._ask(shared, path, owner)
                assert (mine.status, mine.headers["X-Cache"]) == (200, "MISS")
            assert self._ask(shared, path).status == 404
            mine = self._ask(shared, path, owner)  # nor is a refusal kept for who may
            assert (mine.status, mine.headers["X-Cache"]) == (200, "MISS")

    def test_one_address_with_two_answers(
        self, shared: str, photo: MediaFile, owner: Any, stranger: Any, add_rendition: Any
    ) -> None:
        photo.versions.update(metadata={"has_position": True})
        add_rendition(photo, "clean", b"without the place", mime_type="image/png")
        path = f"/media/{photo.pk}/original?v=1"
        for _ in range(2):
            assert self._ask(shared, path, owner).body == DATA
            assert self._ask(shared, path, stranger).body == b"without the place"
            assert self._ask(shared, path).body == b"without the place"

    def test_formats_are_kept_apart(
        self, shared: str, photo: MediaFile, add_rendition: Any
    ) -> None:
        add_rendition(photo, "w640.webp", b"webp", mime_type="image/webp")
        add_rendition(photo, "w640.jpg", b"jpeg", mime_type="image/jpeg")
        path = f"/media/{photo.pk}/r/w640"
        for _ in range(2):
            assert self._ask(shared, path, Accept="image/webp").body == b"webp"
            assert self._ask(shared, path, Accept="*/*").body == b"jpeg"
        assert self._ask(shared, path, Accept="*/*").headers["X-Cache"] == "HIT"

    def test_signed_addresses_are_for_those_who_have_them(
        self, shared: str, photo: MediaFile
    ) -> None:
        for path in (sign(photo), sign(photo, "thumb.webp"), sign(photo, "video.mp4")):
            for _ in range(2):
                answer = self._ask(shared, path)
                assert (answer.status, answer.headers["X-Cache"]) == (200, "MISS")
            token = path.split("/")[3]
            assert self._ask(shared, path.replace(token, f"x{token[1:]}")).status == 403

    def test_what_is_public_is_kept(self, shared: str, photo: MediaFile) -> None:
        row = Rendition.objects.get(media=photo, name="thumb.webp")
        path = f"/media/{photo.pk}/r/thumb.webp?v={fingerprint_of(row)}"
        assert self._ask(shared, path).headers["X-Cache"] == "MISS"
        answer = self._ask(shared, path)
        assert (answer.headers["X-Cache"], answer.body) == ("HIT", SMALL)


class TestRedirect:
    @pytest.fixture
    def bucket(self, s3_server: S3Server, settings: Any) -> Iterator[ObjectStore]:  # noqa: F811
        with fresh_bucket(s3_server) as name:
            options = {
                "bucket_name": name,
                "endpoint_url": s3_server.endpoint,
                "region_name": "us-east-1",
                "addressing_style": "path",
                "access_key": s3_server.access_key,
                "secret_key": s3_server.secret_key,
            }
            backend = "apps.core.storage.s3.S3Store"
            media = {"BACKEND": backend, "OPTIONS": options}
            settings.STORAGES = {**settings.STORAGES, "media": media}
            settings.MEDIA_APP = {**settings.MEDIA_APP, "ACCEL": "redirect"}
            yield object_store("media")

    @pytest.fixture
    def stored(self, bucket: ObjectStore, photo: MediaFile) -> MediaFile:
        return photo

    def test_protocol_table(self, live_server: Any, stored: MediaFile) -> None:
        for address in (f"/media/{stored.pk}/original", sign(stored)):
            ours = over_the_wire(f"{live_server.url}{address}")
            ask = following(ours)
            head = ours("HEAD", {}).headers
            whole = Answer(200, head, ask("GET", {}).body)
            etag, modified = head["ETag"], head["Last-Modified"]
            for case in TABLE:
                headers = fill(case, etag=etag, modified=modified, n=len(whole.body))
                check_protocol(case, ask(case.method, headers), whole)

    def test_where_it_leads(self, live_server: Any, stored: MediaFile) -> None:
        ask = over_the_wire(f"{live_server.url}/media/{stored.pk}/original?download=1")
        answer = ask("GET", {})
        assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        there = following(ask)("GET", {})
        assert there.body == DATA
        assert there.headers["Content-Type"] == "image/png"
        said = 'attachment; filename="Holiday photo.png"'
        assert there.headers["Content-Disposition"] == said
        MediaFile.objects.update(visibility="private")
        assert ask("GET", {}).status == 404

    @on_disk
    def test_a_directory_redirects_nowhere(
        self, live_server: Any, photo: MediaFile, settings: Any
    ) -> None:
        settings.MEDIA_APP = {**settings.MEDIA_APP, "ACCEL": "redirect"}
        ask: Ask = over_the_wire(f"{live_server.url}/media/{photo.pk}/original")
        assert ask("GET", {}).body == DATA


def test_rows_are_what_the_tests_say(photo: MediaFile) -> None:
    sizes = dict(Rendition.objects.filter(media=photo).values_list("name", "size"))
    assert sizes == {"thumb.webp": len(SMALL), "video.mp4": len(LARGE)}
