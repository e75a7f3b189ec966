"""One's own trash is emptied: at once when it is small, by a worker otherwise, and for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.storage import ObjectStore
from apps.media import dispatch, selectors, services
from apps.media.exceptions import ForbiddenError, WrongStateError
from apps.media.models import AuditEvent, Emptying, MediaFile
from apps.media.services import emptying
from apps.media.testing import assert_no_orphans

Upload = Callable[..., MediaFile]
pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/media/trash/"


@pytest.fixture
def thrown(upload: Upload, owner: Any) -> Callable[..., MediaFile]:
    """A file in the trash of the owner, or of somebody else."""

    def throw(user: Any = owner) -> MediaFile:
        media = upload(b"words", "a.txt", user=user)
        services.delete_media(user=user, media=media)
        return media

    return throw


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda name, *args, **rest: names.append(name) or True)
    return names


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, thrown: Callable[..., MediaFile]) -> list[MediaFile]:
    """More than somebody waits for."""
    monkeypatch.setattr(emptying, "AT_ONCE", 2)
    return [thrown() for _ in range(5)]


def test_the_whole_trash_goes_and_nothing_else(
    api: APIClient,
    thrown: Callable[..., MediaFile],
    upload: Upload,
    stranger: Any,
    own_storage: ObjectStore,
) -> None:
    for _ in range(3):
        thrown()
    kept, theirs = upload(b"kept", "kept.txt"), thrown(stranger)
    services.grant_access(user=stranger, media=theirs, to=kept.owner, permission="edit")
    assert api.delete(ADDRESS).status_code == 204
    assert set(MediaFile.objects.all()) == {kept, theirs}
    assert not Emptying.objects.exists()
    said = AuditEvent.objects.filter(act=AuditEvent.Act.DELETED)
    assert set(said.values_list("actor_name", flat=True)) == {"olga"}
    assert_no_orphans()
    assert len(list(own_storage.walk())) == 2


def test_of_a_large_one_a_worker_removes_the_rest(
    api: APIClient,
    owner: Any,
    large: list[MediaFile],
    sent: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(ADDRESS).status_code == 202
    assert dispatch.SWEEP_EMPTIED in sent
    assert MediaFile.objects.count() == 3
    assert api.get(ADDRESS).json()["results"] == []
    left = MediaFile.objects.order_by("pk").first()
    assert left is not None
    with pytest.raises(WrongStateError):
        services.restore_media(user=owner, media=left)
    assert "emptied" in services.explain(what=str(left.pk))[-1]
    assert services.sweep_emptied(limit=2) == 2
    assert services.sweep_emptied(limit=2) == 1
    assert not MediaFile.objects.exists()
    assert not Emptying.objects.exists()


def test_what_is_thrown_away_afterwards_stays(
    owner: Any, large: list[MediaFile], thrown: Callable[..., MediaFile]
) -> None:
    assert not services.empty_own_trash(user=owner)
    later = thrown()
    services.sweep_emptied()
    assert list(selectors.list_trash(user=owner)) == [later]
    assert not Emptying.objects.exists()
    services.restore_media(user=owner, media=later)


def test_asking_again_covers_what_came_since(
    owner: Any, large: list[MediaFile], thrown: Callable[..., MediaFile]
) -> None:
    services.empty_own_trash(user=owner)
    thrown()
    services.empty_own_trash(user=owner)
    assert list(selectors.list_trash(user=owner)) == []
    services.sweep_emptied()
    assert not MediaFile.objects.exists()


def test_the_cleanup_by_hand_does_it_too(owner: Any, large: list[MediaFile]) -> None:
    services.empty_own_trash(user=owner)
    (rule,) = [rule for rule in services.cleanup_rules() if rule.name == "emptied"]
    assert rule.count() == 3
    assert sum(services.clean_up(rule)) == 3


def test_who_may_not_delete_empties_nothing(
    settings: Any, api: APIClient, owner: Any, staff: Any, thrown: Callable[..., MediaFile]
) -> None:
    media = thrown()
    settings.MEDIA_APP = {**settings.MEDIA_APP, "DELETION": "staff"}
    answer = api.delete(ADDRESS)
    assert (answer.status_code, answer.json()["code"]) == (403, ForbiddenError.code)
    services.empty_own_trash(user=staff)  # their own, however much more they may delete
    services.sweep_emptied()
    assert set(MediaFile.objects.all()) == {media}
    assert not Emptying.objects.exists()


def test_nobody_has_no_trash(db: None) -> None:
    assert APIClient().delete(ADDRESS).status_code in {401, 403}
    assert not Emptying.objects.exists()


class TestPage:
    def test_says_that_it_is_for_good_and_does_it(
        self, owner: Any, browser_of: Callable[[Any], Client], thrown: Callable[..., MediaFile]
    ) -> None:
        thrown()
        client = browser_of(owner)
        page = client.get("/library/trash/").content.decode()
        assert "This cannot be undone." in page
        assert 'action="/library/trash/empty/"' in page
        answer = client.post("/library/trash/empty/", follow=True)
        assert "The trash is empty" in answer.content.decode()
        assert not MediaFile.objects.exists()

    def test_offers_nothing_to_who_may_not_delete(
        self,
        settings: Any,
        owner: Any,
        browser_of: Callable[[Any], Client],
        thrown: Callable[..., MediaFile],
    ) -> None:
        thrown()
        settings.MEDIA_APP = {**settings.MEDIA_APP, "DELETION": "staff"}
        client = browser_of(owner)
        assert "empty-trash" not in client.get("/library/trash/").content.decode()
        assert client.post("/library/trash/empty/").status_code == 403
        assert MediaFile.objects.exists()

    def test_restores_what_is_selected(
        self, owner: Any, browser_of: Callable[[Any], Client], thrown: Callable[..., MediaFile]
    ) -> None:
        chosen, other = [thrown(), thrown()], thrown()
        client = browser_of(owner)
        assert client.get("/library/trash/").content.decode().count('name="ids"') == 3
        answer = client.post(
            "/library/selection/",
            {"ids": [media.pk for media in chosen], "do": "restore", "next": "/library/trash/"},
            follow=True,
        )
        assert "2 files back in your library." in answer.content.decode()
        assert list(selectors.list_trash(user=owner)) == [other]


class TestKeeping:
    def test_a_file_outlives_what_used_it(
        self, owner: Any, browser_of: Callable[[Any], Client], upload: Upload
    ) -> None:
        media = upload(b"words", "a.txt", for_use=True)
        client, address = browser_of(owner), f"/library/{media.pk}/keep/"
        assert address in client.get(media.get_absolute_url()).content.decode()
        client.post(address)
        MediaFile.objects.update(created_at=timezone.now() - timedelta(days=9))
        assert services.mark_unused() == services.expire_unused() == 0
        assert MediaFile.objects.get().lifetime == "kept"
        assert address not in client.get(media.get_absolute_url()).content.decode()

    def test_is_not_for_others_who_may_edit(
        self,
        owner: Any,
        stranger: Any,
        browser_of: Callable[[Any], Client],
        upload: Upload,
    ) -> None:
        media = upload(b"words", "a.txt", for_use=True)
        services.grant_access(user=owner, media=media, to=stranger, permission="edit")
        client, address = browser_of(stranger), f"/library/{media.pk}/keep/"
        assert address not in client.get(media.get_absolute_url()).content.decode()
        assert client.post(address).status_code == 403
        assert MediaFile.objects.get().lifetime == "used"

    def test_not_what_is_in_the_trash(self, owner: Any, upload: Upload) -> None:
        media = upload(b"words", "a.txt", for_use=True)
        services.delete_media(user=owner, media=media)
        with pytest.raises(WrongStateError):
            services.keep_media(user=owner, media=media)
        assert MediaFile.objects.get().lifetime == "used"
