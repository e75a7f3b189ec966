"""Many files as one ZIP that is written while it is sent.

Nothing of it is kept: what a reader asks for, from any byte on, is made from the rows and the
stored bytes. A plan of a few hundred bytes for each file is all that is in memory. Whether the
visitor may have a file is judged anew when its turn comes. The size was promised before, so what
cannot be had any more is made up for by zeros that no directory names, and its line in the
directory by one of the same length in the list of contents.
"""

from __future__ import annotations

import hashlib
import re
import time
import uuid
import zlib
from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.byteserving import ByteSource, serve_bytes
from apps.core.connections import lend_connection
from apps.core.errors import AppError
from apps.core.filenames import clean_display_name, extension_of
from apps.core.storage import Capability, ObjectStore
from apps.core.storage.base import CHUNK_BYTES
from apps.core.zipformat import (
    END_LENGTH,
    Entry,
    central_entry,
    central_length,
    descriptor,
    dos_time,
    end_records,
    length_of,
    local_header,
)
from apps.media import selectors, services
from apps.media.exceptions import TooManyFilesError
from apps.media.policies import Visitor
from apps.media.selectors import Original
from apps.media.storage import store_of

MOST_FILES = 100_000
JUDGED_AT_ONCE = 100  # files
JUDGED_FOR = 5.0  # seconds for which an answer about a file holds
LONGEST_NAME = 200  # bytes
CONTENTS = b"contents.txt"
UNKNOWN, MISSING = -1, -2  # in the place of a checksum
ZEROS = bytes(CHUNK_BYTES)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')  # in names of some file systems
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_ID_BYTES = 16
Batch: TypeAlias = tuple[Sequence[str], Sequence[uuid.UUID]]  # folders, and files in them


def deliver_archive(
    request: HttpRequest, *, user: Visitor, title: str, batches: Iterable[Batch]
) -> HttpResponseBase:
    """Answer with all the files of `batches` that `user` may have, in that order and in the
    folders that are said with each.

    Raises `TooManyFilesError`.
    """
    plan = make_plan(user=user, title=title, batches=batches)
    source = ByteSource(
        store=cast("ObjectStore", Archive(user, plan)),
        key="",
        size=plan.size,
        content_type="application/zip",
        etag=f'"{plan.fingerprint()}"',
        last_modified=plan.newest,
        filename=f"{clean_name(title)}.zip",
        inline=False,
        cache_control="private, no-store",
    )
    lend_connection()  # clients may take hours
    return serve_bytes(request, source)


def make_plan(*, user: Visitor, title: str, batches: Iterable[Batch]) -> Plan:
    """Look up what the files are now; whoever looks by role is written down. Raises
    `TooManyFilesError`."""
    plan = Plan(title=title)
    for folders, ids in batches:
        found = selectors.find_originals(user=user, ids=ids)
        services.maybe_note_looks(user=user, media_ids=found.keys())
        path = "".join(f"{clean_folder(folder)}/" for folder in folders)
        for media_id in ids:
            plan.add(media_id, found.get(media_id), path=path)
    return plan


def clean_folder(title: str) -> str:
    """A name for a folder; no device of an old system is meant by it."""
    cleaned = clean_name(title)
    return f"_{cleaned}" if _DEVICE.fullmatch(cleaned) else cleaned


def clean_name(name: str) -> str:
    """A name that is one on every file system, and no path."""
    cleaned = _FORBIDDEN.sub("_", clean_display_name(name)).strip(". ") or "file"
    if len(cleaned.encode()) <= LONGEST_NAME:
        return cleaned
    extension = extension_of(cleaned)
    suffix = f".{extension}" if extension else ""
    room = LONGEST_NAME - len(suffix.encode())
    return cleaned.encode()[:room].decode(errors="ignore").rstrip(". ") + suffix


