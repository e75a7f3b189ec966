"""Files in collections: their order, who may put what in, and whom that opens a file to."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.media import services
from apps.media.exceptions import BadRequestError, ForbiddenError, NotVisibleError
from apps.media.models import Collection, CollectionItem, Grant, MediaFile
from apps.media.policies import can_access
from apps.media.services import collecting


@pytest.fixture
def collection(owner: Any) -> Collection:
    return services.create_collection(user=owner, title="A")


@pytest.fixture
def files(upload: Callable[..., MediaFile]) -> list[UUID]:
    return [upload(b"words %d" % number, f"{number}.txt").pk for number in range(6)]


def _order(collection: Collection) -> list[UUID]:
    rows = CollectionItem.objects.filter(collection=collection).order_by("position", "pk")
    return list(rows.values_list("media", flat=True))


def _publish(media: MediaFile, visibility: str = "private") -> None:
    MediaFile.objects.filter(pk=media.pk).update(usable=True, status="ready", visibility=visibility)


class TestOrder:
    def test_added_at_the_end_or_before_another(
        self, collection: Collection, files: list[UUID], owner: Any
    ) -> None:
        add = services.add_items
        assert add(user=owner, collection=collection, media_ids=files[:2]) == 2
        assert add(user=owner, collection=collection, media_ids=files[2:4], before=files[1]) == 2
        assert add(user=owner, collection=collection, media_ids=files[4:], before=files[0]) == 2
        expected = [files[n] for n in (4, 5, 0, 2, 3, 1)]
        assert _order(collection) == expected
        assert add(user=owner, collection=collection, media_ids=[files[3], files[3]]) == 0
        assert _order(collection) == expected

    @pytest.mark.parametrize("gap", [1, 2, 5, 2**32])
    @pytest.mark.parametrize("seed", range(4))
    def test_any_moves_end_as_in_a_list(
        self,
        gap: int,
        seed: int,
        collection: Collection,
        files: list[UUID],
        owner: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(collecting, "GAP", max(gap, len(files) + 1))
        monkeypatch.setattr(collecting, "ROWS_AT_ONCE", 2)
        services.add_items(user=owner, collection=collection, media_ids=files)
        dice, model = random.Random(seed), list(files)
        for _ in range(25):
            moved = dice.sample(model, dice.randint(1, 3))
            rest = [pk for pk in model if pk not in moved]
            before = dice.choice([None, *rest])
            services.move_items(user=owner, collection=collection, media_ids=moved, before=before)
            at = len(rest) if before is None else rest.index(before)
            model = rest[:at] + moved + rest[at:]
            assert _order(collection) == model

    def test_a_used_up_gap_is_made_again(
        self, collection: Collection, files: list[UUID], owner: Any
    ) -> None:
        services.add_items(user=owner, collection=collection, media_ids=files[:3])
        first, second, third = files[:3]
        for _ in range(50):  # each halves the gap before the last one
            services.move_items(user=owner, collection=collection, media_ids=[first], before=third)
            first, second = second, first
        assert _order(collection)[-1] == third
        positions = list(collection.items.values_list("position", flat=True))
        assert len(set(positions)) == 3

    def test_only_what_is_there_is_moved_and_removed(
        self, collection: Collection, files: list[UUID], owner: Any
    ) -> None:
        services.add_items(user=owner, collection=collection, media_ids=files[:2])
        move = services.move_items
        for ids, before in (([files[3]], None), ([files[0]], files[3]), ([files[0]], uuid4())):
            with pytest.raises(NotVisibleError):
                move(user=owner, collection=collection, media_ids=ids, before=before)
        with pytest.raises(BadRequestError):
            move(user=owner, collection=collection, media_ids=files[:2], before=files[0])
        remove = services.remove_items
        assert remove(user=owner, collection=collection, media_ids=[files[0], uuid4()]) == 1
        assert _order(collection) == [files[1]]
        assert MediaFile.objects.filter(pk=files[0]).exists()

    def test_not_too_many_at_once(self, collection: Collection, owner: Any) -> None:
        many = [uuid4() for _ in range(collecting.MOST_AT_ONCE + 1)]
        with pytest.raises(BadRequestError):
            services.remove_items(user=owner, collection=collection, media_ids=many)


class TestOpening:
    def test_nobody_adds_what_they_do_not_see(
        self,
        collection: Collection,
        upload: Callable[..., MediaFile],
        owner: Any,
        stranger: Any,
    ) -> None:
        own = upload(b"mine", "a.txt")
        hidden = upload(b"theirs", "b.txt", user=stranger)
        thrown = upload(b"gone", "c.txt")
        services.delete_media(user=owner, media=thrown)
        for pk in (hidden.pk, thrown.pk, uuid4()):
            with pytest.raises(NotVisibleError):
                services.add_items(user=owner, collection=collection, media_ids=[own.pk, pk])
        assert _order(collection) == []

    def test_it_opens_only_what_its_owner_put_in(
        self,
        collection: Collection,
        upload: Callable[..., MediaFile],
        owner: Any,
        stranger: Any,
    ) -> None:
        media = upload(b"theirs", "b.txt", user=stranger)
        _publish(media, "public")
        services.add_items(user=owner, collection=collection, media_ids=[media.pk])
        services.update_collection(user=owner, collection=collection, visibility="public")
        _publish(media, "private")
        media.refresh_from_db()
        assert not can_access(owner, media)
        # Its owner puts it in as well: now it is theirs to see.
        Grant.objects.create(collection=collection, user=stranger, permission="edit")
        services.add_items(user=stranger, collection=collection, media_ids=[media.pk])
        assert can_access(owner, media)
        services.remove_items(user=owner, collection=collection, media_ids=[media.pk])
        assert not can_access(owner, media)

    def test_its_owner_takes_it_out_also_without_a_right_to_edit(
        self,
        collection: Collection,
        upload: Callable[..., MediaFile],
        owner: Any,
        stranger: Any,
    ) -> None:
        own, theirs = upload(b"mine", "a.txt"), upload(b"theirs", "b.txt", user=stranger)
        grant = Grant.objects.create(collection=collection, user=stranger, permission="edit")
        services.add_items(user=owner, collection=collection, media_ids=[own.pk])
        services.add_items(user=stranger, collection=collection, media_ids=[theirs.pk])
        _publish(theirs)
        grant.delete()
        remove = services.remove_items
        for ids in ([own.pk], [theirs.pk, own.pk], [uuid4()], []):
            with pytest.raises(ForbiddenError):
                remove(user=stranger, collection=collection, media_ids=ids)
        assert can_access(owner, theirs)
        assert remove(user=stranger, collection=collection, media_ids=[theirs.pk]) == 1
        assert not can_access(owner, theirs)
