"""Bytes into and out of S3 in constant memory: a streaming writer and a seekable reader."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.errors import ObjectMissingError
from apps.core.storage.base import ByteIterator, ClosingWriter
from apps.core.storage.s3_client import s3_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Every object tells what made it. A repeated request whose first answer was lost can so recognise
# its own work, where the server only says "taken" or "no such upload".
ORIGIN = "origin"
# The sniffed type stands in the database; a stored type would be served by a careless bucket.
CONTENT_TYPE = "application/octet-stream"

_PART_BYTES = 8 * 1024 * 1024  # above the 5 MiB minimum
_PARTS_PER_STEP = 1000  # of 10 000 allowed: growing parts take one object to 440 GB
_WINDOW_BYTES = 8 * 1024 * 1024  # one request of a sequential reader
_CHECKSUMS = ("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA256")


@dataclass(frozen=True)
class Destination:
    """Where and how a writer stores. `path` is the full key in the bucket, `key` ours for logs."""

    client: S3Client
    bucket: str
    path: str
    key: str
    conditional: bool  # the server honours If-None-Match
    send_md5: bool  # no newer checksum is sent, so send the old one
    origin_of: Callable[[str], str | None]  # what made the object of a key; None if nothing


class S3Writer(ClosingWriter):
    """One request for a small object, parts for a large one; never more than one part in memory.

    Nothing is visible before `close`. Without conditional writes the check for a taken key is not
    atomic; random keys make up for it.
    """

    def __init__(self, destination: Destination) -> None:
        self._to = destination
        self._origin = f"write:{secrets.token_hex(16)}"
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._open = True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if not self._open:
            raise ValueError("The writer is closed.")
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            room = self._part_size - len(self._buffer)
            self._buffer += rest[:room]
            rest = rest[room:]
            if len(self._buffer) == self._part_size:
                self._send_part()
        return size

    def close(self) -> None:
        if not self._open:
            return
        self._refuse_taken_key()
        try:
            with s3_errors(self._to.key):
                self._finish()
        except (FileExistsError, ObjectMissingError):
            if self._to.origin_of(self._to.key) != self._origin:
                raise
        self._open = False

    def abort(self) -> None:
        if not self._open:
            return
        self._open = False
        self._buffer = bytearray()
        if self._upload_id is not None:
            with s3_errors(self._to.key):
                self._to.client.abort_multipart_upload(**self._target, UploadId=self._upload_id)

    @property
    def _part_size(self) -> int:
        return _PART_BYTES * (1 + len(self._parts) // _PARTS_PER_STEP)

    @property
    def _target(self) -> dict[str, Any]:
        return {"Bucket": self._to.bucket, "Key": self._to.path}

    @property
    def _description(self) -> dict[str, Any]:
        return {"ContentType": CONTENT_TYPE, "Metadata": {ORIGIN: self._origin}}

    @property
    def _condition(self) -> dict[str, Any]:
        return {"IfNoneMatch": "*"} if self._to.conditional else {}

    def _refuse_taken_key(self) -> None:
        if not self._to.conditional and self._to.origin_of(self._to.key) is not None:
            raise FileExistsError(f"The key is taken: {self._to.key}")

    def _send_part(self) -> None:
        number = len(self._parts) + 1
        with s3_errors(self._to.key):
            if self._upload_id is None:
                self._upload_id = self._start()
            answer = self._to.client.upload_part(
                **self._target, **self._body(), UploadId=self._upload_id, PartNumber=number
            )
        sums = {name: answer[name] for name in _CHECKSUMS if name in answer}  # type: ignore[literal-required]
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
        self._buffer = bytearray()

    def _start(self) -> str:
        answer = self._to.client.create_multipart_upload(**self._target, **self._description)
        return answer["UploadId"]

    def _finish(self) -> None:
        if self._upload_id is None:
            self._to.client.put_object(
                **self._target, **self._description, **self._condition, **self._body()
            )
            return
        if self._buffer:
            self._send_part()
        self._to.client.complete_multipart_upload(
            **self._target,
            **self._condition,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": self._parts},  # type: ignore[typeddict-item]
        )

    def _body(self) -> dict[str, Any]:
        if not self._to.send_md5:
            return {"Body": self._buffer}
        digest = hashlib.md5(self._buffer, usedforsecurity=False).digest()
        return {"Body": self._buffer, "ContentMD5": base64.b64encode(digest).decode()}


class S3RawReader(io.RawIOBase):
    """A seekable view of one object that fetches windows of it as they are read."""

    def __init__(self, fetch: Callable[[int, int], ByteIterator], size: int) -> None:
        """`fetch(start, length)` streams a part; `size` is the object's, in bytes."""
        self._fetch = fetch
        self._size = size
        self._position = 0
        self._window: ByteIterator | None = None
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("Negative position")
        if base + offset != self._position:
            self._drop_window()
            self._position = base + offset
        return self._position

    def readinto(self, target: Any, /) -> int:
        goal = memoryview(target).cast("B")
        if not self._rest and not self._next_piece():
            return 0
        count = min(len(goal), len(self._rest))
        goal[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._position += count
        return count

    def close(self) -> None:
        self._drop_window()
        super().close()

    def _next_piece(self) -> bool:
        """Have unread bytes at the position; False at the end of the object."""
        while self._position < self._size:
            if self._window is None:
                self._window = self._fetch(self._position, _WINDOW_BYTES)
            piece = next(iter(self._window), b"")
            if piece:
                self._rest = memoryview(piece)
                return True
            self._window = None
        return False

    def _drop_window(self) -> None:
        window, self._window, self._rest = self._window, None, memoryview(b"")
        if window is not None:
            window.close()
