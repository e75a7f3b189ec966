"""Killed in the middle of the end of things: whoever starts it again brings it to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from apps.media.tests.flows.servers import Site, running_site
from apps.media.tests.flows.state import State, assert_at_rest, assert_explained

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
FILES = 5


@pytest.fixture(scope="module")
def rows_and_objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Nobody at work: what goes on is what the test does."""
    with running_site(tmp_path_factory.mktemp("ends"), programs=()) as site:
        yield site


# In the middle of a transaction, between two, and while objects go, when the account is gone.
@pytest.mark.parametrize(("where", "count"), [("row", 2), ("step", 2), ("object", 3)])
def test_an_erasure_that_is_killed_is_finished_by_the_same_command(
    where: str, count: int, rows_and_objects: Site
) -> None:
    site = rows_and_objects
    if where == "object" and not site.shows_partial_objects:
        pytest.skip("the storage is no directory")
    person, other = (site.observer.ask("own_files", f"{who}-{where}", FILES) for who in "ab")
    before = site.state()
    site.new_observer().ask_to_death("erase_and_die", person["id"], where, count)
    halfway = site.state()
    assert_explained(halfway)
    assert set(halfway.objects) & _keys(before, person)
    receipt = json.loads(site.manage("media_erase_user", person["name"], "--yes"))
    _expect_true(receipt, before, person)
    after = site.state()
    assert site.observer.ask("belongings", person["id"]) == {}
    assert len(after.of(other["id"])) == FILES
    assert_at_rest(after)
    assert site.observer.ask("violations") == []


def _keys(state: State, person: dict[str, Any]) -> set[str]:
    mine = {row["id"] for row in state.of(person["id"])}
    rows = (*state.versions, *state.renditions)
    return {row["key"] for row in rows if row["media_id"] in mine}


def _expect_true(receipt: dict[str, Any], before: State, person: dict[str, Any]) -> None:
    """However often it was begun, each thing is counted once."""
    keys = _keys(before, person)
    kinds = ("media.mediafile", "media.mediaversion", "media.rendition")
    assert {receipt["removed"][kind] for kind in kinds} == {FILES}
    assert receipt["storages"]["media"]["objects"] == len(keys) == 2 * FILES
    assert receipt["bytes"] == sum(before.objects[key] for key in keys)
    assert receipt["pending"] == {"objects": 0, "until": None}
    assert receipt["account"] == "removed"
    assert receipt["finished_at"]
