"""Objects of Azure that grow: blocks, staged while more bytes arrive and committed by each step.

The blob lies at its key from the first step on, as a local file does. The state says how many of
its blocks are acknowledged: what was committed beyond is dropped by the next step or by sealing.
Blocks that were staged and never committed are in no listing; the server drops them after a week.
A blob has at most 50 000 blocks, so many steps of one object.
"""

from __future__ import annotations

import secrets

from apps.core.errors import ObjectMissingError
from apps.core.metrics import measured
from apps.core.storage.azure_client import AzureContainer, Block
from apps.core.storage.base import ClosingWriter
from apps.core.storage.growing import State
from apps.core.storage.spool import AppendSource, Spool, SpooledAppender

_ID_BYTES = 16  # of a block; all ids of one blob have the same length


def new_block_id() -> str:
    return secrets.token_hex(_ID_BYTES)


@measured("azure")
class BlockStream(SpooledAppender[Block]):
    """Cuts a stream into blocks of one blob."""

    def __init__(self, container: AzureContainer, key: str, *, size: int, folder: str | None):
        super().__init__(key, size=size, number=1, folder=folder)
        self._container = container

    def take_all(self) -> list[str]:
        """The ids of the blocks not told yet, once all have arrived; the unfilled one as well."""
        if self._spool and self._spool.size:
            self._submit()
        return [block.id for block in self._sender.wait()]

    def drop(self) -> None:
        self._release()

    def _send(self, number: int, part: Spool) -> Block:
        return self._container.stage(self._key, new_block_id(), part)


@measured("azure")
class AzureWriter(ClosingWriter):
    """Nothing is visible before `close`."""

    def __init__(self, container: AzureContainer, key: str, *, folder: str | None) -> None:
        self._container = container
        self._key = key
        self._origin = f"write:{secrets.token_hex(16)}"
        self._stream = BlockStream(container, key, size=0, folder=folder)
        self._open = True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if not self._open:
            raise ValueError("The writer is closed.")
        return self._stream.write(data)

    def close(self) -> None:
        if not self._open:
            return
        blocks = self._stream.take_all()
        self._container.commit(self._key, blocks, origin=self._origin, etag=None)
        self._end()

    def abort(self) -> None:
        if self._open:
            self._end()
            drop_staged(self._container, self._key)

    def _end(self) -> None:
        self._open = False
        self._stream.drop()


class AzureAppender(BlockStream):
    """Commits after the acknowledged blocks what has arrived."""

    def __init__(
        self,
        container: AzureContainer,
        key: str,
        *,
        size: int,
        state: State,
        folder: str | None,
        source: AppendSource,
    ) -> None:
        super().__init__(container, key, size=size, folder=folder)
        self._source = source
        self._durable = size
        self._blocks, self._etag = acknowledged(container, key, size=size, state=state)

    @property
    def state(self) -> State:
        return {"blocks": len(self._blocks)} if self._blocks else {}

    def append_object(self, key: str) -> int:
        """Through this process: a server-side copy of a part would need a signed address."""
        length = self._source.size_of(key)
        if self._stream(self._source, key, 0, length) != length:
            raise ObjectMissingError(key, "the source ends early")
        return length

    def checkpoint(self) -> int:
        # A commit drops blocks that it does not name, so none may be on its way meanwhile.
        in_spool = self._spool.size if self._spool else 0
        self._commit([block.id for block in self._sender.wait()], size=self.size - in_spool)
        return self._durable

    def _keep(self) -> None:
        self._commit(self.take_all(), size=self.size)

    def _commit(self, blocks: list[str], *, size: int) -> None:
        if not blocks:
            return
        together = [*self._blocks, *blocks]
        self._etag = self._container.commit(
            self._key, together, origin=f"append:{self._key}", etag=self._etag
        )
        self._blocks, self._durable = together, size


def acknowledged(
    container: AzureContainer, key: str, *, size: int, state: State
) -> tuple[list[str], str | None]:
    """The ids of the acknowledged blocks, and the entity tag of the blob as it lies, if it does."""
    found = container.find(key)
    there = [] if found is None else container.blocks(key, committed=True)
    blocks = there[: state.get("blocks", 0)]
    if sum(block.size for block in blocks) != size:
        raise ObjectMissingError(key, "shorter than was acknowledged")
    return [block.id for block in blocks], None if found is None else str(found.etag)


def seal(container: AzureContainer, key: str, *, size: int, state: State) -> None:
    """Drop what was committed beyond `size`; mostly there is nothing to do."""
    blocks, etag = acknowledged(container, key, size=size, state=state)
    if etag is None or container.get(key).size != size:
        container.commit(key, blocks, origin=f"append:{key}", etag=etag)


def drop_staged(container: AzureContainer, key: str) -> None:
    """Leave no staged block of an object that is not there yet, sooner than after a week."""
    if not container.blocks(key, committed=False) or container.find(key) is not None:
        return
    try:
        container.commit(key, [], origin="dropped", etag=None)
    except FileExistsError:
        return  # somebody finished it in this very moment
    container.remove(key)
