"""The tree of collections against a naive model of it, and what its services let nobody do."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.media import selectors, services
from apps.media.exceptions import (
    BadRequestError,
    CycleError,
    ForbiddenError,
    NotVisibleError,
    TooDeepError,
)
from apps.media.models import (
    AuditEvent,
    Collection,
    CollectionPlace,
    Grant,
    MediaFile,
    Visibility,
)
from apps.media.models.collection import MAX_LEVELS
from apps.media.policies import can_access, can_access_collection

OPENNESS = [Visibility.PRIVATE, Visibility.UNLISTED, Visibility.PUBLIC]


def _read(collection: Collection) -> Collection:
    return Collection.objects.get(pk=collection.pk)


def _path(collection: Collection) -> Iterator[Collection]:
    """From the collection up, by `parent` alone."""
    at: Collection | None = collection
    while at is not None:
        yield at
        at = at.parent


def assert_sound() -> None:
    """The closure and the openness are what the parents say, and nothing more."""
    expected = set()
    for collection in Collection.objects.all():
        path = list(_path(collection))
        expected |= {(above.pk, collection.pk, depth) for depth, above in enumerate(path)}
        narrowest = min((above.visibility for above in path), key=OPENNESS.index)
        assert collection.open_to == narrowest, collection.title
    rows = CollectionPlace.objects.values_list("ancestor", "descendant", "depth")
    assert set(rows) == expected
    assert rows.count() == len(expected)


@pytest.fixture
def make(owner: Any) -> Callable[..., Collection]:
    def create(title: str = "A", parent: Collection | None = None, **more: Any) -> Collection:
        more.setdefault("user", owner)
        return services.create_collection(title=title, parent=parent, **more)

    return create


def _grant(collection: Collection, user: Any, permission: str = "edit") -> None:
    Grant.objects.create(collection=collection, user=user, permission=permission)


class TestTree:
    @pytest.mark.parametrize("seed", range(12))
    def test_stays_what_the_parents_say_whatever_is_done(
        self, seed: int, make: Callable[..., Collection], owner: Any
    ) -> None:
        dice = random.Random(seed)
        for step in range(60):
            every = list(Collection.objects.order_by("pk"))
            some = dice.choice([None, *every])
            other = dice.choice(every) if every else None
            act = dice.choice(["make", "make", "move", "move", "open", "open", "delete"])
            with suppress(CycleError, TooDeepError):
                if act == "make" or other is None:
                    make(str(step), some, visibility=dice.choice(OPENNESS))
                elif act == "move":
                    services.move_collection(user=owner, collection=other, parent=some)
                elif act == "open":
                    level = dice.choice(OPENNESS)
                    services.update_collection(user=owner, collection=other, visibility=level)
                elif dice.random() < 0.3:
                    services.delete_collection(user=owner, collection=other)
            assert_sound()

    def test_has_no_cycle(self, make: Callable[..., Collection], owner: Any) -> None:
        top = make()
        middle = make(parent=top)
        low = make(parent=middle)
        for target in (top, middle, low):
            with pytest.raises(CycleError):
                services.move_collection(user=owner, collection=top, parent=target)
        assert_sound()

    def test_a_cycle_is_refused_by_the_database_too(self, make: Callable[..., Collection]) -> None:
        top = make()
        low = make(parent=top)
        with pytest.raises(IntegrityError), transaction.atomic():
            CollectionPlace.objects.create(ancestor=low, descendant=low, depth=2)
        with pytest.raises(IntegrityError), transaction.atomic():
            CollectionPlace.objects.create(ancestor=low, descendant=top, depth=MAX_LEVELS)

    def test_is_no_deeper_than_its_levels(
        self, make: Callable[..., Collection], owner: Any
    ) -> None:
        at = make()
        for _ in range(MAX_LEVELS - 1):
            at = make(parent=at)
        with pytest.raises(TooDeepError):
            make(parent=at)
        other = make("other")
        make("under it", other)
        with pytest.raises(TooDeepError):
            services.move_collection(user=owner, collection=other, parent=at.parent)
        assert _read(other).parent is None
        assert Collection.objects.count() == MAX_LEVELS + 2
        assert_sound()

    def test_goes_with_what_it_lies_in_and_files_stay(
        self, make: Callable[..., Collection], owner: Any, upload: Callable[..., MediaFile]
    ) -> None:
        top, beside = make(), make("beside")
        low = make(parent=make(parent=top))
        media = upload(b"words", "a.txt")
        services.add_items(user=owner, collection=low, media_ids=[media.pk])
        services.delete_collection(user=owner, collection=top)
        assert list(Collection.objects.all()) == [beside]
        assert MediaFile.objects.filter(pk=media.pk, deleted_at=None).exists()
        event = AuditEvent.objects.get(act="deleted")
        assert (event.collection_id, event.details) == (top.pk, {"collections": 3})
        assert_sound()


class TestOpenness:
    def test_nothing_is_more_open_than_what_it_lies_in(
        self,
        make: Callable[..., Collection],
        owner: Any,
        stranger: Any,
        upload: Callable[..., MediaFile],
    ) -> None:
        top = make(visibility="public")
        middle = make(parent=top, visibility="private")
        low = make(parent=middle, visibility="public")
        media = upload(b"words", "a.txt")
        MediaFile.objects.filter(pk=media.pk).update(usable=True, status="ready")
        media.refresh_from_db()
        services.add_items(user=owner, collection=low, media_ids=[media.pk])
        assert not can_access_collection(stranger, _read(low))
        assert not can_access(stranger, media)
        services.update_collection(user=owner, collection=middle, visibility="unlisted")
        assert _read(low).open_to == "unlisted"
        assert can_access(stranger, media)
        services.update_collection(user=owner, collection=top, visibility="private")
        assert not can_access(stranger, media)

    def test_moved_as_one(self, make: Callable[..., Collection], owner: Any, stranger: Any) -> None:
        shut, opened = make("shut"), make("open", visibility="public")
        moved = make("moved", shut, visibility="public")
        low = make("low", moved, visibility="public")
        assert not can_access_collection(stranger, _read(low))
        services.move_collection(user=owner, collection=moved, parent=opened)
        assert can_access_collection(stranger, _read(low))
        event = AuditEvent.objects.get(act="visibility")
        assert event.details == {"before": "private", "after": "public"}
        services.move_collection(user=owner, collection=moved, parent=shut)
        assert not can_access_collection(stranger, _read(low))

    def test_grants_reach_below_and_end_with_the_move(
        self, make: Callable[..., Collection], owner: Any, stranger: Any
    ) -> None:
        shared = make("shared")
        _grant(shared, stranger, "view")
        moved = make("moved", shared)
        low = make("low", moved)
        assert can_access_collection(stranger, low)
        services.move_collection(user=owner, collection=moved, parent=None)
        assert not can_access_collection(stranger, low)

    def test_a_change_is_written_down(self, make: Callable[..., Collection], owner: Any) -> None:
        collection = make()
        services.update_collection(user=owner, collection=collection, title="B")
        assert not AuditEvent.objects.exists()
        services.update_collection(user=owner, collection=collection, visibility="public")
        event = AuditEvent.objects.get()
        assert (event.act, event.collection_id) == ("visibility", collection.pk)
        assert event.details == {"before": "private", "after": "public"}


class TestRights:
    def test_strangers_change_nothing(
        self, make: Callable[..., Collection], stranger: Any, upload: Callable[..., MediaFile]
    ) -> None:
        top, theirs = make(visibility="public"), make("B", user=stranger)
        media = upload(b"words", "a.txt", user=stranger)
        others = upload(b"others", "b.txt")
        before = list(Collection.objects.order_by("pk").values())
        attempts = [
            lambda: make("C", top, user=stranger),
            lambda: services.update_collection(user=stranger, collection=top, title="x"),
            lambda: services.delete_collection(user=stranger, collection=top),
            lambda: services.move_collection(user=stranger, collection=top, parent=None),
            lambda: services.move_collection(user=stranger, collection=theirs, parent=top),
            lambda: services.add_items(user=stranger, collection=top, media_ids=[media.pk]),
            lambda: services.remove_items(user=stranger, collection=top, media_ids=[others.pk]),
            lambda: services.move_items(user=stranger, collection=top, media_ids=[media.pk]),
        ]
        for attempt in attempts:
            with pytest.raises(ForbiddenError):
                attempt()
        assert list(Collection.objects.order_by("pk").values()) == before
        assert not AuditEvent.objects.exists()
        assert not top.items.exists()

    def test_editors_change_it_but_neither_share_move_nor_delete(
        self, make: Callable[..., Collection], stranger: Any, owner: Any
    ) -> None:
        top = make()
        _grant(top, stranger)
        inside = make("inside", top, user=stranger)
        assert inside.owner == owner
        services.update_collection(user=stranger, collection=inside, title="new")
        for attempt in (
            lambda: services.update_collection(user=stranger, collection=top, visibility="public"),
            lambda: services.move_collection(user=stranger, collection=inside, parent=None),
            lambda: services.delete_collection(user=stranger, collection=inside),
            lambda: make("open", top, user=stranger, visibility="public"),
        ):
            with pytest.raises(ForbiddenError):
                attempt()
        assert _read(top).visibility == "private"
        assert _read(inside).parent == top

    def test_one_moves_under_anothers_with_the_right_to_edit_there(
        self, make: Callable[..., Collection], stranger: Any, owner: Any
    ) -> None:
        theirs = make("theirs", user=stranger)
        mine = make("mine")
        with pytest.raises(ForbiddenError):
            services.move_collection(user=owner, collection=mine, parent=theirs)
        _grant(theirs, owner)
        services.move_collection(user=owner, collection=mine, parent=theirs)
        assert _read(mine).owner == owner
        assert_sound()

    def test_nobody_signed_in_makes_none(self, db: None) -> None:
        from django.contrib.auth.models import AnonymousUser

        with pytest.raises(ForbiddenError):
            services.create_collection(user=AnonymousUser(), title="A")
        assert not Collection.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"title": "  "}, ValidationError),
            ({"title": "x" * 256}, ValidationError),
            ({"visibility": "everybody"}, ValidationError),
            ({"owner": 1}, BadRequestError),
            ({"open_to": "public"}, BadRequestError),
        ],
    )
    def test_values_are_checked(
        self,
        fields: dict[str, Any],
        error: type[Exception],
        make: Callable[..., Collection],
        owner: Any,
    ) -> None:
        collection = make()
        with pytest.raises(error):
            services.update_collection(user=owner, collection=collection, **fields)
        assert (_read(collection).title, _read(collection).open_to) == ("A", "private")

    def test_the_cover_is_one_they_may_see(
        self,
        make: Callable[..., Collection],
        owner: Any,
        stranger: Any,
        upload: Callable[..., MediaFile],
    ) -> None:
        collection = make()
        hidden = upload(b"theirs", "b.txt", user=stranger)
        with pytest.raises(NotVisibleError):
            services.update_collection(user=owner, collection=collection, cover=hidden)
        own = upload(b"mine", "a.txt")
        services.update_collection(user=owner, collection=collection, cover=own)
        services.delete_media(user=owner, media=own, permanent=True)
        assert _read(collection).cover is None

    def test_the_cover_is_nothing_that_another_has_unlisted(
        self,
        make: Callable[..., Collection],
        owner: Any,
        stranger: Any,
        staff: Any,
        upload: Callable[..., MediaFile],
    ) -> None:
        collection = make(visibility="public")
        theirs = upload(b"theirs", "b.txt", user=stranger, visibility="public")
        MediaFile.objects.update(usable=True, status="ready")
        services.update_collection(user=owner, collection=collection, cover=theirs)
        shown = {None: True, owner: True, stranger: True, staff: True}
        for visibility in ("public", "unlisted"):
            MediaFile.objects.update(visibility=visibility)
            for user, expected in shown.items():
                visitor = user or AnonymousUser()
                [found] = selectors.collections_shown_to(visitor, [_read(collection)])
                assert (found.shown_cover == theirs) is expected, (visibility, user)
            shown |= {None: False, owner: False}


def test_what_others_have_put_inside_is_not_theirs_to_delete(owner: Any, stranger: Any) -> None:
    outer = services.create_collection(user=stranger, title="Outer", visibility="public")
    services.grant_access(user=stranger, media=outer, to=owner, permission="edit")
    mine = services.create_collection(user=owner, title="Mine", visibility="public")
    inner = services.create_collection(user=owner, title="Inner", parent=mine)
    services.move_collection(user=owner, collection=mine, parent=outer)
    services.grant_access(user=owner, media=mine, to=stranger, permission="edit")
    theirs = services.create_collection(user=stranger, title="Theirs")
    services.move_collection(user=stranger, collection=theirs, parent=mine)
    services.delete_collection(user=stranger, collection=outer)
    mine.refresh_from_db()
    inner.refresh_from_db()
    assert (mine.parent, mine.visibility, mine.open_to) == (None, "private", "private")
    assert inner.parent == mine
    places = {(mine.pk, 0), (inner.pk, 1), (theirs.pk, 1)}
    assert set(mine.below.values_list("descendant", "depth")) == places
    assert set(mine.above.values_list("ancestor", flat=True)) == {mine.pk}


def test_many_go_in_as_many_queries_as_few(owner: Any, stranger: Any) -> None:
    asked = []
    for count in (2, 8):
        outer = services.create_collection(user=owner, title="Outer")
        services.grant_access(user=owner, media=outer, to=stranger, permission="edit")
        for _ in range(count):
            inner = services.create_collection(user=owner, title="Inner", parent=outer)
            services.create_collection(user=owner, title="Innermost", parent=inner)
            theirs = services.create_collection(user=stranger, title="Theirs")
            services.move_collection(user=stranger, collection=theirs, parent=inner)
        with CaptureQueriesContext(connection) as queries:
            services.delete_collection(user=owner, collection=outer)
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert set(Collection.objects.values_list("title", "parent")) == {("Theirs", None)}
    assert Collection.objects.count() == 10
    assert_sound()


def test_what_others_have_put_inside_outlives_an_account(owner: Any, stranger: Any) -> None:
    outer = services.create_collection(user=stranger, title="Outer", visibility="public")
    services.create_collection(user=stranger, title="Beside", parent=outer)
    services.grant_access(user=stranger, media=outer, to=owner, permission="edit")
    mine = services.create_collection(user=owner, title="Mine", visibility="public")
    services.move_collection(user=owner, collection=mine, parent=outer)
    stranger.delete()
    assert list(Collection.objects.all()) == [mine]
    mine.refresh_from_db()
    assert (mine.parent, mine.visibility, mine.open_to) == (None, "private", "private")
    assert set(mine.above.values_list("ancestor", "depth")) == {(mine.pk, 0)}
