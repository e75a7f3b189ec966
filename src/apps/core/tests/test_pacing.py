"""What is sent is paced, and never more is sent at a time than there are places."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core import pacing
from apps.core.pacing import Metered, Slot, SlotLostError

PLACES = 3


@pytest.fixture(autouse=True)
def shared_cache(settings: Any, tmp_path: Path) -> None:
    """The one that all processes of a machine share."""
    settings.CACHES = {
        "default": {
            "BACKEND": "apps.core.caches.MachineCache",
            "LOCATION": str(tmp_path / "cache.sqlite3"),
        }
    }


def test_as_many_as_there_are_places_however_many_ask_at_once() -> None:
    taken: list[Slot | None] = []
    together = threading.Barrier(20)

    def take() -> None:
        together.wait()
        taken.append(Slot.take("a", places=PLACES))

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [slot for slot in taken if slot]
    assert len(held) == PLACES
    assert Slot.take("b", places=1)
    held[1].release()
    assert Slot.take("a", places=PLACES)
    assert Slot.take("a", places=PLACES) is None


def test_a_place_is_kept_for_as_long_as_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "LEASE_SECONDS", 1)
    monkeypatch.setattr(pacing, "RENEW_SECONDS", 0)
    slot = Slot.take("a", places=1)
    assert slot
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        slot.keep()
        assert Slot.take("a", places=1) is None


def test_what_a_dead_process_held_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "LEASE_SECONDS", 1)
    assert Slot.take("a", places=1)
    deadline = time.monotonic() + 30
    while Slot.take("a", places=1) is None:
        assert time.monotonic() < deadline


def test_one_that_stood_still_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "RENEW_SECONDS", 0)
    monkeypatch.setattr(pacing, "LEASE_SECONDS", 1)
    still = Slot.take("a", places=1)
    assert still
    monkeypatch.setattr(pacing, "LEASE_SECONDS", 600)
    deadline = time.monotonic() + 30
    while (other := Slot.take("a", places=1)) is None:
        assert time.monotonic() < deadline
    with pytest.raises(SlotLostError):
        still.keep()
    still.release()  # which is not its own any more
    assert Slot.take("a", places=1) is None
    other.keep()
    other.release()
    still.keep()  # nobody is there: it may go on
    assert Slot.take("a", places=1) is None


def test_bytes_pass_unchanged_and_the_place_is_released_once() -> None:
    slot = Slot.take("a", places=1)
    pieces = [b"abc", b"", b"d" * 100_000]
    body = Metered(pieces, rate=None, slot=slot)
    assert b"".join(body) == b"".join(pieces)
    assert Slot.take("a", places=1) is None
    body.close()
    other = Slot.take("a", places=1)
    assert other
    body.close()
    assert Slot.take("a", places=1) is None


@pytest.mark.parametrize("rate", [1_000, 64_000, 10_000_000])
def test_no_faster_than_the_rate(rate: int) -> None:
    """Asked with a clock that stands still: the pause before a piece is what all before it took."""
    data = bytes(range(256)) * 1_000
    pauses: list[float] = []
    begun = time.monotonic()
    body = Metered([data[:100_000], data[100_000:]], rate=rate, slot=None, sleep=pauses.append)
    sent, received = 0, b""
    for piece in body:
        if sent:
            took = time.monotonic() - begun
            assert (pauses[-1] if pauses else 0.0) >= sent / rate - took
            assert max(pauses, default=0.0) <= sent / rate
        assert len(piece) <= max(1, rate // 4)
        sent, received = sent + len(piece), received + piece
    assert received == data


def test_a_cache_that_is_away_lets_everybody_in(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    backend = {"BACKEND": "apps.core.caches.MachineCache", "LOCATION": str(tmp_path / "folder")}
    settings.CACHES = {"default": backend}
    slots = [Slot.take("a", places=1) for _ in range(3)]
    for slot in slots:
        assert slot
        slot.keep()
        slot.release()


def test_what_breaks_off_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise SlotLostError

    body = Metered(broken(), rate=None, slot=None)
    assert next(body) == b"a"
    with pytest.raises(SlotLostError):
        next(body)
