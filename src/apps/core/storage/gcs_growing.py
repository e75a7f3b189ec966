"""Objects of Google Cloud Storage that grow: pieces, joined on the server as they arrive.

What has become durable is one object, the base, that the state names. Each step joins the base and
its own pieces to a new base. The one before is removed when a later state comes back, which shows
that it was kept. What a crash leaves is found by name (`pieces_of`) on sealing or discarding.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from dataclasses import dataclass
from typing import Any

from apps.core.errors import AppError, ObjectMissingError
from apps.core.metrics import measured
from apps.core.storage.base import ClosingWriter
from apps.core.storage.gcs_client import GcsBucket
from apps.core.storage.growing import State
from apps.core.storage.keys import new_piece_key, pieces_of
from apps.core.storage.spool import Spool, SpooledAppender

logger = logging.getLogger(__name__)

_SPARE_BASES = 2  # behind the newest: that of the state we were opened with, and the one before


@dataclass(frozen=True)
class Piece:
    key: str
    size: int


@measured("gcs")
class PieceStream(SpooledAppender[Piece]):
    """Cuts a stream into pieces, each an object of its own."""

    def __init__(self, bucket: GcsBucket, key: str, *, size: int, folder: str | None) -> None:
        super().__init__(key, size=size, number=1, folder=folder)
        self._bucket = bucket
        self._loose: set[str] = set()  # pieces that are part of nothing yet

    def take_all(self) -> list[Piece]:
        """Every piece that was not told yet, once all have arrived; the unfilled one as well."""
        if self._spool and self._spool.size:
            self._submit()
        return self._sender.wait()

    @property
    def only_spool(self) -> Spool | None:
        """All bytes so far, if they never filled a piece."""
        return self._spool if self._number == 1 else None

    def drop(self) -> None:
        """Stop, and leave to `sweep` what has been sent."""
        self._release()

    def _send(self, number: int, part: Spool) -> Piece:
        key = new_piece_key(self._key)
        self._loose.add(key)
        self._bucket.put(key, part, origin=f"piece:{self._key}")
        return Piece(key, part.size)


@measured("gcs")
class GcsWriter(ClosingWriter):
    """One request for a small object, pieces for a large one; nothing is visible before `close`."""

    def __init__(self, bucket: GcsBucket, key: str, *, folder: str | None) -> None:
        self._bucket = bucket
        self._key = key
        self._folder = folder
        self._origin = f"write:{secrets.token_hex(16)}"
        self._stream = PieceStream(bucket, key, size=0, folder=folder)
        self._open = True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if not self._open:
            raise ValueError("The writer is closed.")
        return self._stream.write(data)

    def close(self) -> None:
        if not self._open:
            return
        self._finish()
        self._end()

    def abort(self) -> None:
        if self._open:
            self._end()

    def _finish(self) -> None:
        if self._stream.size == 0:
            put_empty(self._bucket, self._key, origin=self._origin, folder=self._folder)
        elif spool := self._stream.only_spool:
            self._bucket.put(self._key, spool, origin=self._origin)
        else:
            pieces = [self._bucket.blob(piece.key) for piece in self._stream.take_all()]
            self._bucket.join(pieces, self._key, origin=self._origin)

    def _end(self) -> None:
        was_small = self._stream.only_spool is not None or self._stream.size == 0
        self._open = False
        self._stream.drop()
        if not was_small:
            sweep(self._bucket, self._key)


class GcsAppender(PieceStream):
    """Joins to the base what has arrived."""

    def __init__(
        self, bucket: GcsBucket, key: str, *, size: int, state: State, folder: str | None
    ) -> None:
        super().__init__(bucket, key, size=size, folder=folder)
        self._bases: list[str] = [state["base"]] if state.get("base") else []
        self._told = list(self._bases)  # bases that somebody may have kept
        self._superseded: list[str] = list(state.get("old", ()))
        self._durable = size
        if size and not (self._bases and bucket.get(self._bases[0]).size == size):
            raise ObjectMissingError(key, "shorter than was acknowledged")

    @property
    def state(self) -> State:
        if not self._bases:
            return {}
        state: dict[str, Any] = {"base": self._bases[-1]}
        return {**state, "old": old} if (old := self._superseded + self._bases[:-1]) else state

    def append_object(self, key: str) -> int:
        found = self._bucket.get(key)
        if found.size:
            self._join(self.take_all())
            base = [self._bucket.blob(self._bases[-1])] if self._bases else []
            self._rebase([*base, found], [], length=found.size)
            self.size += found.size
        return int(found.size)

    def checkpoint(self) -> int:
        self._join(self._sender.arrived())
        self._told = list(self._bases)
        return self._durable

    def abort(self) -> None:
        super().abort()
        for piece in self._loose:
            self._remove_quietly(piece)
        self._loose.clear()

    def withdraw(self) -> None:
        for base in set(self._bases) - set(self._told):
            self._bucket.remove(base)

    def _keep(self) -> None:
        self._join(self.take_all())

    def _join(self, pieces: list[Piece]) -> None:
        if not pieces:
            return
        keys = [*self._bases[-1:], *(piece.key for piece in pieces)]
        self._rebase(
            [self._bucket.blob(key) for key in keys],
            [piece.key for piece in pieces],
            length=sum(piece.size for piece in pieces),
        )

    def _rebase(self, sources: list[Any], pieces: list[str], *, length: int) -> None:
        """Join `sources` to a new base, longer by `length`; no state names `pieces`."""
        base = new_piece_key(self._key)
        self._bucket.join(sources, base, origin=f"append:{self._key}")
        self._bases.append(base)
        self._durable += length
        removable, self._superseded = self._superseded, []
        while len(self._bases) > _SPARE_BASES + 1:
            removable.append(self._bases.pop(1))
        for key in [*pieces, *removable]:
            self._remove_quietly(key)
        self._loose.difference_update(pieces)

    def _remove_quietly(self, key: str) -> None:
        try:
            self._bucket.remove(key)
        except AppError:
            logger.warning("storage.piece_left", exc_info=True)


def seal(bucket: GcsBucket, key: str, *, size: int, state: State, folder: str | None) -> None:
    """Make `size` appended bytes an object; the work of an earlier attempt is recognised."""
    origin = f"append:{key}"
    try:
        _join_base(bucket, key, size=size, state=state, folder=folder)
    except ObjectMissingError:
        if not bucket.holds(key, origin, size=size):
            raise
    sweep(bucket, key)


def _join_base(bucket: GcsBucket, key: str, *, size: int, state: State, folder: str | None) -> None:
    if size == 0:
        put_empty(bucket, key, origin=f"append:{key}", folder=folder)
        return
    base = bucket.get(state["base"]) if state.get("base") else None
    if base is None or base.size != size:
        raise ObjectMissingError(key, "not as long as was acknowledged")
    bucket.join([base], key, origin=f"append:{key}")


def put_empty(bucket: GcsBucket, key: str, *, origin: str, folder: str | None) -> None:
    with contextlib.closing(Spool(folder)) as nothing:
        bucket.put(key, nothing, origin=origin)


def sweep(bucket: GcsBucket, key: str) -> None:
    """Remove what helped the object at a key to grow, whatever crash left it there."""
    for piece, _ in list(bucket.below(pieces_of(key))):
        bucket.remove(piece)
