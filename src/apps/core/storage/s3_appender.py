"""An object of S3 that grows over many requests: parts, and a tail that is no part yet.

A part of S3 has a smallest size, so the rest of each step waits as a small object of its own, the
tail, which the state names. The next step takes it back into its first part. A tail is removed one
state later: only when a state that no longer needs it comes back is it known to have been kept.
What a crash leaves is found by name (`pieces_of`) when the object is sealed or discarded.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from apps.core.errors import AppError, ObjectMissingError
from apps.core.metrics import measured
from apps.core.storage.base import COPY_BYTES
from apps.core.storage.growing import State, StoredPart
from apps.core.storage.keys import new_piece_key
from apps.core.storage.local_files import local_errors
from apps.core.storage.s3_client import s3_errors
from apps.core.storage.s3_multipart import SMALLEST_PART, Multipart
from apps.core.storage.s3_transfer import CONTENT_TYPE, Destination
from apps.core.storage.spool import AppendSource, Spool, SpooledAppender, part_size

logger = logging.getLogger(__name__)


class SiblingObjects(AppendSource, Protocol):
    """What growing needs of the store besides its own key."""

    copy_part_size: int

    def remove(self, key: str) -> None: ...
    def address_of(self, key: str) -> Any: ...


@dataclass(frozen=True)
class Progress:
    """What the caller keeps: `parts` parts of `sent` bytes together, then the bytes of `tail`.

    `chain` is a digest over the entity tags of the parts, in order: with it, a part that somebody
    replaced behind our back is not taken for ours. `old` is a tail to remove.
    """

    upload_id: str = ""
    parts: int = 0
    sent: int = 0
    chain: str = ""
    tail: str = ""
    old: str = ""

    @property
    def state(self) -> State:
        return {name: value for name, value in asdict(self).items() if value}

    def is_made_of(self, parts: Iterable[StoredPart]) -> bool:
        """Whether these are the parts that were acknowledged."""
        seen = Progress()
        for part in parts:
            seen = seen.after(part)
        return (seen.parts, seen.sent, seen.chain) == (self.parts, self.sent, self.chain)

    def after(self, part: StoredPart) -> Progress:
        """The same with one part more, which begins with the bytes of the tail."""
        return replace(
            self,
            parts=self.parts + 1,
            sent=self.sent + part.size,
            chain=hashlib.sha256(f"{self.chain}{part.etag}".encode()).hexdigest(),
            tail="",
            old=self.tail or self.old,
        )


@dataclass(frozen=True)
class Growing:
    """One growing object: where it shall lie, and its store."""

    to: Destination
    store: SiblingObjects
    folder: str | None  # of spooled parts; None leaves it to `tempfile`

    @property
    def origin(self) -> str:
        return f"append:{self.to.key}"

    def read_tail(self, tail: str, *, length: int) -> Spool:
        """The bytes of a tail, of which "" names an empty one.

        ObjectMissingError when they are not all there.
        """
        spool = Spool(self.folder)
        try:
            if tail:
                self._read_into(spool, tail, most=length + 1)
            self._check_length(spool, length)
        except BaseException:
            spool.close()
            raise
        return spool

    def _read_into(self, spool: Spool, tail: str, *, most: int) -> None:
        pieces = self.store.read_range(tail, 0, most, chunk_size=COPY_BYTES)
        with contextlib.closing(pieces), local_errors(self.to.key):
            for piece in pieces:
                spool.write(piece)

    def _check_length(self, spool: Spool, length: int) -> None:
        if spool.size != length:
            raise ObjectMissingError(self.to.key, "not as long as was acknowledged")

    def put_tail(self, rest: Spool) -> str:
        key = new_piece_key(self.to.key)
        with s3_errors(key):
            self.to.client.put_object(
                **self.store.address_of(key), **self.to.body(rest), ContentType=CONTENT_TYPE
            )
        return key


@measured("s3")
class S3Appender(SpooledAppender[StoredPart]):
    """Sends full parts while more bytes arrive; `close` stores the rest as the tail."""

    def __init__(self, growing: Growing, *, size: int, state: State) -> None:
        progress = Progress(**state)
        super().__init__(
            growing.to.key, size=size, number=progress.parts + 1, folder=growing.folder
        )
        self._growing = growing
        self._opened_with = self._progress = progress
        self._upload = Multipart(growing.to, progress.upload_id) if progress.upload_id else None
        self._is_told = bool(progress.upload_id)  # somebody may have kept the upload's id
        self._take_back()

    @property
    def state(self) -> State:
        return self._progress.state

    def append_object(self, key: str) -> int:
        length = self._growing.store.size_of(key)
        start = self._fill_up_from(key, length) if self._spool else 0
        while length - start >= SMALLEST_PART:
            start += self._copy_part(key, start, length - start)
        start += self._stream(self._growing.store, key, start, length - start)
        if start != length:
            raise ObjectMissingError(key, "the source ends early")
        return length

    def checkpoint(self) -> int:
        self._take_over(self._sender.arrived())
        if self._progress is self._opened_with:
            return self._start
        self._is_told = True
        self._remove_old_tail()
        return self._progress.sent

    def abort(self) -> None:
        was_open = self._open
        super().abort()
        if was_open:
            self._drop_parts()

    def withdraw(self) -> None:
        if self._progress.tail and self._progress.tail != self._opened_with.tail:
            self._growing.store.remove(self._progress.tail)
        self._drop_parts()

    def _drop_parts(self) -> None:
        if self._upload is not None and not self._is_told:
            with s3_errors(self._key):
                self._upload.abort()

    def _take_back(self) -> None:
        """Have the bytes that were durable; ObjectMissingError if some are not there."""
        progress = self._progress
        rest = self.size - progress.sent
        with s3_errors(self._key):
            if self._upload and progress.parts and not self._upload.has_part(progress.parts):
                raise ObjectMissingError(self._key, "a part is gone")
        if progress.tail or rest:
            self._spool = self._growing.read_tail(progress.tail, length=rest)

    def _begun(self) -> Multipart:
        if self._upload is None:
            with s3_errors(self._key):
                self._upload = Multipart.start(self._growing.to, origin=self._growing.origin)
        return self._upload

    def _submit(self) -> None:
        self._begun()
        super()._submit()

    def _send(self, number: int, part: Spool) -> StoredPart:
        with s3_errors(self._key):
            return self._begun().send(number, part)

    def _keep(self) -> None:
        self._take_over(self._sender.wait())
        if self.size == self._start:
            return
        tail = self._growing.put_tail(self._spool) if self._spool else ""
        self._progress = replace(self._progress, tail=tail, old=self._opened_with.tail)
        self._remove_old_tail()

    def _take_over(self, parts: list[StoredPart]) -> None:
        for part in parts:
            self._progress = replace(self._progress.after(part), upload_id=self._begun().id)

    def _remove_old_tail(self) -> None:
        """The state that we were opened with has been kept, and needs it no more."""
        if not self._opened_with.old:
            return
        try:
            self._growing.store.remove(self._opened_with.old)
        except AppError:
            logger.warning("storage.tail_left", exc_info=True)

    def _fill_up_from(self, key: str, length: int) -> int:
        """Complete the open part with the beginning of an object; returns how much that took."""
        room = part_size(self._number) - (self._spool.size if self._spool else 0)
        return self._stream(self._growing.store, key, 0, min(room, length))

    def _copy_part(self, key: str, start: int, most: int) -> int:
        """Copy one part on the server, after those before it; returns its length."""
        length = min(most, self._growing.store.copy_part_size)
        self._take_over(self._sender.wait())
        with s3_errors(key):
            part = self._begun().copy(
                self._number,
                self._growing.store.address_of(key),
                start=start,
                length=length,
            )
        self._number += 1
        self.size += length
        self._take_over([part])
        return length