@dataclass
class Plan:
    """What an archive has in it, in columns; `newest` is when its last file came to be.

    A file's name begins with its number: it is unique, and sorts as the archive does.
    """

    title: str
    newest: datetime = datetime(1980, 1, 1, tzinfo=UTC)
    ids: bytearray = field(default_factory=bytearray)
    keys: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    times: array[int] = field(default_factory=lambda: array("L"))
    names: list[bytes] = field(default_factory=list)
    left_out: int = 0
    files_size: int = 0  # bytes up to where the contents begin
    central_size: int = 0  # bytes of the directory's lines for files

    def __len__(self) -> int:
        return len(self.names)

    def add(self, media_id: uuid.UUID, original: Original | None, *, path: str = "") -> None:
        """Plan for one more file at `path`, or for the lack of it. Raises `TooManyFilesError`."""
        if original is None:
            self.left_out += 1
            return
        if len(self) >= MOST_FILES:
            raise TooManyFilesError(MOST_FILES)
        self.names.append(f"{path}{len(self) + 1:05d} {clean_name(original.name)}".encode())
        self.ids += media_id.bytes
        self.keys.append(digest_of(original.key))
        self.sizes.append(original.size)
        self.times.append(dos_time(original.created_at))
        self.newest = max(self.newest, original.created_at)
        entry = self.entry(len(self) - 1, offset=self.files_size)
        self.files_size += length_of(entry)
        self.central_size += central_length(entry)

    def entry(self, index: int, *, offset: int) -> Entry:
        return Entry(self.names[index], self.sizes[index], self.times[index], offset)

    def entries(self) -> Iterator[Entry]:
        offset = 0
        for index in range(len(self)):
            entry = self.entry(index, offset=offset)
            offset += length_of(entry)
            yield entry

    def media_id(self, index: int) -> uuid.UUID:
        at = index * _ID_BYTES
        return uuid.UUID(bytes=bytes(self.ids[at : at + _ID_BYTES]))

    def contents(self) -> bytes:
        """What the list of contents says as long as all can be read."""
        missing = f", {self.left_out} not available" if self.left_out else ""
        return f"{clean_display_name(self.title)}: {len(self)} files{missing}\n".encode()

    def contents_entry(self, text: bytes) -> Entry:
        return Entry(CONTENTS, len(text), dos_time(self.newest), self.files_size)

    @property
    def size(self) -> int:
        """Bytes of the whole archive."""
        last = self.contents_entry(self.contents())
        ends = length_of(last) + central_length(last) + END_LENGTH
        return self.files_size + self.central_size + ends

    def fingerprint(self) -> str:
        """Two plans with the same one give the same bytes."""
        digest = hashlib.sha256(self.contents())
        for column in (self.ids, self.keys, self.sizes, self.times):
            digest.update(column)
        for name in self.names:
            digest.update(name + b"\0")
        return digest.hexdigest()[:32]


def digest_of(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])


