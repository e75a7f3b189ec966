"""The addresses of `test_access_matrix` × every role × every visibility and state (ASVS V8.2).

Many requests to a test: making the file and the people costs more than asking for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from apps.core.storage import ObjectStore
from apps.media.models import AuditEvent, MediaFile
from apps.media.policies import Action
from apps.media.tests import samples
from apps.media.tests.views.people import SOME, asking, everybody, lists, may
from apps.media.tests.views.test_access_matrix import (
    BY_METHOD,
    CHANGING,
    READING,
    SIGNING,
    STATES,
    VIEWING,
    VISIBILITIES,
    _address,
    _assert_like_missing,
    _bring_into,
    _change,
    _rows,
    whole_photo,
)

# What needs another right than to edit.
DELETING = {
    "media:delete",
    "media:restore",
    "media:purge",
    "media:keep",
    "media:media-restore",
    "DELETE",
    "media:delete-version",
    "DELETE version",
}
VALIDATORS = ("ETag", "Content-Range", "Last-Modified", "Accept-Ranges")


@pytest.fixture
def photo(upload: Callable[..., MediaFile], own_storage: ObjectStore) -> MediaFile:
    return whole_photo(upload, own_storage)


@pytest.fixture
def clients(photo: MediaFile, staff: Any) -> Iterator[dict[str, Client]]:
    with everybody(photo, staff) as found:
        yield found


@pytest.mark.parametrize("name", sorted(VIEWING | READING))
def test_viewing(name: str, photo: MediaFile, clients: dict[str, Client]) -> None:
    url, action = _address(name, photo), Action.READ if name in READING else Action.VIEW
    for visibility in VISIBILITIES:
        MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
        for role, client in asking(clients, visibility).items():
            answer = client.get(url)
            if may(role, action, visibility=visibility):
                assert answer.status_code == 200, (role, visibility)
            else:
                _assert_like_missing(answer, client, name, photo)


@pytest.mark.parametrize("name", sorted(VIEWING | READING))
def test_what_is_not_ready(name: str, photo: MediaFile, clients: dict[str, Client]) -> None:
    """It was opened to everybody, which changes nothing."""
    url = _address(name, photo)
    for state in STATES:
        with transaction.atomic():
            _bring_into(state, photo)
            for role in SOME:
                _check_unready(clients[role].get(url), role, state, name)
            transaction.set_rollback(True)


def _check_unready(answer: Any, role: str, state: str, name: str) -> None:
    asked = Action.READ if name in READING else Action.VIEW
    if may(role, asked, state=state):
        assert answer.status_code == 200, (role, state)
    elif may(role, Action.VIEW, state=state):
        code = "quarantined" if state == "quarantined" else "permission_denied"
        assert (answer.status_code, answer.json()["code"]) == (403, code), (role, state)
    else:
        assert answer.status_code in {302, 401, 404}, (role, state)


@pytest.mark.parametrize("name", [*sorted(CHANGING), *BY_METHOD])
def test_changing(name: str, photo: MediaFile, clients: dict[str, Client]) -> None:
    """Whoever may see it is told no, everybody else that there is nothing; nothing has changed."""
    action = Action.DELETE if name in DELETING else Action.EDIT
    for visibility in ("private", "public"):
        MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
        for role, client in asking(clients, visibility).items():
            before = _rows(photo)
            with transaction.atomic():
                answer = _change(client, name, photo)
                after = _rows(photo) if MediaFile.objects.filter(pk=photo.pk).exists() else []
                transaction.set_rollback(True)
            if may(role, action, visibility=visibility):
                assert answer.status_code in {200, 204, 302, 400, 409, 415, 422}, role
                assert "/accounts/" not in answer.get("Location", ""), role
                continue
            assert after == before, role
            _check_refusal(answer, seen=may(role, Action.VIEW, visibility=visibility), role=role)


def _check_refusal(answer: Any, *, seen: bool, role: str) -> None:
    if role in {"anonymous", "deactivated grantee"}:
        assert answer.status_code in {302, 401, 403, 404}, role
        assert answer.status_code != 302 or answer["Location"].startswith("/accounts/login/")
    else:
        assert answer.status_code in ({403, 404} if seen else {404}), role


@pytest.mark.parametrize("name", sorted(READING))
def test_conditions_and_ranges(name: str, photo: MediaFile, clients: dict[str, Client]) -> None:
    """Permission comes first: whoever may not read learns no validator, size or state."""
    url = _address(name, photo)
    etag = clients["owner"].get(url)["ETag"]
    asked = {
        304: {"If-None-Match": etag},
        206: {"Range": "bytes=0-0"},
        416: {"Range": "bytes=999999999-"},
        412: {"If-Match": '"x"'},
    }
    for role in (*SOME, "collector", "expired grantee"):
        for status, headers in asked.items():
            answer = clients[role].get(url, headers=headers)
            if may(role, Action.READ):
                assert answer.status_code == status, role
                continue
            assert answer.status_code == 404, role
            assert not set(VALIDATORS) & set(answer.headers), role


def test_lists_and_searches(photo: MediaFile, clients: dict[str, Client]) -> None:
    """Each finds it by every filter, or by none."""
    queries: list[dict[str, str]] = [
        {},
        {"q": "secret"},
        {"tag": "hidden word"},
        {"owner": "olga"},
        {"media_type": "image"},
        {"ordering": "size"},
        {"ordering": "original_name", "status": "ready"},
    ]
    for visibility in VISIBILITIES:
        MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
        for role, client in asking(clients, visibility).items():
            for query in queries if visibility == "private" else queries[:2]:
                found = client.get("/api/v1/media/", query).json()["results"]
                expected = [str(photo.pk)] if lists(role, visibility=visibility) else []
                assert [each["id"] for each in found] == expected, (role, visibility, query)


def test_what_looks_alike(
    photo: MediaFile, upload: Callable[..., MediaFile], clients: dict[str, Client]
) -> None:
    other = upload(samples.photo_jpeg(32, 32), "other.jpg")
    MediaFile.objects.filter(pk=other.pk).update(
        status="ready", usable=True, visibility="public", likeness="0" * 16
    )
    MediaFile.objects.filter(pk=photo.pk).update(likeness="0" * 16)
    url = reverse("media:media-similar", args=[other.pk])
    for role, client in clients.items():
        found = [each["id"] for each in client.get(url).json()["results"]]
        assert found == ([str(photo.pk)] if lists(role, visibility="private") else []), role


def test_numbers_and_personal_lists_are_of_ones_own(
    photo: MediaFile, clients: dict[str, Client]
) -> None:
    """Also whoever may see a file of another does not have it, nor the other's tags."""
    names = (
        "library",
        "media-cards",
        "media-ids",
        "media-outline",
        "media-suggestions",
        "tag-suggestions",
        "trash",
        "media-trash",
        "tag-list",
        "usage",
        "import-list",
    )
    asked = {name: {"q": "hidden"} for name in ("media-suggestions", "tag-suggestions")}
    for role, client in clients.items():
        if role in {"owner", "anonymous", "deactivated grantee"}:
            continue
        for name in names:
            answer = client.get(reverse(f"media:{name}"), asked.get(name, {}))
            text = b"".join(answer) if answer.streaming else answer.content
            for secret in (b"Secret name", b"hidden word", str(photo.pk).encode()):
                assert secret not in text, (role, name)
        assert client.get(reverse("media:usage")).json()["files"] == 0, role
    used = clients["owner"].get(reverse("media:usage")).json()
    assert used["files"] == 1


