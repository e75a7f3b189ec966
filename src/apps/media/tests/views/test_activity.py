"""What happened to a file and who did it, over HTTP and on pages, for those who may share it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.media import services
from apps.media.models import AuditEvent, MediaFile
from apps.media.tests import samples

Make = Callable[..., MediaFile]
Run = Callable[[], int]


@pytest.fixture
def media(upload: Make, run_jobs: Run) -> MediaFile:
    found = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    run_jobs()
    return MediaFile.objects.get(pk=found.pk)


def _api(media: MediaFile) -> str:
    return f"/api/v1/media/{media.pk}/activity/"


def _page(media: MediaFile) -> str:
    return f"/library/{media.pk}/activity/"


def _told(api: APIClient, media: MediaFile) -> list[tuple[Any, ...]]:
    rows = api.get(f"{_api(media)}?ordering=created_at").json()["results"]
    return [(row["act"], row["actor"], row["recipient"], row["details"]) for row in rows]


def test_all_that_is_done_with_a_file_is_told_in_order(
    api: APIClient, media: MediaFile, owner: Any, stranger: Any, run_jobs: Run
) -> None:
    assert _told(api, media) == []
    services.update_media(user=owner, media=media, title="Boats", caption="", tags=["Sea"])
    services.update_media(user=owner, media=media, title="Boats", tags=["sea"])  # as it is
    services.update_media(user=owner, media=media, visibility="public")
    grant = services.grant_access(user=owner, media=media, to=stranger)
    services.change_grant(user=owner, grant=grant, permission="edit")
    services.edit_picture(user=stranger, media=media, rotate=90)
    run_jobs()
    file = ContentFile(samples.photo_png(32, 32), "other.png")
    services.replace_media(user=stranger, media=media, file=file)
    run_jobs()
    services.restore_version(user=owner, media=media, number=1)
    services.delete_version(user=owner, media=media, number=2)
    services.revoke_access(user=owner, grant=grant)
    link = services.create_share_link(user=owner, media=media, password="open sesame")
    services.maybe_note_opening(user=stranger, link=link)
    services.revoke_share_link(user=owner, link=link)
    services.delete_media(user=owner, media=media)
    services.restore_media(user=owner, media=media)
    terms = {"expires_at": None, "has_password": True, "max_downloads": None}
    sight = {"before": {"visibility": "private"}, "after": {"visibility": "public"}}
    assert _told(api, media) == [
        ("edited", "olga", None, {"fields": ["tags", "title"]}),
        ("visibility", "olga", None, sight),
        ("granted", "olga", "sam", {"permission": "view", "expires_at": None}),
        ("grant_changed", "olga", "sam", {"permission": "edit", "expires_at": None}),
        ("shaped", "sam", None, {"version": 1}),
        ("replaced", "sam", None, {"version": 3}),
        ("version_back", "olga", None, {"version": 1}),
        ("version_gone", "olga", None, {"version": 2}),
        ("revoked", "olga", "sam", {}),
        ("link_made", "olga", None, terms),
        ("link_opened", "sam", None, {}),
        ("link_revoked", "olga", None, {}),
        ("trashed", "olga", None, {}),
        ("restored", "olga", None, {}),
    ]


def test_of_many_at_once_each_is_told(
    api: APIClient, media: MediaFile, upload: Make, owner: Any
) -> None:
    other = upload(b"words", "words.txt", tags=["sea"])
    services.tag_many(user=owner, ids=[media.pk, other.pk], tags=["Sea"])
    edited = ("edited", "olga", None, {"fields": ["tags"]})
    assert (_told(api, media), _told(api, other)) == ([edited], [])  # which had it before
    services.untag_many(user=owner, ids=[media.pk, other.pk], tags=["Sea", "shore"])
    assert (_told(api, media), _told(api, other)) == ([edited, edited], [edited])


def test_operators_are_not_named_and_their_looks_not_told(
    api: APIClient, media: MediaFile, staff: Any
) -> None:
    services.maybe_note_look(user=staff, media=media)
    services.hold_media(user=staff, media=media)
    assert AuditEvent.objects.filter(media_id=media.pk, actor=staff).count() == 2
    assert _told(api, media) == [("held", None, None, {})]


def test_people_and_groups_that_are_gone_have_no_name(
    api: APIClient, media: MediaFile, owner: Any, stranger: Any, browser_of: Any
) -> None:
    group = Group.objects.create(name="Choir")
    services.grant_access(user=owner, media=media, to=group)
    services.grant_access(user=owner, media=media, to=stranger)
    assert [row[2] for row in _told(api, media)] == ["Choir", "sam"]
    group.delete()
    stranger.delete()
    assert [row[2] for row in _told(api, media)] == [None, None]
    shown = browser_of(owner).get(_page(media)).content.decode()
    assert shown.count("Access given to somebody who is gone") == 2


def test_grantees_are_told_nothing(
    media: MediaFile, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    services.grant_access(user=owner, media=media, to=stranger, permission="edit")
    for address in (_api(media), _page(media)):
        assert browser_of(stranger).get(address).status_code == 403
    assert "/activity/" not in browser_of(stranger).get(media.get_absolute_url()).content.decode()
    assert _page(media) in browser_of(owner).get(media.get_absolute_url()).content.decode()


def test_the_page_says_it_in_words(
    media: MediaFile, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    until = timezone.now() + timedelta(days=400)
    services.grant_access(user=owner, media=media, to=stranger, permission="edit", expires_at=until)
    services.create_share_link(user=owner, media=media, password="x", max_downloads=3)
    services.update_media(user=owner, media=media, alt_text="Boats", visibility="unlisted")
    client = browser_of(owner)
    shown = client.get(_page(media)).content.decode()
    assert "Access given to sam" in shown
    assert f"may edit, until {until.day} {until:%B %Y, %H:%M}" in shown
    assert "with a password, for 3 downloads" in shown
    assert "Alternative text" in shown
    assert "Unlisted" in shown
    assert "Uploaded" in shown
    german = client.get(_page(media), headers={"Accept-Language": "de"}).content.decode()
    assert "Zugriff gegeben: sam" in german


def test_it_costs_as_much_however_much_there_is(
    api: APIClient,
    media: MediaFile,
    owner: Any,
    stranger: Any,
    browser_of: Callable[[Any], Client],
) -> None:
    group = Group.objects.create(name="Choir")
    client = browser_of(owner)

    def count() -> list[int]:
        counts = []
        for ask, address in ((api.get, _api(media)), (client.get, _page(media))):
            with CaptureQueriesContext(connection) as queries:
                assert ask(address).status_code == 200
            counts.append(len(queries))
        return counts

    for recipient in (stranger, group):
        services.grant_access(user=owner, media=media, to=recipient)
    few = count()
    for recipient in [stranger, group] * 20:
        services.grant_access(user=owner, media=media, to=recipient)
    assert AuditEvent.objects.filter(media_id=media.pk).count() == 42
    assert count() == few


def test_pages_lead_on_to_the_upload(
    media: MediaFile, owner: Any, browser_of: Callable[[Any], Client]
) -> None:
    for n in range(25):
        services.update_media(user=owner, media=media, title=f"Title {n}")
    client = browser_of(owner)
    first = client.get(_page(media))
    assert b"Uploaded" not in first.content
    assert first.content.count(b"Details changed") == 20
    rest = client.get(_page(media), {"cursor": first.context["page"].next})
    assert rest.content.count(b"Details changed") == 5
    assert b"Uploaded" in rest.content
    assert client.get(_page(media), {"cursor": "forged"}).status_code == 400