class Archive:
    """The planned bytes, as much of a store as the byte server needs."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, user: Visitor, plan: Plan) -> None:
        self._user = user
        self._plan = plan

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> ArchiveReader:
        return ArchiveReader(self._user, self._plan, start=start, length=length)


class ArchiveReader:
    """Iterates over `length` bytes of the archive from `start`."""

    def __init__(self, user: Visitor, plan: Plan, *, start: int, length: int) -> None:
        self._plan = plan
        self._left = length
        self._judge = Judge(user, plan)
        self._crcs: array[int] = array("q", [UNKNOWN]) * len(plan)
        self._pieces = self._write(start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._left <= 0:
            self.close()
            raise StopIteration
        piece = next(filter(None, self._pieces))[: self._left]
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._left = 0
        self._pieces.close()
        self._judge.close()

    # -- files ---------------------------------------------------------------------------------

    def _write(self, start: int) -> Generator[bytes, None, None]:
        for index, entry in enumerate(self._plan.entries()):
            skipped = max(start - entry.offset, 0)
            if skipped < length_of(entry):
                yield from self._write_file(index, entry, skipped)
        yield from _skip(self._write_tail(), max(start - self._plan.files_size, 0))

    def _write_file(self, index: int, entry: Entry, skipped: int) -> Iterator[bytes]:
        head = local_header(entry)
        yield head[skipped:]
        skipped = max(skipped - len(head), 0)
        yield from self._write_bytes(index, entry, min(skipped, entry.size))
        crc = max(self._crcs[index], 0)
        yield descriptor(entry, crc)[max(skipped - entry.size, 0) :]

    def _write_bytes(self, index: int, entry: Entry, skipped: int) -> Iterator[bytes]:
        """The bytes of a file from `skipped` on; zeros for those that cannot be had."""
        original, sent = self._judge.find(index), skipped
        self._crcs[index] = MISSING
        if original is not None:
            try:
                for piece in self._read_counted(index, original, skipped):
                    sent += len(piece)
                    yield piece
            except AppError:
                self._crcs[index] = MISSING
        yield from _zeros(entry.size - sent)

    def _read_counted(self, index: int, original: Original, skipped: int) -> Iterator[bytes]:
        """The bytes from `skipped` on, and the checksum of all: where it is not known, those
        before are read as well."""
        at, crc = (0, 0) if original.crc32 is None else (skipped, original.crc32)
        for piece in _read(original, at):
            if original.crc32 is None:
                crc = zlib.crc32(piece, crc)
            fresh = piece[max(skipped - at, 0) :]
            at += len(piece)
            if fresh:
                yield fresh
        if at == original.size:
            self._crcs[index] = crc
            self._judge.learn(original, crc)

    # -- the end -------------------------------------------------------------------------------

    def _write_tail(self) -> Iterator[bytes]:
        self._settle_skipped()
        text = self._plan.contents()
        for index, entry in enumerate(self._plan.entries()):
            if self._crcs[index] == MISSING:
                line = b"Missing: %s - could not be read" % entry.name
                text += line.ljust(central_length(entry) - 1) + b"\n"
        contents, crc = self._plan.contents_entry(text), zlib.crc32(text)
        yield local_header(contents)
        yield text
        yield descriptor(contents, crc)
        offset = contents.offset + length_of(contents)
        size = count = 0
        for line in self._lines(contents, crc):
            size, count = size + len(line), count + 1
            yield line
        yield end_records(count=count, size=size, offset=offset)

    def _lines(self, contents: Entry, crc: int) -> Iterator[bytes]:
        for index, entry in enumerate(self._plan.entries()):
            if self._crcs[index] != MISSING:
                yield central_entry(entry, self._crcs[index])
        yield central_entry(contents, crc)

    def _settle_skipped(self) -> None:
        """Find the checksums of what this reader has begun behind."""
        for index in range(len(self._plan)):
            if self._crcs[index] == UNKNOWN:
                self._crcs[index] = MISSING
                if original := self._judge.find(index):
                    self._find_checksum(index, original)

    def _find_checksum(self, index: int, original: Original) -> None:
        try:
            for _ in self._read_counted(index, original, original.size):
                pass
        except AppError:
            self._crcs[index] = MISSING


class Judge:
    """Whether the visitor may have a file, asked for some at once and again after a while.

    Also keeps the checksums that were found until the next question.
    """

    def __init__(self, user: Visitor, plan: Plan) -> None:
        self._user = user
        self._plan = plan
        self._known: dict[uuid.UUID, Original] = {}
        self._asked = range(0)
        self._until = 0.0
        self._found: dict[Original, int] = {}

    def find(self, index: int) -> Original | None:
        """The planned bytes, if the visitor may have them now and they are still the file's."""
        if index not in self._asked or time.monotonic() > self._until:
            self._ask(index)
        original = self._known.get(self._plan.media_id(index))
        if original is None or digest_of(original.key) != self._plan.keys[index]:
            return None
        return original

    def learn(self, original: Original, crc: int) -> None:
        """Keep the checksum of these bytes for those who begin behind them."""
        if original.crc32 is None:
            self._found[original] = crc

    def close(self) -> None:
        if self._found:
            services.note_checksums(self._found)
            self._found = {}
            lend_connection()

    def _ask(self, index: int) -> None:
        services.note_checksums(self._found)
        self._found = {}
        self._asked = range(index, min(index + JUDGED_AT_ONCE, len(self._plan)))
        ids = [self._plan.media_id(one) for one in self._asked]
        self._known = selectors.find_originals(user=self._user, ids=ids)
        self._until = time.monotonic() + JUDGED_FOR
        lend_connection()


def _read(original: Original, start: int) -> Iterator[bytes]:
    if start == original.size:
        return
    store, length = store_of(original.storage), original.size - start
    pieces = store.read_range(original.key, start, length, chunk_size=CHUNK_BYTES)
    try:
        yield from pieces
    finally:
        pieces.close()


def _zeros(count: int) -> Iterator[bytes]:
    while count > 0:
        yield ZEROS[:count]
        count -= len(ZEROS)


def _skip(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """`pieces` without the first `count` bytes."""
    for piece in pieces:
        yield piece[count:]
        count = max(count - len(piece), 0)
