"""What rows say of objects, along the keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.media.models import Tombstone
from apps.media.services import explanations as module
from apps.media.services.explanations import count_explanations, explanations
from apps.media.storage import current_alias
from apps.media.testing import make_media

pytestmark = pytest.mark.django_db

# A language ignores case and marks, or puts them elsewhere than bytes do.
KEYS = ["a-b", "a.b", "a/b", "a0", "aB", "a_b", "ab", "b", "z/é", "Ä", "É", "ä", "é"]


def _bury(*keys: str) -> None:
    due = timezone.now() + timedelta(days=1)
    Tombstone.objects.bulk_create(
        [Tombstone(storage=current_alias(), key=key, due_at=due) for key in keys]
    )


def _keys(after: str = "") -> list[str]:
    return [found.key for found in explanations(current_alias(), after=after)]


@pytest.fixture(params=[1, 2, 3, 1000])
def rows_a_page(request: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", request.param)


@pytest.mark.usefixtures("rows_a_page")
def test_every_row_once_along_the_bytes() -> None:
    _bury(*reversed(KEYS))
    assert _keys() == sorted(KEYS, key=str.encode)


@pytest.mark.usefixtures("rows_a_page")
def test_from_anywhere() -> None:
    _bury(*KEYS)
    ordered = sorted(KEYS, key=str.encode)
    for place, key in enumerate(ordered):
        assert _keys(after=key) == ordered[place + 1 :]


@pytest.mark.usefixtures("rows_a_page")
def test_rows_of_one_key_are_parted_by_no_page() -> None:
    _bury("a", "b", "b", "b", "b", "c")
    assert _keys() == ["a", "b", "b", "b", "b", "c"]
    assert _keys(after="a") == ["b", "b", "b", "b", "c"]
    assert _keys(after="b") == ["c"]
    named = [found.pk for found in explanations(current_alias())]
    assert len(set(named)) == 6


def test_what_is_written_meanwhile_ahead_is_met(monkeypatch: Any) -> None:
    """No snapshot is held while somebody walks."""
    monkeypatch.setattr(module, "PAGE_ROWS", 1)
    _bury("a", "b", "d")
    walk = explanations(current_alias())
    assert next(walk).key == "a"
    _bury("c")
    assert [found.key for found in walk] == ["b", "c", "d"]


def test_counts_what_is_owed_behind_a_key(owner: Any) -> None:
    media = make_media(owner=owner, content=b"x", renditions=("w320.jpg",))
    keys = sorted([media.current.key, media.renditions.get().key])
    counted = [count_explanations(current_alias(), after=after) for after in ("", *keys)]
    assert counted == [2, 1, 0]
