"""What is remembered for seconds, and what never."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.core.shortmemory import ShortMemory


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> ShortMemory:
    return ShortMemory(seconds=5, size=2, clock=clock)


@pytest.fixture
def asked() -> list[object]:
    return []


@pytest.fixture
def find(asked: list[object]) -> Callable[[object], Callable[[], object]]:
    def finder(value: object) -> Callable[[], object]:
        def look() -> object:
            asked.append(value)
            return value

        return look

    return finder


def test_the_oldest_makes_room(memory: ShortMemory, asked: list[object], find: Callable) -> None:
    for name in ("a", "a", "b", "c", "a", "c"):
        assert memory.recall(name, find(name)) == name
    assert asked == ["a", "b", "c", "a"]


def test_its_time_is_over(
    memory: ShortMemory, asked: list[object], find: Callable, clock: Clock
) -> None:
    memory.recall("key", find("old"))
    clock.now += 4.9
    assert memory.recall("key", find("new")) == "old"
    clock.now += 0.1
    assert memory.recall("key", find("new")) == "new"
    assert asked == ["old", "new"]


def test_an_answer_that_took_long_is_not_younger(memory: ShortMemory, clock: Clock) -> None:
    def slow() -> str:
        clock.now += 4
        return "slow"

    memory.recall("key", slow)
    clock.now += 1
    assert memory.recall("key", lambda: "new") == "new"


def test_neither_none_nor_errors_are_kept(
    memory: ShortMemory, asked: list[object], find: Callable
) -> None:
    for _ in range(2):
        assert memory.recall("none", find(None)) is None
    assert asked == [None, None]

    def fail() -> object:
        raise LookupError

    with pytest.raises(LookupError):
        memory.recall("key", fail)
    assert memory.recall("key", find("there")) == "there"


def test_all_is_forgotten(memory: ShortMemory, find: Callable) -> None:
    memory.recall("key", find("old"))
    memory.forget()
    assert memory.recall("key", find("new")) == "new"
