"""Every address × every kind of visitor × every visibility: who gets what (ASVS V8.2).

The rows are generated from the URL table: an address without an expectation fails the test.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.core.storage import ObjectStore, new_key
from apps.media.models import Caption, MediaFile, Rendition
from apps.media.processing.recipes import THUMBNAIL
from apps.media.tests import samples
from apps.media.urls import urlpatterns

ROLES = ("anonymous", "stranger", "owner", "staff")
VISIBILITIES = ("private", "unlisted", "public")

# What shows one file to those who may view it.
VIEWING = {
    "media:media-detail",
    "media:media-similar",
    "media:captions",
    "media:detail",
    "media:status",
}
# What gives its bytes, or what is made of them.
READING = {
    "media:original",
    "media:rendition",
    "media:hls-master",
    "media:hls-playlist",
    "media:hls-track",
    "media:hls-caption",
    "media:hls-caption-playlist",
}
# What needs the right to change it, besides PATCH and DELETE: all by POST.
CHANGING = {
    "media:media-restore",
    "media:media-reprocess",
    "media:captions",
    "media:edit",
    "media:delete",
    "media:restore",
    "media:purge",
    "media:reprocess",
    "media:add-caption",
    "media:remove-caption",
}
BY_METHOD = {"PATCH": "media:media-detail", "DELETE": "media:media-detail"} | {
    "DELETE caption": "media:caption"
}
# What belongs to whoever asks, and needs a sign-in.
PERSONAL = {
    "media:library",
    "media:media-cards",
    "media:upload",
    "media:trash",
    "media:media-trash",
    "media:tag-list",
    "media:usage",
}
OPEN = {"media:home", "media:media-list"}
STATES = ["pending", "processing", "failed", "quarantined", "deleted"]
TRACK = {
    "codecs": "avc1.42c00d",
    "frame_rate": 25.0,
    "head": 10,
    "peak": 900,
    "average": 800,
    "segments": [[4.0, 20]],
}


def _names() -> set[str]:
    found = set()
    for entry in urlpatterns:
        for item in getattr(entry, "url_patterns", [entry]):
            found.add(f"media:{item.name}")
    return found


def test_every_address_has_its_row() -> None:
    assert _names() == VIEWING | READING | CHANGING | set(BY_METHOD.values()) | PERSONAL | OPEN


@pytest.fixture
def photo(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    """A ready file with all that a file can have, without running an engine."""
    media = upload(samples.photo_jpeg(64, 48), "Secret name.jpg", tags=["hidden word"])
    MediaFile.objects.filter(pk=media.pk).update(status="ready", usable=True, progress=100)
    for name, kind, details in (
        ("thumb.webp", "image/webp", {}),
        ("hls/240p.mp4", "video/mp4", TRACK),
    ):
        stored = _stored(own_storage, samples.photo_webp(64, 48))
        Rendition.objects.create(
            media=media,
            version=1,
            name=name,
            state="ready",
            mime_type=kind,
            width=64,
            height=48,
            details=details,
            fingerprint=THUMBNAIL.fingerprint,
            **stored,
        )
    Caption.objects.create(media=media, language="en", **_stored(own_storage, b"WEBVTT\n"))
    media.refresh_from_db()
    return media


def _stored(store: ObjectStore, data: bytes) -> dict[str, Any]:
    key = new_key("rendition")
    with store.writer(key) as writer:
        writer.write(data)
    return {"storage": "media", "key": key, "size": len(data)}


@pytest.fixture
def visit(
    owner: Any, stranger: Any, staff: Any, browser_of: Callable[[Any], Client]
) -> Callable[[str], Client]:
    people = {"anonymous": None, "stranger": stranger, "owner": owner, "staff": staff}
    return lambda role: browser_of(people[role])


def _address(name: str, media: MediaFile) -> str:
    caption = media.captions.first()
    last = {
        "media:rendition": "thumb.webp",
        "media:hls-playlist": "240p",
        "media:hls-track": "240p",
        "media:hls-caption": "en",
        "media:hls-caption-playlist": "en",
        "media:caption": caption.pk if caption else uuid.uuid4(),
        "media:remove-caption": caption.pk if caption else uuid.uuid4(),
    }
    return reverse(name, args=[media.pk, *([last[name]] if name in last else [])])


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(VIEWING | READING))
def test_viewing(name: str, role: str, visibility: str, photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
    answer = visit(role).get(_address(name, photo))
    allowed = role in {"owner", "staff"} or visibility != "private"
    if allowed:
        assert answer.status_code == 200
    else:
        _assert_like_missing(answer, visit(role), name, photo)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(VIEWING | READING))
@pytest.mark.parametrize("state", STATES)
def test_others_see_nothing_unfinished(
    name: str, role: str, state: str, photo: MediaFile, visit: Any
) -> None:
    _bring_into(state, photo)
    answer = visit(role).get(_address(name, photo))
    if role == "owner" and state == "quarantined" and name in READING:
        assert (answer.status_code, answer.json()["code"]) == (403, "quarantined")
    elif role in {"owner", "staff"}:  # this one may also review what is in quarantine
        assert answer.status_code == 200
    else:
        _assert_like_missing(answer, visit(role), name, photo)


def _bring_into(state: str, media: MediaFile) -> None:
    change: dict[str, Any] = {"visibility": "public"}
    if state == "deleted":
        change["deleted_at"] = "2026-01-01T00:00:00Z"
    else:
        change |= {"status": state, "usable": False, "failure_code": "corrupt_file"}
    MediaFile.objects.filter(pk=media.pk).update(**change)


@pytest.mark.parametrize("name", sorted(READING))
def test_quarantine_is_for_reviewers_alone(
    name: str, photo: MediaFile, staff: Any, visit: Any
) -> None:
    _bring_into("quarantined", photo)
    staff.is_superuser = False
    staff.save()
    answer = visit("staff").get(_address(name, photo))
    assert (answer.status_code, answer.json()["code"]) == (403, "quarantined")
    staff.user_permissions.add(Permission.objects.get(codename="review_quarantine"))
    assert visit("staff").get(_address(name, photo)).status_code == 200


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [*sorted(CHANGING), *BY_METHOD])
def test_changing(name: str, role: str, visibility: str, photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
    before = _rows(photo)
    answer = _change(visit(role), name, photo)
    if role in {"owner", "staff"}:
        assert answer.status_code in {200, 204, 302, 400, 409, 422}
        return
    assert answer.status_code in {302, 401, 403, 404}
    if answer.status_code == 302:
        assert answer["Location"].startswith("/accounts/login/")
    if visibility == "private" and role == "stranger":
        assert answer.status_code == 404
    assert _rows(photo) == before


def _change(client: Client, name: str, media: MediaFile) -> Any:
    url = _address(BY_METHOD.get(name, name), media)
    if name == "PATCH":
        return client.patch(url, {"title": "new"}, content_type="application/json")
    if name.startswith("DELETE"):
        return client.delete(url)
    file = SimpleUploadedFile("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nx\n")
    return client.post(url, {"title": "new", "file": file, "language": "de", "kind": "subtitles"})


def _rows(media: MediaFile) -> list[Any]:
    captions = list(Caption.objects.filter(media=media).values())
    return [MediaFile.objects.filter(pk=media.pk).values().get(), captions]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(PERSONAL | OPEN))
def test_lists_show_strangers_nothing_private(
    name: str, role: str, photo: MediaFile, visit: Any
) -> None:
    answer = visit(role).get(reverse(name), follow=False)
    if role == "anonymous" and name in PERSONAL:
        assert answer.status_code in {302, 401}
    if role in {"anonymous", "stranger"}:
        text = b"".join(answer) if answer.streaming else answer.content
        assert b"Secret name" not in text
        assert b"hidden word" not in text
        assert str(photo.pk).encode() not in text


@pytest.mark.parametrize("role", ["anonymous", "stranger"])
@pytest.mark.parametrize("query", [{"q": "secret"}, {"tag": "hidden word"}, {"owner": "olga"}])
def test_search_finds_nothing_hidden(
    role: str, query: dict[str, str], photo: MediaFile, visit: Any
) -> None:
    assert visit(role).get("/api/v1/media/", query).json()["results"] == []


@pytest.mark.parametrize("name", sorted(READING))
def test_permission_comes_before_conditions_and_ranges(
    name: str, photo: MediaFile, visit: Any
) -> None:
    url = _address(name, photo)
    etag = visit("owner").get(url)["ETag"]
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": "*"},
        {"Range": "bytes=0-0"},
        {"Range": "bytes=999999999-"},
        {"If-Match": '"x"'},
    ):
        answer = visit("stranger").get(url, headers=headers)
        assert answer.status_code == 404
        for header in ("ETag", "Content-Range", "Last-Modified", "Accept-Ranges"):
            assert header not in answer


def test_withdrawing_publicity_works_at_once(photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility="public")
    client, url = visit("anonymous"), _address("media:original", photo)
    assert client.get(url).status_code == 200
    MediaFile.objects.filter(pk=photo.pk).update(visibility="private")
    assert client.get(url).status_code == 404


def test_a_disabled_owner_sees_nothing(photo: MediaFile, owner: Any, visit: Any) -> None:
    client = visit("owner")
    owner.is_active = False
    owner.save()
    assert client.get(_address("media:original", photo)).status_code == 404


def test_staff_may_upload_only_as_themselves(staff: Any, owner: Any, visit: Any) -> None:
    body = {"file": SimpleUploadedFile("a.txt", b"words"), "owner": owner.pk}
    answer = visit("staff").post("/api/v1/media/", body)
    assert answer.json()["owner"]["username"] == "stella"


def test_renditions_of_an_old_version_are_gone(photo: MediaFile, visit: Any) -> None:
    Rendition.objects.filter(media=photo).update(version=7)
    for name in ("media:hls-master", "media:hls-playlist", "media:hls-track"):
        assert visit("owner").get(_address(name, photo)).status_code == 404
    assert visit("owner").get(_address("media:rendition", photo)).status_code == 202


def _assert_like_missing(answer: Any, client: Client, name: str, photo: MediaFile) -> None:
    """The same answer, header for header, as for an id that never existed."""
    missing = MediaFile(pk=uuid.uuid4(), version=1)
    other = client.get(_address(name, missing))
    assert answer.status_code in {404, 302, 401}
    assert answer.status_code == other.status_code
    assert answer.content.replace(str(photo.pk).encode(), b"") == other.content.replace(
        str(missing.pk).encode(), b""
    )
    assert set(answer.headers) == set(other.headers)
