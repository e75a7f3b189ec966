"""Inside the transaction first, and after its commit; of what is rolled back nothing is heard."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from apps.core.signals import Outgoing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> list[tuple[str, bool, Any]]:
    return []


@pytest.fixture
def signal(heard: list[Any]) -> Outgoing:
    """One with a listener on each side, and one that fails before them."""

    def fail(**_: Any) -> None:
        raise RuntimeError

    def note(side: str) -> Any:
        return lambda what, **_: heard.append(
            (side, transaction.get_connection().in_atomic_block, what)
        )

    outgoing = Outgoing()
    for side, one in (("inside", outgoing.inside), ("after", outgoing)):
        one.connect(fail, weak=False)
        one.connect(note(side), weak=False)
    return outgoing


def test_is_heard_on_both_sides_of_the_commit(signal: Outgoing, heard: list[Any]) -> None:
    with transaction.atomic():
        signal.tell(int, what=1)
        assert heard == [("inside", True, 1)]
    assert heard == [("inside", True, 1), ("after", False, 1)]


def test_after_a_rollback_nobody_hears(signal: Outgoing, heard: list[Any]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        signal.tell(int, what=1)
        raise ZeroDivisionError
    assert [side for side, *_ in heard] == ["inside"]
