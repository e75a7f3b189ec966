"""Many files at once: each judged as one alone is, in as many queries for many as for few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.media import services
from apps.media.exceptions import BadRequestError
from apps.media.models import AuditEvent, Collection, Emptying, MediaFile, ShareLink, Tag
from apps.media.selectors import list_shared_items
from apps.media.services import selections

Upload = Callable[..., MediaFile]


@pytest.fixture
def files(upload: Upload) -> list[MediaFile]:
    return [upload(b"%d" % n, f"{n}.txt", tags=["old"]) for n in range(6)]


@pytest.fixture
def foreign(upload: Upload, stranger: Any) -> MediaFile:
    """A file of somebody else that everybody sees."""
    made = upload(b"theirs", "theirs.txt", user=stranger, visibility="public")
    MediaFile.objects.filter(pk=made.pk).update(usable=True, status="ready")
    return made


def _ids(files: Sequence[MediaFile]) -> list[UUID]:
    return [media.pk for media in files]


def _codes(outcomes: list[services.Outcome]) -> list[str]:
    return [outcome.code for outcome in outcomes]


ACTS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (services.delete_many, {}),
    (services.tag_many, {"tags": ["new", "newer"]}),
    (services.untag_many, {"tags": ["old"]}),
    (services.publish_many, {"visibility": "public"}),
]


@pytest.mark.parametrize(("act", "more"), ACTS)
def test_many_take_as_many_queries_as_few(
    act: Callable[..., Any], more: dict[str, Any], files: list[MediaFile], owner: Any
) -> None:
    owner.has_perm("media.view_mediafile")  # asked once for each visitor
    asked = []
    for some in (files[:2], files[2:]):
        with CaptureQueriesContext(connection) as queries:
            assert set(_codes(act(user=owner, ids=_ids(some), **more))) == {""}
        asked.append(len(queries))
    assert asked[0] == asked[1] < 16


@pytest.mark.parametrize(("act", "more"), ACTS)
def test_hidden_is_missing_and_what_may_not_be_changed_stays(
    act: Callable[..., Any],
    more: dict[str, Any],
    upload: Upload,
    foreign: MediaFile,
    owner: Any,
    stranger: Any,
) -> None:
    hidden = upload(b"hidden", "hidden.txt", user=stranger, tags=["old"])
    before = list(MediaFile.objects.order_by("pk").values())
    events = AuditEvent.objects.count()
    outcomes = act(user=owner, ids=[hidden.pk, foreign.pk, uuid4()], **more)
    assert _codes(outcomes) == ["not_found", "permission_denied", "not_found"]
    assert outcomes[0].detail == outcomes[2].detail
    assert list(MediaFile.objects.order_by("pk").values()) == before
    assert AuditEvent.objects.count() == events
    assert not Tag.objects.filter(name="new").exists()
    assert hidden.tags.exists()


def test_pages_are_taken_one_after_the_other(
    files: list[MediaFile], owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections, "MOST_AT_ONCE", 4)
    assert _codes(services.delete_many(user=owner, ids=_ids(files))) == [""] * 6
    assert MediaFile.objects.filter(deleted_at=None).count() == 0
    assert MediaFile.objects.values("deleted_at").distinct().count() == 1
    monkeypatch.setattr(selections, "MOST_SELECTED", 5)
    with pytest.raises(BadRequestError):
        services.restore_many(user=owner, ids=_ids(files))
    assert MediaFile.objects.filter(deleted_at=None).count() == 0


def test_one_act_is_taken_back_and_no_other(files: list[MediaFile], owner: Any) -> None:
    first, moment = timezone.now(), timezone.now() + timedelta(seconds=1)
    services.delete_many(user=owner, ids=_ids(files[:2]), moment=first)
    # What is in the trash already came there by another act.
    services.delete_many(user=owner, ids=_ids(files[1:4]), moment=moment)
    assert len(services.restore_trashed(user=owner, moment=moment)[0]) == 2
    living = set(MediaFile.objects.filter(deleted_at=None))
    assert living == set(files[2:])
    acts = (
        AuditEvent.objects.filter(media_id=files[2].pk).order_by("pk").values_list("act", "actor")
    )
    assert list(acts) == [("trashed", owner.pk), ("restored", owner.pk)]


def test_an_act_in_pieces_is_taken_back_as_one(
    files: list[MediaFile], owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = timezone.now()
    for piece in (files[:3], files[3:]):
        services.delete_many(user=owner, ids=_ids(piece), moment=moment)
    monkeypatch.setattr(selections, "MOST_SELECTED", 4)
    assert _codes(services.restore_trashed(user=owner, moment=moment)[0]) == [""] * 6
    assert not MediaFile.objects.exclude(deleted_at=None).exists()


def test_what_comes_after_the_trash_was_emptied_stays_in_it(
    files: list[MediaFile], owner: Any
) -> None:
    moment = timezone.now()
    services.delete_many(user=owner, ids=_ids(files[:2]), moment=moment)
    # In another window; no worker has come to it yet.
    Emptying.objects.create(owner=owner, asked_at=timezone.now())
    services.delete_many(user=owner, ids=_ids(files[2:4]), moment=moment)
    assert services.sweep_emptied() == 2
    assert set(MediaFile.objects.all()) == set(files[2:])
    assert _codes(services.restore_many(user=owner, ids=_ids(files[2:4]))) == ["", ""]


def test_nobody_else_takes_it_back(files: list[MediaFile], owner: Any, stranger: Any) -> None:
    moment = timezone.now()
    services.delete_many(user=owner, ids=_ids(files), moment=moment)
    assert services.restore_trashed(user=stranger, moment=moment) == ([], False)
    assert MediaFile.objects.filter(deleted_at=None).count() == 0


def test_what_is_not_in_the_trash_or_is_being_deleted_is_not_restored(
    files: list[MediaFile], owner: Any
) -> None:
    services.delete_many(user=owner, ids=_ids(files[:1]))
    Emptying.objects.create(owner=owner, asked_at=timezone.now())
    services.delete_many(user=owner, ids=_ids(files[1:2]))
    outcomes = services.restore_many(user=owner, ids=_ids(files[:3]))
    assert [bool(code) for code in _codes(outcomes)] == [True, False, True]
    assert MediaFile.objects.get(pk=files[0].pk).deleted_at is not None


def test_tags_are_found_afterwards(files: list[MediaFile], owner: Any) -> None:
    services.tag_many(user=owner, ids=_ids(files[:2]), tags=["lake", "Lake", " OLD "])
    found = MediaFile.objects.filter(search_text__contains="lake")
    assert set(found) == set(files[:2])
    assert set(files[0].tags.values_list("name", flat=True)) == {"old", "Lake"}
    services.untag_many(user=owner, ids=_ids(files), tags=["LAKE", "old"])
    assert not found.all().exists()
    media = MediaFile.objects.get(pk=files[0].pk)
    assert not media.tags.exists()
    assert media.search_text == "0.txt"
    with pytest.raises(ValidationError):
        services.tag_many(user=owner, ids=_ids(files), tags=["x" * 65])


def test_tags_are_those_of_the_owner(files: list[MediaFile], staff: Any, foreign: Any) -> None:
    services.tag_many(user=staff, ids=[files[0].pk, foreign.pk], tags=["both"])
    for media in (files[0], foreign):
        assert Tag.objects.get(name="both", media_files=media).owner_id == media.owner_id


def test_visibility_is_written_down_where_it_changes(files: list[MediaFile], owner: Any) -> None:
    services.update_media(user=owner, media=files[0], visibility="public")
    outcomes = services.publish_many(user=owner, ids=_ids(files[:2]), visibility="public")
    assert _codes(outcomes) == ["", ""]
    events = AuditEvent.objects.filter(act="visibility").order_by("pk")
    assert [event.media_id for event in events] == _ids(files[:2])
    assert events[1].details == {
        "before": {"visibility": "private"},
        "after": {"visibility": "public"},
    }
    with pytest.raises(BadRequestError):
        services.publish_many(user=owner, ids=_ids(files), visibility="secret")


class TestSharing:
    def test_a_link_opens_them(self, files: list[MediaFile], owner: Any, foreign: Any) -> None:
        MediaFile.objects.update(usable=True, status="ready")
        shared = services.share_many(
            user=owner, ids=[files[1].pk, files[0].pk, foreign.pk], title="For you"
        )
        assert _codes(shared.outcomes) == ["", "", "permission_denied"]
        assert shared.collection
        assert shared.link
        assert shared.collection.visibility == "private"
        items = list_shared_items(link=shared.link, collection=shared.collection)
        assert [item.media_id for item in items] == _ids([files[1], files[0]])

    def test_what_was_begun_is_gone_on_with(
        self, files: list[MediaFile], owner: Any, foreign: MediaFile
    ) -> None:
        begun = services.share_many(user=owner, ids=_ids(files[:2]), title="Many").collection
        for ids in (_ids(files[2:5]), [foreign.pk]):
            more = services.share_many(user=owner, ids=ids, title="Many", begun=begun)
            assert (more.collection, more.link) == (begun, None)
        assert begun is not None
        assert begun.items.count() == 5
        assert ShareLink.objects.get().collection == begun

    def test_without_any_nothing_is_made(self, foreign: MediaFile, owner: Any) -> None:
        shared = services.share_many(user=owner, ids=[foreign.pk, uuid4()], title="None")
        assert _codes(shared.outcomes) == ["permission_denied", "not_found"]
        assert (shared.collection, shared.link) == (None, None)
        assert not Collection.objects.exists()
        assert not ShareLink.objects.exists()

    def test_a_title_that_cannot_be_makes_nothing(self, files: list[MediaFile], owner: Any) -> None:
        with pytest.raises(ValidationError):
            services.share_many(user=owner, ids=_ids(files), title="x" * 300)
        assert not Collection.objects.exists()
