"""Objects in a bucket of an S3-compatible server.

The bucket must be private: its objects have no ACL and no honest content type. An object is
reached through `presigned_get` or through this process, never by a bare URL.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Never

from botocore.exceptions import ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage.base import (
    CHUNK_BYTES,
    COPY_BYTES,
    BoundedReader,
    Capability,
    StoredObject,
    copy_into,
    write_pieces,
)
from apps.core.storage.keys import check_key, check_prefix
from apps.core.storage.local import local_errors
from apps.core.storage.s3_client import client_config, is_aws, is_beyond_end, s3_errors
from apps.core.storage.s3_transfer import (
    CONTENT_TYPE,
    ORIGIN,
    Destination,
    S3RawReader,
    S3Writer,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_BUILDING = threading.Lock()
_READ_AHEAD_BYTES = 256 * 1024
_PARTIAL_CONTENT = 206


class S3Store(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """An `ObjectStore` in one bucket, below one prefix; also a Django storage for model fields."""

    capabilities = frozenset({Capability.PRESIGNED_GET, Capability.SERVER_COPY})

    # S3 copies at most 5 GiB in one request; a smaller limit stays inside the read timeout.
    largest_single_copy = 1024**3  # bytes
    copy_part_size = 512 * 1024**2  # bytes; 10 000 of them are S3's 5 TB

    _client: tuple[int, S3Client] | None = None

    def get_default_settings(self) -> dict[str, Any]:
        """Ours besides django-storages': `conditional_writes`, and no overwriting."""
        ours = {"file_overwrite": False, "default_acl": None, "conditional_writes": True}
        return {**super().get_default_settings(), **ours}

    def __init__(self, **settings: Any) -> None:
        if settings.get("client_config") is None:
            settings["client_config"] = client_config(
                endpoint_url=settings.get("endpoint_url"),
                addressing_style=settings.get("addressing_style"),
            )
        super().__init__(**settings)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_client"}

    @property
    def client(self) -> S3Client:
        """One client per process: botocore's are safe on many threads, not across a fork."""
        if self._client is None or self._client[0] != os.getpid():
            with _BUILDING:
                if self._client is None or self._client[0] != os.getpid():
                    self._client = (os.getpid(), self._build_client())
        return self._client[1]

    def writer(self, key: str) -> S3Writer:
        return S3Writer(
            Destination(
                client=self.client,
                bucket=self.bucket_name,
                path=self._path(key),
                key=key,
                conditional=self.conditional_writes,
                send_md5=not is_aws(self.endpoint_url),
                origin_of=self._origin_of,
            )
        )

    def open_object(self, key: str) -> BinaryIO:
        reader = S3RawReader(
            lambda start, length: self.read_range(key, start, length), self.size_of(key)
        )
        return io.BufferedReader(reader, _READ_AHEAD_BYTES)

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> BoundedReader:
        with s3_errors(key):
            body = self._open_body(key, start, length)
        return BoundedReader(
            body, length=length, chunk_size=chunk_size, guard=lambda: s3_errors(key)
        )

    def size_of(self, key: str) -> int:
        return self._head(key)["ContentLength"]

    def exists(self, name: str) -> bool:
        return self._find(name) is not None

    def promote(self, source: str, target: str) -> None:
        try:
            self._copy(source, target)
        except ObjectMissingError:
            if not self.exists(target):
                raise
        else:
            self.remove(source)

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as source, self.writer(key) as writer:
            copy_into(writer, source)

    def fetch(self, key: str, path: Path) -> None:
        size = self.size_of(key)
        with local_errors(key):
            written = write_pieces(path, self.read_range(key, 0, size, chunk_size=COPY_BYTES))
        if written != size:
            path.unlink()
            raise StorageUnavailableError(key, "object ends early", written)

    def remove(self, key: str) -> None:
        with contextlib.suppress(ObjectMissingError), s3_errors(key):
            self.client.delete_object(**self._target(key))

    def walk(self, prefix: str = "") -> Iterator[StoredObject]:
        base = f"{self.location}/" if self.location else ""
        pages = self.client.get_paginator("list_objects_v2")
        with s3_errors(prefix):
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=base + check_prefix(prefix)):
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(base)
                    yield StoredObject(key, found["Size"], found["LastModified"])

    def presigned_get(
        self, key: str, *, expires_in: int, content_type: str, content_disposition: str
    ) -> str:
        answer = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition,
        }
        return self.client.generate_presigned_url(
            "get_object", Params=self._target(key) | answer, ExpiresIn=expires_in
        )

    # What Django's fields call. Names are keys here, and a taken key is an error, not a new name.

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return check_key(name)

    def url(self, name: str, *args: object, **kwargs: object) -> Never:
        raise ValueError("A stored object has no URL of its own; delivery decides who gets it.")

    def delete(self, name: str) -> None:
        self.remove(name)

    def size(self, name: str) -> int:
        return self.size_of(name)

    def get_modified_time(self, name: str) -> datetime:
        return self._head(name)["LastModified"]

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("Objects are immutable; write a new one with writer().")
        return File(self.open_object(name), name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with self.writer(name) as writer:
            for piece in content.chunks():
                writer.write(piece)
        return name

    def _build_client(self) -> S3Client:
        client: S3Client = self._create_session().client(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.endpoint_url,
            config=self.client_config,
            verify=self.verify,
        )
        return client

    def _path(self, key: str) -> str:
        """The full key in the bucket; the only place that joins the prefix."""
        check_key(key)
        return f"{self.location}/{key}" if self.location else key

    def _target(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.bucket_name, "Key": self._path(key)}

    def _head(self, key: str) -> HeadObjectOutputTypeDef:
        with s3_errors(key):
            return self.client.head_object(**self._target(key))

    def _find(self, key: str) -> HeadObjectOutputTypeDef | None:
        try:
            return self._head(key)
        except ObjectMissingError:
            return None

    def _origin_of(self, key: str) -> str | None:
        found = self._find(key)
        return None if found is None else found["Metadata"].get(ORIGIN, "")

    def _open_body(self, key: str, start: int, length: int) -> Any:
        if length <= 0:
            self._head(key)  # a missing object must not look like an empty one
            return io.BytesIO()
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            answer = self.client.get_object(**self._target(key), Range=wanted)
        except ClientError as error:
            if is_beyond_end(error):
                return io.BytesIO()
            raise
        if start and answer["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL_CONTENT:
            answer["Body"].close()
            raise StorageUnavailableError(key, "the server ignores ranges")
        return answer["Body"]

    def _copy(self, source: str, target: str) -> None:
        """Copy on the server, unless an earlier, interrupted attempt has done so."""
        size = self.size_of(source)
        origin = f"promote:{source}"
        found = self._origin_of(target)
        if found == origin:
            return
        if found is not None:
            raise FileExistsError(f"The key is taken: {target}")
        if size > self.largest_single_copy:
            self._copy_parts(source, target, size=size)
            return
        with s3_errors(source):
            self.client.copy_object(
                **self._target(target),
                **self._promoted(source),
                CopySource=self._copy_source(source),
                MetadataDirective="REPLACE",
            )

    def _promoted(self, source: str) -> dict[str, Any]:
        return {"ContentType": CONTENT_TYPE, "Metadata": {ORIGIN: f"promote:{source}"}}

    def _copy_source(self, source: str) -> Any:
        return self._target(source)

    def _copy_parts(self, source: str, target: str, *, size: int) -> None:
        goal = self._target(target)
        with s3_errors(source):
            started = self.client.create_multipart_upload(**goal, **self._promoted(source))
            goal["UploadId"] = started["UploadId"]
            try:
                parts = [
                    self._copy_part(source, goal, number=number, start=start, size=size)
                    for number, start in enumerate(range(0, size, self.copy_part_size), start=1)
                ]
                self.client.complete_multipart_upload(**goal, MultipartUpload={"Parts": parts})
            except BaseException:
                with contextlib.suppress(ClientError):
                    self.client.abort_multipart_upload(**goal)
                raise

    def _copy_part(
        self, source: str, goal: dict[str, Any], *, number: int, start: int, size: int
    ) -> Any:
        last = min(start + self.copy_part_size, size) - 1
        answer = self.client.upload_part_copy(
            **goal,
            CopySource=self._copy_source(source),
            CopySourceRange=f"bytes={start}-{last}",
            PartNumber=number,
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}
