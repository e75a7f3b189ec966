"""Where a file is used, told to those who may edit it, and no more than each may know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.media import policies, services
from apps.media.models import MediaFile
from apps.media.policies.uses import forget_use_describer
from apps.media.tests.hosts.models import Member, Note, NoteAttachment
from apps.media.tests.samples import photo_jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    media = upload(photo_jpeg(32, 24))
    note = Note.objects.create(text="a secret")
    NoteAttachment.objects.create(note=note, media=media)
    Member.objects.create(name="M", avatar=media)
    return media


@pytest.fixture
def describer(owner: Any) -> Iterator[None]:
    def describe(user: Any, uses: Any) -> list[policies.Description | None]:
        return [
            policies.Description("The note", use.host.get_absolute_url())
            if isinstance(use.host, Note)
            else None
            for use in uses
        ]

    policies.register_use_describer("hosts", describe)
    yield
    forget_use_describer("hosts")


def _usage(api: APIClient, media: MediaFile) -> Any:
    return api.get(f"/api/v1/media/{media.pk}/usage/")


def test_kinds_are_told_and_names_are_not(api: APIClient, media: MediaFile) -> None:
    answer = _usage(api, media)
    assert answer.status_code == 200
    assert answer.json() == {
        "next": None,
        "previous": None,
        "results": [
            {"kind": "member", "model": "hosts.member", "name": "", "url": ""},
            {"kind": "note", "model": "hosts.note", "name": "", "url": ""},
        ],
    }


def test_what_its_app_names_is_named(api: APIClient, media: MediaFile, describer: None) -> None:
    note = Note.objects.get()
    member, found = _usage(api, media).json()["results"]
    assert member["name"] == ""
    assert (found["name"], found["url"]) == ("The note", f"/notes/{note.pk}/")


def test_who_only_looks_is_told_nothing(stranger: Any, media: MediaFile) -> None:
    api = APIClient()
    api.force_authenticate(stranger)
    assert _usage(api, media).status_code == 404
    MediaFile.objects.update(visibility="public", usable=True, status="ready")
    answer = _usage(api, media)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_the_page_of_a_file_tells_its_owner(
    owner: Any, stranger: Any, media: MediaFile, describer: None, browser_of: Any
) -> None:
    MediaFile.objects.update(visibility="public", usable=True, status="ready", lifetime="used")
    page = browser_of(owner).get(media.get_absolute_url()).content.decode()
    assert "Where it is used" in page
    assert f'<a href="/notes/{Note.objects.get().pk}/">The note</a>' in page
    assert "kept as long as something uses it" in page
    assert "a secret" not in page
    assert (
        "Where it is used"
        not in browser_of(stranger).get(media.get_absolute_url()).content.decode()
    )


def test_an_unused_file_has_no_such_part(owner: Any, upload: Any, browser_of: Any) -> None:
    media = upload(photo_jpeg(40, 24))
    page = browser_of(owner).get(media.get_absolute_url()).content.decode()
    assert "Where it is used" not in page
    assert services.expire_unused() == 0
