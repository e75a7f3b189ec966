"""Bytes into S3 in constant memory."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.errors import ObjectMissingError
from apps.core.metrics import measured
from apps.core.storage.base import ClosingWriter
from apps.core.storage.s3_client import s3_errors
from apps.core.storage.spool import Spool, part_size

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Every object tells what made it. A repeated request whose first answer was lost can so recognise
# its own work, where the server only says "taken" or "no such upload".
ORIGIN = "origin"
# The sniffed type stands in the database; a stored type would be served by a careless bucket.
CONTENT_TYPE = "application/octet-stream"

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
    size_of: Callable[[str], int]

    @property
    def target(self) -> Any:
        return {"Bucket": self.bucket, "Key": self.path}

    @property
    def condition(self) -> Any:
        return {"IfNoneMatch": "*"} if self.conditional else {}

    def description(self, origin: str) -> Any:
        return {"ContentType": CONTENT_TYPE, "Metadata": {ORIGIN: origin}}

    def body(self, part: Spool) -> Any:
        """The arguments that send a spooled part."""
        if not self.send_md5:
            return {"Body": part.reader()}
        return {"Body": part.reader(), "ContentMD5": base64.b64encode(part.md5).decode()}

    def holds(self, origin: str, *, size: int) -> bool:
        """Whether the object is there, made by `origin` and of `size` bytes."""
        return self.origin_of(self.key) == origin and self.size_of(self.key) == size

    def refuse_taken_key(self, *, origin: str = "") -> None:
        """Without conditional writes: FileExistsError unless the key is free or holds our own."""
        if not self.conditional and self.origin_of(self.key) not in {None, origin or None}:
            raise FileExistsError(f"The key is taken: {self.key}")


@measured("s3")
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
        self._to.refuse_taken_key()
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
                self._to.client.abort_multipart_upload(**self._to.target, UploadId=self._upload_id)

    @property
    def _part_size(self) -> int:
        return part_size(len(self._parts) + 1)

    def _send_part(self) -> None:
        number = len(self._parts) + 1
        with s3_errors(self._to.key):
            if self._upload_id is None:
                self._upload_id = self._start()
            answer = self._to.client.upload_part(
                **self._to.target, **self._body(), UploadId=self._upload_id, PartNumber=number
            )
        sums = {name: answer[name] for name in _CHECKSUMS if name in answer}  # type: ignore[literal-required]
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], **sums})
        self._buffer = bytearray()

    def _start(self) -> str:
        answer = self._to.client.create_multipart_upload(
            **self._to.target, **self._to.description(self._origin)
        )
        return answer["UploadId"]

    def _finish(self) -> None:
        if self._upload_id is None:
            self._to.client.put_object(
                **self._to.target,
                **self._to.description(self._origin),
                **self._to.condition,
                **self._body(),
            )
            return
        if self._buffer:
            self._send_part()
        self._to.client.complete_multipart_upload(
            **self._to.target,
            **self._to.condition,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": self._parts},  # type: ignore[typeddict-item]
        )

    def _body(self) -> dict[str, Any]:
        if not self._to.send_md5:
            return {"Body": self._buffer}
        digest = hashlib.md5(self._buffer, usedforsecurity=False).digest()
        return {"Body": self._buffer, "ContentMD5": base64.b64encode(digest).decode()}
