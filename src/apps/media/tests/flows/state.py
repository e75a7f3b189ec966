"""What the observer saw at one moment, and what must be true of it.

Named after the promises: every object is explained by a row, every row has its objects, one set of
renditions each, accounts equal to a recount.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from apps.core.storage.keys import whole_of
from apps.media.processing.recipes import recipes_for
from apps.media.processing.types import Facts

Row = dict[str, Any]
# What a picture of 24 megapixels gets: every width in every format, and the square.
FULL_SET = len(recipes_for("image/jpeg", Facts(6000, 4000)))


@dataclass(frozen=True)
class State:
    """Rows and objects of a site; see `observer.state`."""

    media: list[Row]
    versions: list[Row]
    renditions: list[Row]
    uploads: list[Row]
    jobs: list[Row]
    tombstones: list[Row]
    quotas: list[Row]
    objects: dict[str, int]
    before: list[str]  # the objects from before the rows were read
    unfinished: list[str]

    def of(self, owner_id: int) -> list[Row]:
        """The media of one owner."""
        return [row for row in self.media if row["owner_id"] == owner_id]

    def renditions_of(self, media: Row) -> list[Row]:
        return [row for row in self.renditions if row["media_id"] == media["id"]]

    def unfinished_uploads(self, owner_id: int) -> list[Row]:
        mine = [row for row in self.uploads if row["owner_id"] == owner_id]
        return [row for row in mine if row["state"] != "completed"]

    def kept_keys(self) -> set[str]:
        """The objects that rows want to keep."""
        return {row["key"] for row in (*self.versions, *self.renditions)} - {""}

    def explained_keys(self) -> set[str]:
        """Every object that may exist: kept, being written, or on its way out."""
        unfinished = [row for row in self.uploads if row["state"] != "completed"]
        arriving = {key for row in unfinished for key in (row["key"], row["final_key"])}
        written = {row["next_key"] for row in self.renditions}
        leaving = {row["key"] for row in self.tombstones}
        return self.kept_keys() | arriving | written | leaving


def assert_explained(state: State) -> None:
    """At every instant, also the one after a crash: no object without a row, no row without one.

    Work goes on while the state is read: what came or went meanwhile proves nothing.
    """
    lasting = set(state.objects) & set(state.before)
    assert not set(map(whole_of, lasting)) - state.explained_keys(), "orphan objects"
    assert not set(state.unfinished) - state.explained_keys(), "orphan parts"
    assert not state.kept_keys() - set(state.objects) - set(state.before), (
        "rows without their object"
    )


def assert_at_rest(state: State) -> None:
    """Nothing is going on, tombstones are buried: exactly the rows' objects, of the right size."""
    assert not [row for row in state.jobs if row["state"] in {"queued", "running"}]
    assert not state.tombstones
    sizes = {row["key"]: row["size"] for row in (*state.versions, *state.renditions)}
    assert state.objects == sizes, sorted(set(state.objects.items()) ^ set(sizes.items()))
    assert not state.unfinished
    assert_single_sets(state)
    assert_accounts(state)


def assert_single_sets(state: State) -> None:
    """One set of renditions per file: each name once, each finished, none half replaced."""
    names = Counter((row["media_id"], row["version"], row["name"]) for row in state.renditions)
    assert all(count == 1 for count in names.values())
    assert all(row["state"] == "ready" and not row["next_key"] for row in state.renditions)


def assert_accounts(state: State) -> None:
    """What the accounts say is what a recount of the files gives."""
    owners = {row["id"]: row["owner_id"] for row in state.media}
    used: Counter[int] = Counter()
    for version in state.versions:
        used[owners[version["media_id"]]] += version["size"]
    files = Counter(owners.values())
    reserved: Counter[int] = Counter()
    for upload in state.uploads:
        reserved[upload["owner_id"]] += upload["reserved"]
    for quota in state.quotas:
        owner = quota["owner_id"]
        account = (quota["bytes_used"], quota["files_used"], quota["bytes_reserved"])
        assert account == (used[owner], files[owner], reserved[owner])
