"""What whoever has the address of a share link gets, and what nobody gets."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from apps.media import services
from apps.media.models import (
    AuditEvent,
    Collection,
    CollectionItem,
    CollectionPlace,
    MediaFile,
    MediaVersion,
    Rendition,
    ShareLink,
)
from apps.media.tests import samples
from apps.media.tests.conditions import on_disk
from apps.media.views import listing

PAGE = {"HTTP_ACCEPT": "text/html"}
PASSWORD = "open sesame"


@pytest.fixture
def photo(upload: Callable[..., MediaFile], add_rendition: Any) -> MediaFile:
    """A private photograph that is ready."""
    media = upload(samples.photo_jpeg(64, 48), "Beach.jpg", title="At the beach")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True, progress=100)
    for name in ("w320.jpg", "thumb.webp"):
        add_rendition(media, name, samples.photo_jpeg(64, 48), width=64, height=48)
    Rendition.objects.update(mime_type="image/jpeg")
    return MediaFile.objects.get(pk=media.pk)


@pytest.fixture
def share(owner: Any, photo: MediaFile) -> Callable[..., ShareLink]:
    def make(media: MediaFile | None = None, **terms: Any) -> ShareLink:
        return services.create_share_link(user=owner, media=media or photo, **terms)

    return make


def _below(link: ShareLink, media: MediaFile, end: str) -> str:
    return f"{link.get_absolute_url()}{media.pk}/{end}"


def _content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


class TestPage:
    def test_shows_the_file_by_addresses_that_work(
        self, share: Any, photo: MediaFile, client: Client
    ) -> None:
        link = share()
        text = client.get(link.get_absolute_url()).content.decode()
        for words in ("At the beach", "Beach.jpg", "image/jpeg"):
            assert words in text
        assert f"/media/{photo.pk}" not in text  # which would not open for a stranger
        assert "olga" not in text
        for end in ("original?download=1", "r/w320.jpg"):
            url = _below(link, photo, end)
            assert url in text
            answer = client.get(url)
            assert answer.status_code == 200
            assert len(_content(answer)) == int(answer["Content-Length"])

    @pytest.mark.parametrize("end", ["", "original", "r/w320.jpg"])
    def test_is_kept_from_caches_search_and_other_sites(
        self, share: Any, photo: MediaFile, client: Client, end: str
    ) -> None:
        """ASVS V3.4.5, V14.2.2."""
        MediaFile.objects.update(visibility="public")  # and yet no cache may outlive the link
        link = share()
        url = _below(link, photo, end) if end else link.get_absolute_url()
        for answer in (client.get(url), client.get(url.replace(link.token, "wrong"))):
            assert answer["Referrer-Policy"] == "no-referrer"
            assert answer["X-Robots-Tag"] == "noindex"
            assert answer["Cache-Control"] == "private, no-store"

    def test_head(self, share: Any, photo: MediaFile, client: Client) -> None:
        link = share(max_downloads=1)
        for url in (link.get_absolute_url(), _below(link, photo, "original")):
            assert client.head(url).status_code == 200
        link.refresh_from_db()
        assert link.downloads == 0

    def test_opening_is_written_down_once_for_those_who_come_together(
        self, share: Any, photo: MediaFile, client: Client, stranger: Any, browser_of: Any
    ) -> None:
        link = share()
        for visitor in (client, Client(), browser_of(stranger)):
            visitor.get(link.get_absolute_url())
        events = AuditEvent.objects.filter(act=AuditEvent.Act.LINK_OPENED, media_id=photo.pk)
        assert sorted(events.values_list("actor_name", flat=True)) == ["", "sam"]
        assert all(event.details == {"link": str(link.pk)} for event in events)

    def test_a_player_for_a_film(
        self, share: Any, client: Client, film: MediaFile, add_track: Any
    ) -> None:
        add_track(film, "240p", height=240)
        add_track(film, "sound")
        link = share(film)
        master = _below(link, film, "hls/master.m3u8")
        assert master in client.get(link.get_absolute_url()).content.decode()
        assert _content(client.get(master)).startswith(b"#EXTM3U")
        for end in ("hls/240p.m3u8", "hls/240p.mp4"):
            assert client.get(_below(link, film, end)).status_code == 200
        services.revoke_share_link(user=film.owner, link=link)
        for end in ("hls/master.m3u8", "hls/240p.m3u8", "hls/240p.mp4"):
            assert client.get(_below(link, film, end)).status_code == 404

    def test_pages_of_a_document(self, share: Any, photo: MediaFile, client: Client) -> None:
        MediaVersion.objects.update(metadata={"pages": 3})
        link = share()
        text = client.get(link.get_absolute_url()).content.decode()
        assert f'data-page-url="{_below(link, photo, "r/page-0.jpg")}"' in text


class TestOneAndTheSameAnswer:
    """Whatever is wrong with a link, nobody learns what it is."""

    BREAKS: dict[str, Callable[[ShareLink], Any]] = {
        "revoked": lambda link: link.delete(),
        "expired": lambda link: _set(link, expires_at=timezone.now() - timedelta(seconds=1)),
        "used up": lambda link: _set(link, max_downloads=1, downloads=1),
        "trashed": lambda link: _set_media(link, deleted_at=timezone.now()),
        "quarantined": lambda link: _set_media(link, status="quarantined", usable=False),
        "not usable": lambda link: _set_media(link, usable=False),
        "owner switched off": lambda link: _switch_off(link.created_by),
        "deleted": lambda link: MediaFile.objects.all().delete(),
    }

    @pytest.mark.parametrize("broken", BREAKS)
    @pytest.mark.parametrize("password", [None, PASSWORD])
    def test_page_and_bytes(
        self, share: Any, photo: MediaFile, client: Client, broken: str, password: str | None
    ) -> None:
        link = share(password=password)
        self.BREAKS[broken](link)
        for end in ("", "original", "r/w320.jpg", "hls/master.m3u8"):
            wrong = "x" * len(link.token)
            url = _below(link, photo, end) if end else link.get_absolute_url()
            answer = client.get(url, **PAGE)
            other = client.get(url.replace(link.token, wrong), **PAGE)
            assert (answer.status_code, other.status_code) == (404, 404)
            assert answer.content == other.content
            assert dict(answer.headers) == dict(other.headers)

    def test_other_files_under_the_token_are_missing(
        self, share: Any, photo: MediaFile, client: Client, film: MediaFile
    ) -> None:
        MediaFile.objects.update(visibility="public")
        link = share()
        for pk in (film.pk, uuid.uuid4()):
            url = f"{link.get_absolute_url()}{pk}/original"
            assert client.get(url).status_code == 404

    def test_no_old_version_and_no_position(
        self, share: Any, photo: MediaFile, client: Client, add_rendition: Any, browser_of: Any
    ) -> None:
        """Others get the copy without the place; also the owner, who looks at what others get."""
        MediaVersion.objects.update(metadata={"has_position": True})
        link = share()
        url = _below(link, photo, "original")
        assert client.get(url).status_code == 404  # no such copy yet
        add_rendition(photo, "clean", b"without the place", mime_type="image/jpeg")
        for visitor in (client, browser_of(photo.owner)):
            assert _content(visitor.get(url)) == b"without the place"
            assert _content(visitor.get(f"{url}?version=1")) == b"without the place"


def _set(link: ShareLink, **change: Any) -> None:
    ShareLink.objects.filter(pk=link.pk).update(**change)


def _set_media(link: ShareLink, **change: Any) -> None:
    MediaFile.objects.filter(pk=link.media_id).update(**change)


def _switch_off(user: Any) -> None:
    user.is_active = False
    user.save()


class TestPassword:
    def test_locked_until_it_is_said(self, share: Any, photo: MediaFile, client: Client) -> None:
        link = share(password=PASSWORD)
        page = client.get(link.get_absolute_url())
        assert page.status_code == 200
        assert b"password" in page.content
        for secret in (b"Beach", b"beach", str(photo.pk).encode(), b"image/jpeg"):
            assert secret not in page.content
        for end in ("original", "r/w320.jpg", "hls/master.m3u8"):
            answer = client.get(_below(link, photo, end))
            assert (answer.status_code, answer.json()["code"]) == (403, "password_required")
            assert "ETag" not in answer

        wrong = client.post(link.get_absolute_url(), {"password": "open"})
        assert wrong.status_code == 422
        assert b"Beach" not in wrong.content
        right = client.post(link.get_absolute_url(), {"password": PASSWORD})
        assert (right.status_code, right["Location"]) == (302, link.get_absolute_url())
        assert b"Beach.jpg" in client.get(link.get_absolute_url()).content
        assert client.get(_below(link, photo, "original")).status_code == 200
        assert Client().get(_below(link, photo, "original")).status_code == 403

    def test_one_password_opens_one_link(
        self, share: Any, photo: MediaFile, client: Client
    ) -> None:
        first, second = share(password=PASSWORD), share(password=PASSWORD)
        client.post(first.get_absolute_url(), {"password": PASSWORD})
        assert client.get(_below(second, photo, "original")).status_code == 403
        first.refresh_from_db()
        _set(first, password=second.password)  # the same words, and yet another password
        assert client.get(_below(first, photo, "original")).status_code == 403

    def test_works_without_a_token_against_forgery(self, share: Any) -> None:
        """Browsers that tell nobody where they come from cannot pass that check."""
        link = share(password=PASSWORD)
        visitor = Client(enforce_csrf_checks=True)
        form = {"password": PASSWORD}
        answer = visitor.post(link.get_absolute_url(), form, headers={"Origin": "null"})
        assert answer.status_code == 302

    def test_v2_4_1_guesses_of_an_address_are_few(self, share: Any, client: Client) -> None:
        """ASVS V2.4.1: over all links; what is right counts for nothing."""
        links = [share(password=PASSWORD) for _ in range(3)]
        for number in range(10):
            url = links[number % 3].get_absolute_url()
            assert client.post(url, {"password": "guess"}).status_code == 422
        answer = client.post(links[0].get_absolute_url(), {"password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
        assert 0 < int(answer["Retry-After"]) <= 60
        assert client.get(links[0].get_absolute_url()).status_code == 200  # still locked
        elsewhere = Client(REMOTE_ADDR="192.0.2.7")
        form = {"password": PASSWORD}
        assert elsewhere.post(links[0].get_absolute_url(), form).status_code == 302

    def test_v2_4_1_guesses_of_a_link_are_few_from_wherever_they_come(self, share: Any) -> None:
        link = share(password=PASSWORD)
        for number in range(60):
            visitor = Client(REMOTE_ADDR=f"192.0.2.{number}")
            assert visitor.post(link.get_absolute_url(), {"password": "x"}).status_code == 422
        visitor = Client(REMOTE_ADDR="198.51.100.1")
        answer = visitor.post(link.get_absolute_url(), {"password": PASSWORD})
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 3600
        other = share(password=PASSWORD)
        form = {"password": PASSWORD}
        assert visitor.post(other.get_absolute_url(), form).status_code == 302

    def test_right_passwords_are_no_guesses(self, share: Any) -> None:
        link = share(password=PASSWORD)
        for _ in range(20):
            answer = Client().post(link.get_absolute_url(), {"password": PASSWORD})
            assert answer.status_code == 302

    def test_v2_4_1_wrong_tokens_of_an_address_are_few(self, share: Any, client: Client) -> None:
        link = share()
        for number in range(60):
            assert client.get(f"/share/{number:032}/").status_code == 404
        answer = client.get("/share/once-more/")
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 60
        assert client.get(link.get_absolute_url()).status_code == 429  # a hit tells nothing either
        assert Client(REMOTE_ADDR="192.0.2.7").get(link.get_absolute_url()).status_code == 200


class TestDownloads:
    def test_each_one_counts_and_the_link_ends(
        self, share: Any, photo: MediaFile, client: Client
    ) -> None:
        link = share(max_downloads=2)
        url = _below(link, photo, "original?download=1")
        for _ in range(2):
            assert len(_content(client.get(url))) == photo.size
        assert Client().get(url).status_code == 404
        assert Client().get(link.get_absolute_url()).status_code == 404
        assert client.get(url).status_code == 404  # a whole one more, not the rest of one
        link.refresh_from_db()
        assert link.downloads == 2

    def test_looking_is_free(self, share: Any, photo: MediaFile, client: Client) -> None:
        link = share(max_downloads=1)
        for _ in range(3):
            assert client.get(link.get_absolute_url()).status_code == 200
            assert client.get(_below(link, photo, "r/w320.jpg")).status_code == 200
        link.refresh_from_db()
        assert link.downloads == 0

    def test_the_rest_of_a_download_is_the_same_download(
        self, share: Any, photo: MediaFile, client: Client
    ) -> None:
        link = share(max_downloads=1)
        url = _below(link, photo, "original")
        first = client.get(url, headers={"Range": "bytes=0-9"})
        rest = client.get(url, headers={"Range": "bytes=10-"})
        assert (first.status_code, rest.status_code) == (206, 206)
        assert _content(first) + _content(rest) == samples.photo_jpeg(64, 48)
        assert client.get(link.get_absolute_url()).status_code == 200  # the page is still theirs
        assert client.get(url, headers={"Range": "bytes=0-"}).status_code == 404
        assert Client().get(url, headers={"Range": "bytes=10-"}).status_code == 404

    def test_without_a_limit_nobody_is_remembered(
        self, share: Any, photo: MediaFile, client: Client
    ) -> None:
        link = share()
        url = _below(link, photo, "original")
        for part in ("bytes=0-9", "bytes=10-19", "bytes=20-"):
            answer = client.get(url, headers={"Range": part})
            assert answer.status_code == 206
            assert not answer.cookies
        link.refresh_from_db()
        assert link.downloads == 1

    def test_a_part_is_a_download(self, share: Any, photo: MediaFile, client: Client) -> None:
        link = share(max_downloads=1)
        url = _below(link, photo, "original")
        assert client.get(url, headers={"Range": "bytes=1-"}).status_code == 206
        assert Client().get(url, headers={"Range": "bytes=1-"}).status_code == 404

    @pytest.mark.parametrize(
        "headers", [{}, {"Range": "bytes=1-,0-0"}, {"Range": "bytes=1-", "If-Range": '"other"'}]
    )
    @pytest.mark.parametrize("limit", [2, None])
    def test_the_whole_is_never_a_rest(
        self, share: Any, photo: MediaFile, client: Client, headers: Any, limit: int | None
    ) -> None:
        """Also where a range was asked for that counts for nothing."""
        link = share(max_downloads=limit)
        for _ in range(2):
            answer = client.get(_below(link, photo, "original"), headers=headers)
            assert (answer.status_code, len(_content(answer))) == (200, photo.size)
        link.refresh_from_db()
        assert link.downloads == 2

    def test_going_on_with_one_file_takes_no_other(
        self, share: Any, photo: MediaFile, owner: Any, upload: Any, client: Client
    ) -> None:
        other = upload(b"The words.\n", "words.txt")
        MediaFile.objects.filter(pk=other.pk).update(status="ready", usable=True)
        album = services.create_collection(user=owner, title="Album")
        services.add_items(user=owner, collection=album, media_ids=[photo.pk, other.pk])
        link = share(album, max_downloads=1)
        assert client.get(_below(link, photo, "original")).status_code == 200
        rest = {"Range": "bytes=1-"}
        assert client.get(_below(link, photo, "original"), headers=rest).status_code == 206
        assert client.get(_below(link, other, "original"), headers=rest).status_code == 404
        link.refresh_from_db()
        assert link.downloads == 1

    @on_disk
    def test_counts_whoever_sends_the_bytes(
        self, share: Any, photo: MediaFile, client: Client, settings: Any
    ) -> None:
        """nginx is told the file by an answer that counts like any other and that nobody keeps."""
        settings.MEDIA_APP = {**settings.MEDIA_APP, "ACCEL": "nginx"}
        link = share(max_downloads=1)
        answer = client.get(_below(link, photo, "original"))
        assert answer["X-Accel-Redirect"]
        assert answer["Cache-Control"] == "private, no-store"
        again = Client().get(_below(link, photo, "original"))
        assert again.status_code == 404
        assert "X-Accel-Redirect" not in again

    def test_answers_without_bytes_cost_nothing(
        self, share: Any, photo: MediaFile, client: Client
    ) -> None:
        link = share(max_downloads=1)
        url = _below(link, photo, "original")
        etag = client.head(url)["ETag"]
        for headers, status in (
            ({"If-None-Match": etag}, 304),
            ({"If-Match": '"x"'}, 412),
            ({"Range": "bytes=999999-"}, 416),
        ):
            assert client.get(url, headers=headers).status_code == status
        link.refresh_from_db()
        assert link.downloads == 0


class TestCollections:
    """A link to a collection opens all below it, and nothing else."""

    @pytest.fixture
    def albums(self, owner: Any) -> list[Collection]:
        """An outer one, one in it, and one beside it."""
        outer = Collection.objects.create(owner=owner, title="Outer", description="All of it")
        inner = Collection.objects.create(owner=owner, title="Inner", parent=outer)
        beside = Collection.objects.create(owner=owner, title="Beside")
        places = [(outer, outer, 0), (inner, inner, 0), (outer, inner, 1), (beside, beside, 0)]
        for above, below, depth in places:
            CollectionPlace.objects.create(ancestor=above, descendant=below, depth=depth)
        return [outer, inner, beside]

    def _put(self, media: MediaFile, album: Collection, position: int = 1, **more: Any) -> None:
        more.setdefault("added_by", media.owner)
        CollectionItem.objects.create(collection=album, media=media, position=position, **more)

    def test_shows_what_is_in_it_and_below(
        self, share: Any, photo: MediaFile, albums: list[Collection], client: Client
    ) -> None:
        outer, inner, beside = albums
        self._put(photo, inner)
        link = share(outer)
        root = link.get_absolute_url()
        page = client.get(root).content.decode()
        assert "Outer" in page
        assert "All of it" in page
        assert f"{root}collections/{inner.pk}/" in page
        assert "At the beach" not in page
        page = client.get(f"{root}collections/{inner.pk}/").content.decode()
        assert "At the beach" in page
        assert f"{root}{photo.pk}/" in page
        page = client.get(f"{root}{photo.pk}/").content.decode()
        assert f"{root}{photo.pk}/original?download=1" in page
        assert client.get(f"{root}{photo.pk}/original").status_code == 200
        assert client.get(f"{root}collections/{beside.pk}/").status_code == 404
        assert client.get(f"{root}collections/{uuid.uuid4()}/").status_code == 404

    def test_not_what_is_above_or_beside_or_put_in_by_others(
        self,
        share: Any,
        photo: MediaFile,
        albums: list[Collection],
        client: Client,
        stranger: Any,
    ) -> None:
        outer, inner, beside = albums
        self._put(photo, outer)
        self._put(photo, beside)
        self._put(photo, inner, added_by=stranger)
        link = share(inner)
        root = link.get_absolute_url()
        assert "There is nothing in it." in client.get(root).content.decode()
        for end in (f"{photo.pk}/", f"{photo.pk}/original", f"collections/{outer.pk}/"):
            assert client.get(root + end).status_code == 404

    def test_in_order_and_by_pages(
        self,
        share: Any,
        albums: list[Collection],
        client: Client,
        owner: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(listing, "PAGE_SIZE", 2)
        for number in range(5):
            media = MediaFile.objects.create(
                owner=owner, title=f"No. {number}", media_type="other", size=1, usable=True
            )
            self._put(media, albums[0], position=-number)
        link = share(albums[0])
        found, url = [], link.get_absolute_url()
        while url:
            page = client.get(url)
            found += [media.title for media in page.context["items"]]
            cursor = page.context["page"].next
            url = f"{link.get_absolute_url()}?{urlencode({'cursor': cursor})}" if cursor else ""
        assert found == [f"No. {number}" for number in reversed(range(5))]
        assert client.get(f"{link.get_absolute_url()}?cursor=x").status_code == 400

    def test_locked_and_revoked(
        self, share: Any, photo: MediaFile, albums: list[Collection], client: Client
    ) -> None:
        outer, inner, _ = albums
        self._put(photo, inner)
        link = share(outer, password=PASSWORD)
        root = link.get_absolute_url()
        ends = (f"{photo.pk}/", f"collections/{inner.pk}/")
        for end in ends:
            answer = client.get(root + end)
            assert (answer.status_code, answer["Location"]) == (302, root)
        assert client.get(f"{root}{photo.pk}/original").status_code == 403
        client.post(root, {"password": PASSWORD})
        for end in ends:
            assert client.get(root + end).status_code == 200
        services.revoke_share_link(user=outer.owner, link=link)
        for end in (*ends, "", f"{photo.pk}/original"):
            assert client.get(root + end).status_code == 404

    def test_taking_a_file_out_closes_it_at_once(
        self, share: Any, photo: MediaFile, albums: list[Collection], client: Client
    ) -> None:
        self._put(photo, albums[0])
        url = _below(share(albums[0]), photo, "original")
        assert client.get(url).status_code == 200
        CollectionItem.objects.all().delete()
        assert client.get(url).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_v2_3_4_two_who_want_the_last_download(share: Any, photo: MediaFile) -> None:
    """ASVS V2.3.4, over HTTP: both pass the check, one is counted and gets the bytes."""
    link = share(max_downloads=1)
    url = _below(link, photo, "original")
    start, found = threading.Barrier(2), []

    def fetch() -> None:
        try:
            start.wait(timeout=30)
            found.append(Client().get(url).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(found) == [200, 404]
    link.refresh_from_db()
    assert link.downloads == 1
