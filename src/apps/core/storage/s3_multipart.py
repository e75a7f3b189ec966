"""One object of S3 that is sent in parts, whoever sends them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from apps.core.storage.growing import StoredPart
from apps.core.storage.s3_client import is_gone, s3_errors
from apps.core.storage.s3_transfer import Destination
from apps.core.storage.spool import Spool

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

SMALLEST_PART = 5 * 1024**2  # bytes; the last one may be smaller
LARGEST_PART = 5 * 1024**3  # bytes
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Multipart:
    """An upload in parts. Errors are botocore's: each caller knows what a missing one means."""

    to: Destination
    id: str

    @classmethod
    def start(cls, to: Destination, *, origin: str) -> Self:
        answer = to.client.create_multipart_upload(**to.target, **to.description(origin))
        return cls(to, answer["UploadId"])

    def send(self, number: int, part: Spool) -> StoredPart:
        answer = self.to.client.upload_part(**self.target, **self.to.body(part), PartNumber=number)
        return StoredPart(number, part.size, bare(answer["ETag"]))

    def copy(self, number: int, source: Any, *, start: int, length: int) -> StoredPart:
        """Make a range of another object a part. `source` names its bucket and full key."""
        answer = self.to.client.upload_part_copy(
            **self.target,
            CopySource=source,
            CopySourceRange=f"bytes={start}-{start + length - 1}",
            PartNumber=number,
        )
        return StoredPart(number, length, bare(answer["CopyPartResult"]["ETag"]))

    def has_part(self, number: int) -> bool:
        """Whether a part is there, in one request."""
        found = self.to.client.list_parts(
            **self.target, PartNumberMarker=number - 1, MaxParts=1
        ).get("Parts", [])
        return bool(found) and found[0]["PartNumber"] == number

    def parts(self) -> Iterator[StoredPart]:
        """The parts that have arrived, by number."""
        for page in self.to.client.get_paginator("list_parts").paginate(**self.target):
            for found in page.get("Parts", ()):
                yield StoredPart(found["PartNumber"], found["Size"], bare(found["ETag"]))

    def complete(self, parts: Sequence[StoredPart]) -> None:
        listed: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts
        ]
        self.to.client.complete_multipart_upload(
            **self.target, **self.to.condition, MultipartUpload={"Parts": listed}
        )

    def abort(self) -> None:
        """Drop all parts; harmless when they are gone."""
        try:
            self.to.client.abort_multipart_upload(**self.target)
        except ClientError as error:
            if not is_gone(error):
                raise

    @property
    def target(self) -> Any:
        return {**self.to.target, "UploadId": self.id}


def uploads_of(to: Destination) -> Iterator[Multipart]:
    """Every unfinished upload of one object."""
    pages = to.client.get_paginator("list_multipart_uploads")
    for page in pages.paginate(Bucket=to.bucket, Prefix=to.path):
        for found in page.get("Uploads", ()):
            if found["Key"] == to.path:
                yield Multipart(to, found["UploadId"])


def abort_uploads(to: Destination) -> None:
    """Leave no unfinished upload of one object."""
    with s3_errors(to.key):
        for upload in list(uploads_of(to)):
            upload.abort()


def copy_in_parts(to: Destination, source: Any, *, size: int, step: int, origin: str) -> None:
    """Copy an object too large for one request, on the server, `step` bytes at a time."""
    upload = Multipart.start(to, origin=origin)
    try:
        parts = [
            upload.copy(number, source, start=start, length=min(step, size - start))
            for number, start in enumerate(range(0, size, step), start=1)
        ]
        upload.complete(parts)
    except BaseException:
        with contextlib.suppress(ClientError):
            upload.abort()
        raise


def bare(etag: str) -> str:
    """An entity tag without the quotes that some servers leave out."""
    return etag.strip('"')