def test_the_home_page_is_for_what_is_public(photo: MediaFile, clients: dict[str, Client]) -> None:
    for visibility in VISIBILITIES:
        MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
        text = clients["anonymous"].get("/").content
        assert (str(photo.pk).encode() in text) == (visibility == "public")


def test_rights_are_told_as_they_are(photo: MediaFile, clients: dict[str, Client]) -> None:
    for role, client in clients.items():
        if not may(role, Action.VIEW):
            continue
        told = client.get(reverse("media:media-detail", args=[photo.pk])).json()["permissions"]
        assert told == {
            name: may(role, Action(name)) for name in ("view", "edit", "delete", "share")
        }, role


def test_who_may_share_may_sign(photo: MediaFile, clients: dict[str, Client]) -> None:
    url = reverse(SIGNING, args=[photo.pk])
    for visibility in VISIBILITIES:
        MediaFile.objects.filter(pk=photo.pk).update(visibility=visibility)
        for role, client in asking(clients, visibility).items():
            before = AuditEvent.objects.count()
            answer = client.post(url)
            if role in {"anonymous", "deactivated grantee"}:
                assert answer.status_code in {401, 403}, role
            elif may(role, Action.READ, visibility=visibility):
                assert answer.status_code == (201 if may(role, Action.SHARE) else 403), role
            else:
                assert answer.status_code == 404, role
            assert AuditEvent.objects.count() - before == (answer.status_code == 201), role


def test_the_admin_is_for_staff(photo: MediaFile, clients: dict[str, Client]) -> None:
    pages = [
        reverse("admin:index"),
        reverse("admin:media_mediafile_changelist"),
        reverse("admin:media_mediafile_change", args=[photo.pk]),
        reverse("admin:media_tag_changelist"),
    ]
    for role, client in clients.items():
        for page in pages:
            answer = client.get(page)
            if role == "staff":
                assert answer.status_code == 200
            else:
                assert answer.status_code == 302, role
                assert answer["Location"].startswith("/admin/login/"), role


def test_the_description_of_the_api_shows_nobodys_files(
    photo: MediaFile, clients: dict[str, Client]
) -> None:
    for role in ("anonymous", "viewer", "owner"):
        text = clients[role].get("/api/schema/").content
        for secret in (b"Secret name", b"hidden word", str(photo.pk).encode(), b"olga"):
            assert secret not in text
