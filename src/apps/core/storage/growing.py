"""Objects that arrive bit by bit: in requests of ours, or straight from clients in signed parts.

Between two steps lie requests, processes, machines or days. What a store has to remember meanwhile
is a `State`: plain JSON that the caller keeps with its row and hands back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from apps.core.storage.base import ObjectStore

State: TypeAlias = dict[str, Any]


class Appender(Protocol):
    """The growing end of one object. One at a time: the caller holds a lock.

    What was written is durable once `close` has returned; `size` and `state` then have to be kept.
    What was written beyond the kept size is dropped by the next appender, so that a crash costs no
    more than what nobody was told is safe.
    """

    @property
    def size(self) -> int:
        """Bytes so far, those written but not yet durable included."""

    @property
    def state(self) -> State:
        """To be kept after `checkpoint` and `close`."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take all of `data`; returns its length in bytes."""

    def take_file(self, path: Path) -> int:
        """Append a local file, which is gone afterwards; returns its length in bytes.

        No byte passes through this process where the store can help it.
        """

    def append_object(self, key: str) -> int:
        """Append another object of the same store, which stays; returns its length in bytes."""

    def checkpoint(self) -> int:
        """Make durable what costs little; returns how many bytes of the object now are."""

    def close(self) -> int:
        """Make everything durable; returns the size in bytes. Nothing can be written afterwards."""

    def abort(self) -> None:
        """Let go: what was written since the last `checkpoint` is not kept.

        Leaves alone what somebody else may have stored at the key meanwhile.
        """

    def withdraw(self) -> None:
        """After `close`, when its state could not be kept: remove what only that state names."""


@runtime_checkable
class AppendingStore(ObjectStore, Protocol):
    """A store with `Capability.APPEND`."""

    def appender(self, key: str, *, size: int, state: State) -> Appender:
        """Go on at `size`, the number of bytes that were durable when `state` was kept.

        A new object begins with 0 and `{}`. ObjectMissingError when those bytes are not there.
        """

    def seal(self, key: str, *, size: int, state: State) -> None:
        """Turn `size` appended bytes into an ordinary object. Repeating it is harmless."""

    def discard(self, key: str, *, state: State) -> None:
        """Leave nothing, sealed or not, of an object that was begun. Repeating it is harmless."""


@dataclass(frozen=True)
class SignedPart:
    """A request that a client may send to the store: PUT `url` with exactly `headers`."""

    number: int
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredPart:
    """A part that has arrived. `size` in bytes; `etag` is empty where the store gives none."""

    number: int
    size: int
    etag: str = ""


@dataclass(frozen=True)
class PartRules:
    """What parts a store takes: sizes in bytes (the last part may be smaller) and their number."""

    smallest: int
    largest: int
    most: int


@runtime_checkable
class DirectStore(ObjectStore, Protocol):
    """A store with `Capability.PRESIGNED_PARTS`: clients send bytes to it without us.

    Parts are numbered from 1. A client that sends a part twice replaces it until completion.
    """

    @property
    def part_rules(self) -> PartRules: ...

    def begin_parts(self, key: str, *, single: bool) -> State:
        """Begin an object that a client will send, in one PUT if `single`."""

    def sign_part(
        self, key: str, *, state: State, number: int, size: int, expires_in: int
    ) -> SignedPart:
        """Let a client send part `number` of exactly `size` bytes, for `expires_in` seconds.

        The store refuses another size where it can.
        """

    def list_parts(self, key: str, *, state: State) -> list[StoredPart]:
        """The parts that have arrived, by number."""

    def complete_parts(self, key: str, *, state: State, parts: Sequence[StoredPart]) -> None:
        """Join these parts to an ordinary object. Repeating it is harmless.

        ValueError when one of them is not (or no longer) there as described.
        """

    def discard(self, key: str, *, state: State) -> None:
        """Leave nothing, complete or not. Repeating it is harmless."""


@dataclass(frozen=True)
class Unfinished:
    """An object that was begun and is in no listing; `started` aware, `state` for `discard`."""

    key: str
    started: datetime
    state: State


@runtime_checkable
class UnfinishedStore(ObjectStore, Protocol):
    """A store with `Capability.UNFINISHED`: keeps bytes that `walk` does not show."""

    def walk_unfinished(self, prefix: str = "") -> Iterator[Unfinished]:
        """Everything begun below `prefix` and neither finished nor discarded."""

    def discard(self, key: str, *, state: State) -> None: ...
