"""Signed addresses: what a token opens, for how long, and that nothing else passes for one."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.media import links, selectors, services, signatures
from apps.media.exceptions import (
    BadRequestError,
    ForbiddenError,
    MediaError,
    NotVisibleError,
    QuarantinedError,
    WrongStateError,
)
from apps.media.models import AuditEvent, Grant, MediaFile, MediaVersion, Rendition
from apps.media.services.signing import LONGEST
from apps.media.signatures import Claim, Scope, write_token
from apps.media.tests import samples
from apps.media.views import rights

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DATA = samples.photo_jpeg(64, 48)
Add = Callable[..., Rendition]


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    yield
    rights.forget_signed()


@pytest.fixture
def photo(upload: Callable[..., MediaFile], add_rendition: Add) -> MediaFile:
    """A private photograph that is ready, with two renditions."""
    media = upload(DATA, "Holiday.jpg")
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True)
    media.versions.update(scan="clean")
    for name in ("thumb.webp", "w320.webp"):
        add_rendition(media, name, name.encode() * 9, mime_type="image/webp")
    media.refresh_from_db()
    return media


def get(url: str, **options: Any) -> Any:
    return Client().get(url, **options)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def refused(url: str) -> None:
    """The one answer to a token that opens nothing, also for a file that never was."""
    never = f"/media/s/{'A' * 35}/{uuid.uuid4()}/original"
    answer, other = get(url), get(never)
    assert (answer.status_code, answer.json()["code"]) == (403, "invalid_signature")
    assert answer.content == other.content
    assert set(answer.headers) == set(other.headers)


def gone(url: str) -> None:
    """The answer to a right token when others get nothing of that version any more."""
    answer, other = get(url), get(f"/media/{uuid.uuid4()}/original")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.content == other.content


def parts(url: str) -> tuple[str, str, str]:
    """Token, id and place of a signed address."""
    _, _, _, token, media_id, place = url.split("/", 5)
    return token, media_id, place


def claim_for(media: MediaFile, **fields: Any) -> Claim:
    return replace(Claim(media.pk, media.version, int(time.time()) + 600), **fields)


def address(claim: Claim, place: str) -> str:
    return f"/media/s/{write_token(claim)}/{claim.media_id}/{place}"


class TestOpens:
    def test_the_original_and_the_whole_tree(self, photo: MediaFile, owner: Any) -> None:
        url = services.create_signed_url(user=owner, media=photo)
        answer = get(url)
        assert (answer.status_code, body(answer)) == (200, DATA)
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Content-Disposition"].startswith("inline")
        thumb = url.replace("original", "r/thumb.webp")
        assert body(get(thumb)) == b"thumb.webp" * 9

    def test_one_rendition_and_no_other(self, photo: MediaFile, owner: Any) -> None:
        url = services.create_signed_url(user=owner, media=photo, rendition="thumb.webp")
        answer = get(url)
        assert body(answer) == b"thumb.webp" * 9
        assert answer["Cache-Control"] == "private, max-age=60, must-revalidate"
        assert get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        assert get(url, headers={"Range": "bytes=0-4"}).status_code == 206
        token, media_id, _ = parts(url)
        for place in ("original", "r/w320.webp", "r/clean", "hls/master.m3u8"):
            refused(f"/media/s/{token}/{media_id}/{place}")
        gone(f"/media/s/{token}/{media_id}/r/")

    def test_a_stream_and_all_that_it_names(
        self, film: MediaFile, add_track: Any, owner: Any
    ) -> None:
        add_track(film, "240p", height=240)
        add_track(film, "sound")
        url = services.create_signed_url(user=owner, media=film, rendition="hls")
        base = url.rsplit("/", 1)[0]
        master = body(get(url)).decode()
        lists = [line for line in master.splitlines() if ".m3u8" in line and line[0] != "#"]
        assert lists
        for name in lists:
            track = body(get(f"{base}/{name}")).decode()
            segment = next(line for line in track.splitlines() if ".mp4" in line and line[0] != "#")
            answer = get(f"{base}/{segment}", headers={"Range": "bytes=10-29"})
            assert (answer.status_code, len(body(answer))) == (206, 20)
        refused(url.replace("hls/master.m3u8", "original"))

    def test_as_a_download(self, photo: MediaFile, owner: Any) -> None:
        url = services.create_signed_url(user=owner, media=photo, download=True)
        assert get(url)["Content-Disposition"] == 'attachment; filename="Holiday.jpg"'
        thumb = get(url.replace("original", "r/thumb.webp"))
        assert thumb["Content-Disposition"].startswith("attachment")

    def test_the_original_without_its_place(
        self, photo: MediaFile, owner: Any, add_rendition: Add
    ) -> None:
        photo.versions.update(metadata={"has_position": True})
        url = services.create_signed_url(user=owner, media=photo)
        gone(url)  # there is no copy yet
        add_rendition(photo, "clean", b"without the place", mime_type="image/jpeg")
        assert body(get(url)) == b"without the place"
        MediaFile.objects.update(share_location=True)
        assert body(get(url)) == DATA

    def test_only_whether_the_version_is_still_there_is_asked_for(
        self, photo: MediaFile, owner: Any, django_assert_num_queries: Any
    ) -> None:
        url = services.create_signed_url(user=owner, media=photo, rendition="thumb.webp")
        get(url)
        with django_assert_num_queries(1):
            assert get(url).status_code == 200

    def test_a_wrong_token_costs_no_query(
        self, photo: MediaFile, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            refused(f"/media/s/{'A' * 35}/{photo.pk}/original")

    def test_what_is_made_when_asked(self, photo: MediaFile, owner: Any) -> None:
        url = services.create_signed_url(user=owner, media=photo, rendition="w320.avif")
        assert get(url).status_code == 202


class TestForged:
    """Every byte, every part of the address, every other use of a real token."""

    @pytest.fixture
    def url(self, photo: MediaFile, owner: Any) -> str:
        return services.create_signed_url(user=owner, media=photo, rendition="thumb.webp")

    def test_every_bit_counts(self, url: str) -> None:
        token, media_id, place = parts(url)
        data = base64.urlsafe_b64decode(token + "=")
        for index in range(len(data) * 8):
            wrong = bytearray(data)
            wrong[index // 8] ^= 1 << index % 8
            forged = base64.urlsafe_b64encode(wrong).rstrip(b"=").decode()
            found = signatures.read_token(
                forged, media_id=uuid.UUID(media_id), place=place, now=time.time()
            )
            assert found is None, index

    def test_every_character_counts(self, url: str) -> None:
        token, media_id, place = parts(url)
        for index, right in enumerate(token):
            other = ALPHABET[ALPHABET.index(right) ^ 1]  # the last one has bits that say nothing
            refused(f"/media/s/{token[:index]}{other}{token[index + 1 :]}/{media_id}/{place}")

    @pytest.mark.parametrize(
        "change",
        [
            lambda token: token[:-1],
            lambda token: token[1:],
            lambda token: token + "A",
            lambda token: token + "=",
            lambda token: token + "==",
            lambda token: token.swapcase(),
            lambda token: f"%20{token}",
            lambda token: f"{token}%0a",
            lambda token: token[:9] + "%2e" + token[9:],
            lambda token: base64.b64encode(base64.urlsafe_b64decode(token + "=")).decode(),
            lambda token: "é" * 35,
            lambda token: "A",
            lambda token: token * 2,
        ],
    )
    def test_every_other_spelling(self, url: str, change: Callable[[str], str]) -> None:
        token, media_id, place = parts(url)
        changed = change(token).replace("/", "%2F").replace("+", "%2B")
        address = f"/media/s/{changed}/{media_id}/{place}"
        if "%2F" in changed:  # no address at all
            gone(address)
        elif changed != token:  # of this one the other alphabet may be the same
            refused(address)

    @pytest.mark.parametrize(
        "query", ["?v=1", "?v=", "?v=x&v=y", "?download=1", "?x", "?version=1"]
    )
    def test_parameters(self, url: str, query: str) -> None:
        if query == "?v=":
            assert get(f"{url}{query}").status_code == 200
        elif query == "?v=1":  # a right token, and bytes that are no more
            gone(f"{url}{query}")
        else:
            refused(f"{url}{query}")

    def test_the_parameter_that_names_the_bytes(self, url: str, photo: MediaFile) -> None:
        row = Rendition.objects.get(media=photo, name="thumb.webp")
        tag = links.fingerprint_of(row)
        assert get(f"{url}?v={tag}").status_code == 200
        refused(f"{url}?v={tag}&v={tag}")

    def test_another_file_version_scope_or_name(
        self, photo: MediaFile, upload: Callable[..., MediaFile]
    ) -> None:
        other = upload(samples.photo_jpeg(32, 32), "other.jpg")
        MediaFile.objects.filter(pk=other.pk).update(status="ready", usable=True)
        right = claim_for(photo)
        assert get(address(right, "original")).status_code == 200
        token = write_token(right)
        refused(f"/media/s/{token}/{other.pk}/original")
        refused(f"/media/s/{token}/{uuid.uuid4()}/original")
        gone(address(claim_for(photo, version=2), "original"))
        gone(address(claim_for(photo, version=0), "original"))
        refused(address(claim_for(photo, scope=Scope.STREAM), "original"))
        refused(address(claim_for(photo, scope=Scope.STREAM), "r/thumb.webp"))
        refused(address(claim_for(photo, scope=Scope.RENDITION, name="a"), "r/thumb.webp"))
        refused(address(claim_for(photo, scope=Scope.RENDITION, name="original"), "original"))

    def test_after_its_time(self, photo: MediaFile) -> None:
        now = int(time.time())
        refused(address(claim_for(photo, expires_at=now), "original"))
        refused(address(claim_for(photo, expires_at=now - 1), "original"))
        refused(address(claim_for(photo, expires_at=0), "original"))
        assert get(address(claim_for(photo, expires_at=now + 60), "original")).status_code == 200

    def test_another_key_and_one_that_was_replaced(self, url: str, settings: Any) -> None:
        old = settings.SECRET_KEY
        settings.SECRET_KEY = "another-key-of-some-length-that-nobody-has-seen"
        refused(url)
        settings.SECRET_KEY_FALLBACKS = ["a-third-key", old]
        assert get(url).status_code == 200
        settings.SECRET_KEY_FALLBACKS = ["a-third-key"]
        refused(url)

    def test_another_purpose(self, photo: MediaFile, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(signatures, "PURPOSE", "apps.media.something_else")
            url = address(claim_for(photo), "original")
        refused(url)

    def test_a_real_session_adds_nothing(self, url: str, owner: Any, browser_of: Any) -> None:
        token, media_id, place = parts(url)
        wrong = f"/media/s/{token[:-2]}AA/{media_id}/{place}"
        assert browser_of(owner).get(wrong).status_code == 403


class TestEnds:
    """With the next request."""

    CHANGES: dict[str, Callable[[MediaFile, Any], object]] = {
        "trashed": lambda media, owner: services.delete_media(user=owner, media=media),
        "deleted": lambda media, owner: services.delete_media(
            user=owner, media=media, permanent=True
        ),
        "quarantined": lambda media, owner: MediaFile.objects.update(
            status="quarantined", usable=False
        ),
        "replaced": lambda media, owner: MediaFile.objects.update(version=2, published_version=2),
        "withdrawn": lambda media, owner: MediaFile.objects.update(usable=False),
    }

    @pytest.mark.parametrize("name", CHANGES)
    def test_with_the_version(self, photo: MediaFile, owner: Any, name: str) -> None:
        MediaVersion.objects.create(
            media=photo, number=2, storage="media", key="no/such", size=1, mime_type="image/jpeg"
        )
        urls = [
            services.create_signed_url(user=owner, media=photo, rendition=rendition)
            for rendition in (None, "thumb.webp")
        ]
        for url in urls:
            assert get(url).status_code == 200
        self.CHANGES[name](photo, owner)
        for url in urls:
            gone(url)

    def test_a_new_version_that_is_not_good_yet_changes_nothing(
        self, photo: MediaFile, owner: Any
    ) -> None:
        MediaFile.objects.update(published_version=1)
        url = services.create_signed_url(user=owner, media=photo)
        MediaVersion.objects.create(
            media=photo, number=2, storage="media", key="no/such", size=1, mime_type="image/jpeg"
        )
        MediaFile.objects.update(version=2, status="pending")
        assert body(get(url)) == DATA
        again = services.create_signed_url(user=owner, media=photo)
        assert body(get(again)) == DATA


def test_the_original_has_a_name(photo: MediaFile, api: APIClient) -> None:
    for values in ({}, {"rendition": None}, {"rendition": "original"}):
        answer = api.post(f"/api/v1/media/{photo.pk}/signed-urls/", values, format="json")
        assert body(get(answer.json()["url"])) == DATA


class TestTime:
    @pytest.mark.parametrize("seconds", [1, 60, 3600, LONGEST])
    def test_as_long_as_was_asked(
        self, photo: MediaFile, owner: Any, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        now = time.time()
        url, expires_at = services.sign_address(user=owner, media=photo, expires_in=seconds)
        assert 0 <= expires_at.timestamp() - now - seconds < 2
        monkeypatch.setattr(time, "time", lambda: now + seconds - 0.5)
        assert get(url).status_code == 200
        monkeypatch.setattr(time, "time", lambda: now + seconds + 2)
        refused(url)


class TestSigning:
    def test_what_is_written_down(self, photo: MediaFile, owner: Any) -> None:
        url = services.create_signed_url(user=owner, media=photo, rendition="thumb.webp")
        (event,) = AuditEvent.objects.filter(act="signed")
        assert (event.actor, event.media_id) == (owner, photo.pk)
        assert event.details["what"] == "r/thumb.webp"
        assert parts(url)[0] not in str(event.details)

    def test_who_may(self, photo: MediaFile, stranger: Any, staff: Any) -> None:
        self._refuses(NotVisibleError, user=stranger, media=photo)
        services.create_signed_url(user=staff, media=photo)

    def _refuses(self, error: type[MediaError], **arguments: Any) -> None:
        AuditEvent.objects.all().delete()
        with pytest.raises(error):
            services.create_signed_url(**arguments)
        assert not AuditEvent.objects.exists()

    def test_what_cannot_be_signed(self, photo: MediaFile, owner: Any, staff: Any) -> None:
        for name in ("nothing.webp", "clean", "hls", "hls/240p.mp4", "../original", "", "\0"):
            self._refuses(NotVisibleError, user=owner, media=photo, rendition=name)
        for seconds in (0, -1, 7 * 24 * 3600 + 1):
            self._refuses(BadRequestError, user=owner, media=photo, expires_in=seconds)
        MediaFile.objects.update(usable=False, status="processing")
        self._refuses(WrongStateError, user=owner, media=photo)
        self._refuses(ForbiddenError, user=_plain(staff), media=photo)
        MediaFile.objects.update(status="quarantined", failure_code="malware_found")
        self._refuses(QuarantinedError, user=owner, media=photo)

    def test_only_who_may_share_signs(self, photo: MediaFile, stranger: Any) -> None:
        """An address would outlive the grant, or the publicity, by which others see the file."""
        grant = Grant.objects.create(media=photo, user=stranger)
        self._refuses(ForbiddenError, user=stranger, media=photo)
        Grant.objects.filter(pk=grant.pk).update(permission="edit")
        self._refuses(ForbiddenError, user=stranger, media=photo)
        MediaFile.objects.update(visibility="public")
        self._refuses(ForbiddenError, user=AnonymousUser(), media=photo)

    def test_over_http(self, photo: MediaFile, api: APIClient) -> None:
        where = f"/api/v1/media/{photo.pk}/signed-urls/"
        answer = api.post(where, {"rendition": "thumb.webp", "expires_in": 60, "download": True})
        assert answer.status_code == 201
        told = answer.json()
        left = (timezone.datetime.fromisoformat(told["expires_at"]) - timezone.now()).seconds
        assert 59 <= left <= 76
        assert get(told["url"].removeprefix("http://testserver")).status_code == 200
        assert api.post(where, {"expires_in": 0}).json()["code"] == "invalid"
        assert api.post(where, {"rendition": "no"}).json()["code"] == "not_found"
        assert APIClient().post(where).status_code == 401
        assert api.post(f"/api/v1/media/{uuid.uuid4()}/signed-urls/").status_code == 404


def _plain(user: Any) -> Any:
    """Of the staff, and no reviewer of what may be harmful."""
    user.is_superuser = False
    user.save()
    return user


def test_selectors_give_only_what_others_get(photo: MediaFile) -> None:
    assert selectors.get_signed_media(media_id=photo.pk).pk == photo.pk
    with pytest.raises(NotVisibleError):
        selectors.get_signed_media(media_id=photo.pk, version=7)
