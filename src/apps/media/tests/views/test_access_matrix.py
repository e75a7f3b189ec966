"""Every address × every kind of visitor × every visibility: who gets what (ASVS V8.2).

The rows are generated from the URL table: an address without an expectation fails the test.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.core.storage import ObjectStore, new_key
from apps.media.models import MediaFile, Rendition
from apps.media.tests import samples
from apps.media.urls import urlpatterns

ROLES = ("anonymous", "stranger", "owner", "staff")
VISIBILITIES = ("private", "unlisted", "public")

# What needs the right to view one file: name → HTTP method.
VIEWING = {
    "media:original": "get",
    "media:rendition": "get",
    "media:media-detail": "get",
    "media:detail": "get",
    "media:status": "get",
}
# What needs the right to change it: name → (method, body).
CHANGING = {
    "media:media-restore": "post",
    "media:media-reprocess": "post",
    "media:edit": "post",
    "media:delete": "post",
    "media:restore": "post",
    "media:purge": "post",
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


def _names() -> set[str]:
    found = set()
    for entry in urlpatterns:
        for item in getattr(entry, "url_patterns", [entry]):
            found.add(f"media:{item.name}")
    return found


def test_every_address_has_its_row() -> None:
    assert _names() == set(VIEWING) | set(CHANGING) | PERSONAL | OPEN


@pytest.fixture
def photo(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    """A ready file with a rendition, as the pipeline leaves it, without running an engine."""
    media = upload(samples.photo_jpeg(64, 48), "Secret name.jpg", tags=["hidden word"])
    MediaFile.objects.filter(pk=media.pk).update(status="ready", progress=100)
    key = new_key("rendition", "webp")
    with own_storage.writer(key) as writer:
        writer.write(samples.photo_webp(64, 48))
    Rendition.objects.create(
        media=media,
        version=1,
        name="thumb.webp",
        state="ready",
        storage="media",
        key=key,
        mime_type="image/webp",
        width=64,
        height=48,
        size=own_storage.size_of(key),
    )
    media.refresh_from_db()
    return media


@pytest.fixture
def visit(
    owner: Any, stranger: Any, staff: Any, browser_of: Callable[[Any], Client]
) -> Callable[[str], Client]:
    people = {"anonymous": None, "stranger": stranger, "owner": owner, "staff": staff}
    return lambda role: browser_of(people[role])


def _address(name: str, media: MediaFile) -> str:
    arguments = [media.pk] + (["thumb.webp"] if name == "media:rendition" else [])
    return reverse(name, args=arguments)


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(VIEWING))
def test_viewing(name: str, role: str, visibility: str, photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
    answer = visit(role).get(_address(name, photo))
    allowed = role in {"owner", "staff"} or visibility != "private"
    if allowed:
        assert answer.status_code == 200
    else:
        _assert_like_missing(answer, visit(role), name, photo)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(VIEWING))
@pytest.mark.parametrize("state", ["pending", "processing", "failed", "quarantined", "deleted"])
def test_others_see_nothing_unfinished(
    name: str, role: str, state: str, photo: MediaFile, visit: Any
) -> None:
    change: dict[str, Any] = {"visibility": "public"}
    if state == "deleted":
        change["deleted_at"] = "2026-01-01T00:00:00Z"
    else:
        change |= {"status": state, "failure_code": "corrupt_file"}
    MediaFile.objects.filter(pk=photo.pk).update(**change)
    answer = visit(role).get(_address(name, photo))
    if role in {"owner", "staff"}:
        assert answer.status_code == 200
    else:
        _assert_like_missing(answer, visit(role), name, photo)


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [*sorted(CHANGING), "PATCH", "DELETE"])
def test_changing(name: str, role: str, visibility: str, photo: MediaFile, visit: Any) -> None:
    MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
    before = MediaFile.objects.filter(pk=photo.pk).values().get()
    client, url = visit(role), _address("media:media-detail", photo)
    if name == "PATCH":
        answer = client.patch(url, {"title": "new"}, content_type="application/json")
    elif name == "DELETE":
        answer = client.delete(url)
    else:
        answer = client.post(_address(name, photo), {"title": "new"})
    if role in {"owner", "staff"}:
        assert answer.status_code in {200, 204, 302, 409}
        return
    assert answer.status_code in {302, 401, 403, 404}
    if answer.status_code == 302:
        assert answer["Location"].startswith("/accounts/login/")
    if visibility == "private" and role == "stranger":
        assert answer.status_code == 404
    assert MediaFile.objects.filter(pk=photo.pk).values().get() == before


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


@pytest.mark.parametrize("name", ["media:original", "media:rendition"])
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
    assert visit("owner").get(_address("media:rendition", photo)).status_code == 404


def _assert_like_missing(answer: Any, client: Client, name: str, photo: MediaFile) -> None:
    """The same answer, header for header, as for an id that never existed."""
    missing = MediaFile(pk=uuid.uuid4())
    other = client.get(_address(name, missing))
    assert answer.status_code in {404, 302, 401}
    assert answer.status_code == other.status_code
    assert answer.content.replace(str(photo.pk).encode(), b"") == other.content.replace(
        str(missing.pk).encode(), b""
    )
    assert set(answer.headers) == set(other.headers)
