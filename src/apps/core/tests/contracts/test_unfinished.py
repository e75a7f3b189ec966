"""Finding what was begun in a store and never ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.core.storage import ObjectStore, UnfinishedStore, new_key
from apps.core.tests.storages import get, keys_of, put, unfinished_of

MIB = 1024 * 1024


def leave(store: ObjectStore, prefix: str = "incoming") -> str:
    """Begin an object and lose the process; returns its key."""
    key = new_key(prefix)
    writer = store.writer(key)
    writer.write(bytes(9 * MIB))
    return key


def test_listed_and_discarded(unfinished_store: UnfinishedStore) -> None:
    keys = sorted(leave(unfinished_store) for _ in range(3))
    put(unfinished_store, b"finished")
    found = list(unfinished_store.walk_unfinished())
    assert sorted(entry.key for entry in found) == keys
    assert all(entry.started < datetime.now(UTC) + timedelta(minutes=1) for entry in found)
    for entry in found:
        unfinished_store.discard(entry.key, state=entry.state)
        unfinished_store.discard(entry.key, state=entry.state)
    assert unfinished_of(unfinished_store) == []


def test_below_a_prefix(unfinished_store: UnfinishedStore) -> None:
    key = leave(unfinished_store, "one")
    leave(unfinished_store, "two")
    assert [entry.key for entry in unfinished_store.walk_unfinished("one/")] == [key]


def test_an_object_of_the_same_key_is_spared(unfinished_store: UnfinishedStore) -> None:
    """The leftover of a lost attempt goes; what another attempt finished stays."""
    key = leave(unfinished_store)
    put(unfinished_store, b"finished", key)
    for entry in unfinished_store.walk_unfinished():
        unfinished_store.discard(entry.key, state=entry.state)
    assert unfinished_of(unfinished_store) == []
    assert keys_of(unfinished_store) == [key]
    assert get(unfinished_store, key) == b"finished"
