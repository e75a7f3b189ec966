"""Many who change one tree at once leave a tree, and files in an order; nobody hangs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection

from apps.core.errors import AppError
from apps.media import services
from apps.media.models import Collection, CollectionItem, MediaFile
from apps.media.services import collecting, selections
from apps.media.services.consistency import find_inconsistencies
from apps.media.tests.services.test_collections import assert_sound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="DATABASE_URL is no PostgreSQL"),
]
WORKERS, STEPS = 6, 25


def _at_once(acts: list[Callable[[], None]]) -> list[BaseException]:
    """Do all of `acts` at the same time; return what went wrong other than by design."""
    failures: list[BaseException] = []
    ready = threading.Barrier(len(acts))

    def work(act: Callable[[], None]) -> None:
        try:
            ready.wait()
            act()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    return failures


def test_two_collections_do_not_end_in_each_other(owner: Any) -> None:
    for _ in range(10):
        one, two = (services.create_collection(user=owner, title=title) for title in "AB")

        def move(collection: Collection, parent: Collection) -> None:
            with suppress(AppError):
                services.move_collection(user=owner, collection=collection, parent=parent)

        acts = [lambda a=one, b=two: move(a, b), lambda a=one, b=two: move(b, a)]
        assert _at_once(acts) == []
        assert Collection.objects.filter(pk__in=[one.pk, two.pk], parent=None).count() == 1
    assert_sound()


@pytest.mark.parametrize("seed", range(3))
def test_anything_at_once_leaves_a_tree(
    seed: int, owner: Any, upload: Callable[..., MediaFile]
) -> None:
    files = [upload(b"%d" % number, "a.txt") for number in range(8)]
    for number in range(8):
        services.create_collection(user=owner, title=str(number), visibility="public")

    def wander(worker: int) -> None:
        dice = random.Random(f"{seed} {worker}")
        for step in range(STEPS):
            every = list(Collection.objects.order_by("pk"))
            if not every:
                every = [services.create_collection(user=owner, title="anew")]
            one, other = dice.choice(every), dice.choice([None, *every])
            some = [media.pk for media in dice.sample(files, 3)]
            with suppress(AppError):
                match dice.choice(["make", "move", "move", "open", "add", "order", "delete"]):
                    case "make":
                        services.create_collection(user=owner, title=str(step), parent=other)
                    case "move":
                        services.move_collection(user=owner, collection=one, parent=other)
                    case "open":
                        level = dice.choice(["private", "unlisted", "public"])
                        services.update_collection(user=owner, collection=one, visibility=level)
                    case "add":
                        services.add_items(user=owner, collection=one, media_ids=some)
                    case "order":
                        services.move_items(user=owner, collection=one, media_ids=some[:1])
                    case "delete" if dice.random() < 0.2 and len(every) > 4:
                        services.delete_collection(user=owner, collection=one)

    acts = [lambda number=number: wander(number) for number in range(WORKERS)]
    assert _at_once(acts) == []
    assert_sound()
    assert list(find_inconsistencies(before=files[0].created_at)) == []


def test_a_file_that_goes_while_it_is_collected(
    owner: Any, upload: Callable[..., MediaFile]
) -> None:
    for _ in range(10):
        collection = services.create_collection(user=owner, title="A")
        media = upload(b"words", "a.txt")

        def collect(media: MediaFile, collection: Collection) -> None:
            with suppress(AppError):
                services.add_items(user=owner, collection=collection, media_ids=[media.pk])

        def remove(media: MediaFile) -> None:
            services.delete_media(user=owner, media=media, permanent=True)

        acts = [lambda m=media, c=collection: collect(m, c), lambda m=media: remove(m)]
        assert _at_once(acts) == []
        assert not CollectionItem.objects.filter(media=media.pk).exists()


def test_many_that_are_shared_in_pages_while_others_add_some(
    owner: Any,
    stranger: Any,
    upload: Callable[..., MediaFile],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever holds the collection waits for no file of a later page."""
    files = [upload(b"%d" % number, "a.txt", visibility="public") for number in range(2)]
    MediaFile.objects.update(usable=True, status="ready")
    begun = services.create_collection(user=owner, title="A")
    services.grant_access(user=owner, media=begun, to=stranger, permission="edit")
    lock, adding, shared = collecting._lock, threading.Event(), threading.Event()

    def lock_late(user: Any, collection: Collection) -> Collection:
        """Each gets to where the other is in its way; one that cannot is not waited for."""
        if user == owner:
            adding.wait(1)
            locked = lock(user, collection)
            shared.set()
            return locked
        adding.set()
        shared.wait(1)
        return lock(user, collection)

    def share() -> None:
        ids = [media.pk for media in files]
        services.share_many(user=owner, ids=ids, title="A", begun=begun)

    def add() -> None:
        services.add_items(user=stranger, collection=begun, media_ids=[files[1].pk])

    monkeypatch.setattr(selections, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(collecting, "_lock", lock_late)
    assert _at_once([share, add]) == []
    assert set(begun.items.values_list("media", flat=True)) == {media.pk for media in files}
