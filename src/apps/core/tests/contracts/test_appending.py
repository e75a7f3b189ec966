"""What every store promises whose objects grow over many requests."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.core.exceptions import SuspiciousFileOperation

from apps.core.errors import ObjectMissingError
from apps.core.storage import Appender, AppendingStore, State, new_key
from apps.core.tests.storages import BAD_KEYS, get, keys_of, put, unfinished_of

MIB = 1024 * 1024
SIZES = [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 17 * MIB]


class Growth:
    """An object and what its caller keeps in a row: the size and the state, as JSON."""

    def __init__(self, store: AppendingStore) -> None:
        self.store = store
        self.key = new_key("incoming")
        self.size = 0
        self.kept = "{}"

    @property
    def state(self) -> State:
        found: State = json.loads(self.kept)
        return found

    def open(self) -> Appender:
        return self.store.appender(self.key, size=self.size, state=self.state)

    def keep(self, appender: Appender, size: int) -> None:
        self.size, self.kept = size, json.dumps(appender.state)

    def step(self, *pieces: bytes) -> None:
        """One request of a client: open, write, close, keep."""
        appender = self.open()
        for piece in pieces:
            assert appender.write(piece) == len(piece)
        self.keep(appender, appender.close())

    def seal(self) -> None:
        self.store.seal(self.key, size=self.size, state=self.state)

    def discard(self) -> None:
        self.store.discard(self.key, state=self.state)


@pytest.fixture
def growth(appending_store: AppendingStore) -> Growth:
    return Growth(appending_store)


def expect_only(growth: Growth, data: bytes) -> None:
    """The sealed object and nothing else is in the store."""
    assert growth.store.size_of(growth.key) == len(data)
    assert get(growth.store, growth.key) == data
    assert keys_of(growth.store) == [growth.key]
    assert unfinished_of(growth.store) == []


def expect_nothing(growth: Growth) -> None:
    assert not growth.store.exists(growth.key)
    assert keys_of(growth.store) == []
    assert unfinished_of(growth.store) == []


def cut(data: bytes, lengths: Iterator[int]) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        length = next(lengths)
        yield data[start : start + length]
        start += length


class TestSteps:
    @pytest.mark.parametrize("size", SIZES)
    def test_in_one_step(self, growth: Growth, size: int) -> None:
        data = os.urandom(size)
        growth.step(data)
        assert growth.size == size
        growth.seal()
        expect_only(growth, data)

    def test_never_opened(self, growth: Growth) -> None:
        growth.seal()
        expect_only(growth, b"")

    def test_in_steps_of_many_lengths(self, growth: Growth) -> None:
        data = os.urandom(27 * MIB + 12_345)
        lengths = itertools.cycle([1, 777_777, 9 * MIB + 1, 13, 3 * MIB - 5, 8 * MIB])
        for piece in cut(data, lengths):
            growth.step(*cut(piece, itertools.repeat(700_001)))
        assert growth.size == len(data)
        growth.seal()
        expect_only(growth, data)

    def test_steps_that_fill_parts_exactly(self, growth: Growth) -> None:
        data = os.urandom(24 * MIB)
        for piece in cut(data, itertools.repeat(8 * MIB)):
            growth.step(piece)
        growth.seal()
        expect_only(growth, data)

    def test_pieces_of_any_kind(self, growth: Growth) -> None:
        appender = growth.open()
        assert appender.write(b"one") == 3
        assert appender.write(bytearray(b"two")) == 3
        assert appender.write(memoryview(b"three")) == 5
        assert appender.size == 11
        growth.keep(appender, appender.close())
        growth.seal()
        expect_only(growth, b"onetwothree")

    def test_an_empty_step_changes_nothing(self, growth: Growth) -> None:
        growth.step(b"abc")
        before = growth.kept
        growth.step()
        assert (growth.size, growth.kept) == (3, before)
        growth.seal()
        expect_only(growth, b"abc")

    def test_size_counts_what_is_not_durable(self, growth: Growth) -> None:
        growth.step(b"abc")
        appender = growth.open()
        assert appender.size == 3
        appender.write(bytes(9 * MIB))
        assert appender.size == 9 * MIB + 3
        appender.abort()

    def test_close_and_abort_are_final(self, growth: Growth) -> None:
        appender = growth.open()
        appender.write(b"abc")
        growth.keep(appender, appender.close())
        with pytest.raises(ValueError, match="closed"):
            appender.write(b"x")
        appender.abort()
        assert appender.close() == 3
        growth.seal()
        expect_only(growth, b"abc")

    def test_bytes_that_are_not_there(self, growth: Growth) -> None:
        growth.size = 5
        with pytest.raises(ObjectMissingError):
            growth.open()

    def test_memory_stays_flat(self, growth: Growth) -> None:
        growth.step(os.urandom(17 * MIB))  # clients, threads and modules are there before counting
        gc.collect()
        process, piece = psutil.Process(), os.urandom(64 * 1024)
        before = peak = process.memory_info().rss
        appender = growth.open()
        for number in range(200 * 16):
            appender.write(piece)
            if number % 16 == 0:
                peak = max(peak, process.memory_info().rss)
        growth.keep(appender, appender.close())
        assert growth.size == 217 * MIB
        assert max(peak, process.memory_info().rss) - before < 64 * MIB
        growth.discard()
        expect_nothing(growth)

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_a_bad_key(self, appending_store: AppendingStore, key: str) -> None:
        calls = [
            lambda: appending_store.appender(key, size=0, state={}),
            lambda: appending_store.seal(key, size=0, state={}),
            lambda: appending_store.discard(key, state={}),
        ]
        for call in calls:
            with pytest.raises((ValueError, SuspiciousFileOperation)):  # the latter from Django
                call()
        assert keys_of(appending_store) == []


class TestCrashes:
    """A process that dies leaves what it sent; nobody was told that it is safe."""

    @pytest.mark.parametrize(
        ("kept", "extra"), [(0, 5), (0, 9 * MIB), (5, 9 * MIB), (9 * MIB, 5), (9 * MIB, 17 * MIB)]
    )
    def test_what_was_never_kept_is_dropped(self, growth: Growth, kept: int, extra: int) -> None:
        data = os.urandom(kept)
        growth.step(data)
        lost = growth.open()
        lost.write(b"X" * extra)
        lost.close()  # and the process dies before its state is kept
        rest = os.urandom(extra // 2 + 3)
        growth.step(rest)
        growth.seal()
        expect_only(growth, data + rest)

    def test_many_lost_steps(self, growth: Growth) -> None:
        data = b""
        for number in range(4):
            lost = growth.open()
            lost.write(b"X" * 1000)
            lost.close()
            data += bytes([number]) * 10
            growth.step(data[-10:])
        growth.seal()
        expect_only(growth, data)

    def test_a_kept_state_stays_good_whatever_comes_after(self, growth: Growth) -> None:
        first = os.urandom(9 * MIB + 1)
        growth.step(first)
        for _ in range(2):
            lost = growth.open()
            lost.write(b"X" * (9 * MIB))
            lost.checkpoint()
            lost.write(b"Y" * 5)
            lost.close()
        growth.step(b"end")
        growth.seal()
        expect_only(growth, first + b"end")

    def test_nothing_comes_after(self, growth: Growth) -> None:
        growth.step(b"abc")
        lost = growth.open()
        lost.write(b"X" * (9 * MIB))
        lost.close()
        growth.seal()
        expect_only(growth, b"abc")

    def test_lost_and_discarded(self, growth: Growth) -> None:
        for size in (5, 17 * MIB):
            lost = growth.open()
            lost.write(bytes(size))
            lost.close()
        growth.discard()
        expect_nothing(growth)


class TestLettingGo:
    @pytest.mark.parametrize("size", [3, 17 * MIB])
    def test_abort_keeps_the_state_before(self, growth: Growth, size: int) -> None:
        growth.step(b"abc")
        appender = growth.open()
        appender.write(bytes(size))
        appender.abort()
        appender.abort()
        growth.step(b"def")
        growth.seal()
        expect_only(growth, b"abcdef")

    @pytest.mark.parametrize("size", [3, 17 * MIB])
    def test_abort_of_the_first_step_and_discard(self, growth: Growth, size: int) -> None:
        appender = growth.open()
        appender.write(bytes(size))
        appender.abort()
        assert unfinished_of(growth.store) == []
        growth.discard()
        expect_nothing(growth)

    @pytest.mark.parametrize("size", [0, 1, 17 * MIB])
    def test_discard_leaves_nothing(self, growth: Growth, size: int) -> None:
        growth.step(bytes(size))
        growth.step(b"more")
        growth.discard()
        expect_nothing(growth)
        growth.discard()
        expect_nothing(growth)

    def test_discard_of_a_sealed_object(self, growth: Growth) -> None:
        growth.step(bytes(9 * MIB))
        growth.seal()
        growth.discard()
        expect_nothing(growth)

    def test_discard_spares_the_neighbours(self, growth: Growth) -> None:
        other = put(growth.store, b"other")
        growth.step(b"abc")
        growth.discard()
        assert keys_of(growth.store) == [other]


class TestLosingTheLock:
    """Whoever lost the lock has its appender still when somebody else has gone on."""

    @pytest.fixture(params=[0, 3, 9 * MIB])
    def begun(self, growth: Growth, request: pytest.FixtureRequest) -> bytes:
        data = os.urandom(request.param)
        growth.step(data)
        return data

    def test_abort_spares_what_was_acknowledged_since(self, growth: Growth, begun: bytes) -> None:
        loser, more = growth.open(), os.urandom(9 * MIB + 5)
        loser.write(b"X" * 100)
        growth.step(more)
        loser.abort()
        growth.step(b"end")
        growth.seal()
        expect_only(growth, begun + more + b"end")

    def test_abort_spares_the_finished_object(self, growth: Growth, begun: bytes) -> None:
        loser, more, target = growth.open(), os.urandom(9 * MIB + 5), new_key("original")
        loser.write(b"X" * 100)
        growth.step(more)
        growth.seal()
        growth.store.promote(growth.key, target)
        loser.abort()
        assert get(growth.store, target) == begun + more
        assert keys_of(growth.store) == [target]
        assert unfinished_of(growth.store) == []

    @pytest.mark.parametrize("size", [100, 9 * MIB])
    def test_what_was_stored_too_late_goes(self, growth: Growth, begun: bytes, size: int) -> None:
        loser, target = growth.open(), new_key("original")
        loser.write(os.urandom(size))
        growth.step(b"end")
        with contextlib.suppress(FileExistsError):  # where the store notices by itself
            loser.close()
        growth.seal()
        growth.store.promote(growth.key, target)
        loser.withdraw()
        assert get(growth.store, target) == begun + b"end"
        assert keys_of(growth.store) == [target]
        assert unfinished_of(growth.store) == []

    @pytest.mark.parametrize("size", [100, 9 * MIB, 25 * MIB])
    def test_what_was_sent_and_given_up_goes(self, growth: Growth, begun: bytes, size: int) -> None:
        loser = growth.open()
        loser.write(os.urandom(size))
        growth.step(b"end")
        growth.seal()
        loser.abort()
        expect_only(growth, begun + b"end")


class TestSealing:
    @pytest.mark.parametrize("size", [0, 1, 9 * MIB])
    def test_again_is_harmless(self, growth: Growth, size: int) -> None:
        data = os.urandom(size)
        growth.step(data)
        for _ in range(3):
            growth.seal()
        expect_only(growth, data)

    @pytest.mark.parametrize("size", [3, 9 * MIB])
    def test_bytes_that_are_gone(self, growth: Growth, size: int) -> None:
        growth.step(bytes(size))
        growth.discard()
        with pytest.raises(ObjectMissingError):
            growth.seal()
        expect_nothing(growth)

    def test_a_sealed_object_is_promoted_as_any_other(self, growth: Growth) -> None:
        data, target = os.urandom(9 * MIB), new_key("original")
        growth.step(data)
        growth.seal()
        growth.store.promote(growth.key, target)
        assert get(growth.store, target) == data
        assert keys_of(growth.store) == [target]


class TestCheckpoints:
    def test_what_it_says_is_durable_can_be_gone_on_with(self, growth: Growth) -> None:
        data = os.urandom(30 * MIB)
        growth.step(data[:100])
        appender = growth.open()
        durable = [100]
        for start in range(100, len(data), MIB):
            appender.write(data[start : start + MIB])
            durable.append(appender.checkpoint())
            growth.keep(appender, durable[-1])
        assert durable == sorted(durable)
        assert durable[-1] <= appender.size
        appender.close()  # whose state is never kept
        growth.step(data[growth.size :])
        growth.seal()
        expect_only(growth, data)

    def test_without_bytes(self, growth: Growth) -> None:
        growth.step(b"abc")
        appender = growth.open()
        assert appender.checkpoint() == 3
        growth.keep(appender, 3)
        growth.keep(appender, appender.close())
        growth.seal()
        expect_only(growth, b"abc")


class TestTaking:
    @pytest.mark.parametrize("size", [0, 1, 17 * MIB])
    @pytest.mark.parametrize("before", [b"", b"abc"])
    def test_a_file(self, growth: Growth, tmp_path: Path, size: int, before: bytes) -> None:
        data, path = os.urandom(size), tmp_path / "file"
        path.write_bytes(data)
        growth.step(before)
        appender = growth.open()
        assert appender.take_file(path) == size
        assert appender.size == len(before) + size
        assert not path.exists()
        appender.write(b"end")
        growth.keep(appender, appender.close())
        growth.seal()
        expect_only(growth, before + data + b"end")

    @pytest.mark.parametrize(
        "sizes", [(0, 1), (5 * MIB + 1, 5 * MIB - 1), (17 * MIB, 3, 12 * MIB), (3, 13 * MIB + 1)]
    )
    def test_other_objects(self, growth: Growth, sizes: tuple[int, ...]) -> None:
        parts = [os.urandom(size) for size in sizes]
        keys = [put(growth.store, part) for part in parts]
        appender = growth.open()
        for key, part in zip(keys, parts, strict=True):
            assert appender.append_object(key) == len(part)
        growth.keep(appender, appender.close())
        growth.seal()
        assert get(growth.store, growth.key) == b"".join(parts)
        assert set(keys_of(growth.store)) == {*keys, growth.key}
        assert unfinished_of(growth.store) == []

    def test_an_object_between_bytes(self, growth: Growth) -> None:
        data = os.urandom(20 * MIB)
        key = put(growth.store, data)
        growth.step(b"abc")
        appender = growth.open()
        appender.write(b"def")
        appender.append_object(key)
        appender.write(b"ghi")
        growth.keep(appender, appender.close())
        growth.step(b"jkl")
        growth.seal()
        assert get(growth.store, growth.key) == b"abcdef" + data + b"ghijkl"

    def test_an_object_that_is_missing(self, growth: Growth) -> None:
        growth.step(b"abc")
        appender = growth.open()
        with pytest.raises(ObjectMissingError):
            appender.append_object(new_key("test"))
        appender.abort()
        growth.seal()
        expect_only(growth, b"abc")
