"""Objects in a bucket of an S3-compatible server.

The bucket must be private: its objects have no ACL and no honest content type. An object is
reached through `presigned_get` or through this process, never by a bare URL.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.metrics import measured
from apps.core.storage import s3_direct, s3_growing
from apps.core.storage.base import (
    CHUNK_BYTES,
    BoundedReader,
    Capability,
    StoredObject,
)
from apps.core.storage.growing import SignedPart, State, StoredPart, Unfinished
from apps.core.storage.keys import check_key, check_prefix, is_key
from apps.core.storage.remote import RemoteStore
from apps.core.storage.s3_appender import Growing, S3Appender
from apps.core.storage.s3_client import (
    ATTEMPTS,
    READ_SECONDS,
    client_config,
    is_aws,
    is_beyond_end,
    s3_errors,
)
from apps.core.storage.s3_multipart import copy_in_parts
from apps.core.storage.s3_transfer import ORIGIN, Destination, S3Writer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_BUILDING = threading.Lock()
_PARTIAL_CONTENT = 206


@measured("s3")
class S3Store(RemoteStore, S3Storage):  # type: ignore[misc]  # django-storages has no types
    """An `ObjectStore` in one bucket, below one prefix; also a Django storage for model fields."""

    capabilities = frozenset(
        {
            Capability.PRESIGNED_GET,
            Capability.SERVER_COPY,
            Capability.APPEND,
            Capability.PRESIGNED_PARTS,
            Capability.UNFINISHED,
        }
    )
    part_rules = s3_direct.RULES

    # S3 copies at most 5 GiB in one request; a smaller limit stays inside the read timeout.
    largest_single_copy = 1024**3  # bytes
    copy_part_size = 512 * 1024**2  # bytes; 10 000 of them are S3's 5 TB

    _client: tuple[int, S3Client] | None = None

    def get_default_settings(self) -> dict[str, Any]:
        """Ours besides django-storages', and no overwriting.

        `conditional_writes`: the server honours If-None-Match. `spool_dir`: where parts wait that
        are being sent; None leaves the choice to `tempfile`. `read_timeout`: seconds without a
        byte after which a request is given up; `attempts`: how often one is tried in all.
        """
        ours = {
            "file_overwrite": False,
            "default_acl": None,
            "conditional_writes": True,
            "spool_dir": None,
            "read_timeout": READ_SECONDS,
            "attempts": ATTEMPTS,
        }
        return {**super().get_default_settings(), **ours}

    def __init__(self, **settings: Any) -> None:
        if settings.get("client_config") is None:
            settings["client_config"] = client_config(
                endpoint_url=settings.get("endpoint_url"),
                addressing_style=settings.get("addressing_style"),
                read_timeout=settings.get("read_timeout", READ_SECONDS),
                attempts=settings.get("attempts", ATTEMPTS),
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
        return S3Writer(self._destination(key))

    def appender(self, key: str, *, size: int, state: State) -> S3Appender:
        return S3Appender(self._growing(key), size=size, state=state)

    def seal(self, key: str, *, size: int, state: State) -> None:
        growing = self._growing(key)
        s3_growing.seal(growing, size=size, state=state)
        s3_growing.sweep(self, growing.to)

    def begin_parts(self, key: str, *, single: bool) -> State:
        return s3_direct.begin(self._destination(key), single=single)

    def sign_part(
        self, key: str, *, state: State, number: int, size: int, expires_in: int
    ) -> SignedPart:
        return s3_direct.sign(
            self._destination(key), state=state, number=number, size=size, expires_in=expires_in
        )

    def list_parts(self, key: str, *, state: State) -> list[StoredPart]:
        return s3_direct.list_parts(self._destination(key), state=state)

    def complete_parts(self, key: str, *, state: State, parts: Sequence[StoredPart]) -> None:
        s3_direct.complete(self._destination(key), state=state, parts=parts)

    def walk_unfinished(self, prefix: str = "") -> Iterator[Unfinished]:
        return s3_growing.walk_unfinished(
            self.client, bucket=self.bucket_name, base=self._base, prefix=check_prefix(prefix)
        )

    def discard(self, key: str, *, state: State) -> None:
        s3_growing.discard(self, self._destination(key), state=state)

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

    def remove(self, key: str) -> None:
        with contextlib.suppress(ObjectMissingError), s3_errors(key):
            self.client.delete_object(**self.address_of(key))

    def walk(self, prefix: str = "", *, after: str = "") -> Iterator[StoredObject]:
        base = self._base
        pages = self.client.get_paginator("list_objects_v2")
        asked = {"Bucket": self.bucket_name, "Prefix": base + check_prefix(prefix)}
        if after:
            asked["StartAfter"] = base + check_key(after)
        with s3_errors(prefix):
            for page in pages.paginate(**asked):
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(base)
                    if is_key(key):
                        yield StoredObject(key, found["Size"], found["LastModified"])

    def presigned_get(
        self, key: str, *, expires_in: int, content_type: str, content_disposition: str
    ) -> str:
        answer = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition,
        }
        return self.client.generate_presigned_url(
            "get_object", Params=self.address_of(key) | answer, ExpiresIn=expires_in
        )

    def get_modified_time(self, name: str) -> datetime:
        return self._head(name)["LastModified"]

    def _build_client(self) -> S3Client:
        client: S3Client = self._create_session().client(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.endpoint_url,
            config=self.client_config,
            verify=self.verify,
        )
        return client

    @property
    def _base(self) -> str:
        return f"{self.location}/" if self.location else ""

    def _path(self, key: str) -> str:
        """The full key in the bucket; the only place that joins the prefix."""
        return self._base + check_key(key)

    def _destination(self, key: str) -> Destination:
        return Destination(
            client=self.client,
            bucket=self.bucket_name,
            path=self._path(key),
            key=key,
            conditional=self.conditional_writes,
            send_md5=not is_aws(self.endpoint_url),
            origin_of=self._origin_of,
            size_of=self.size_of,
        )

    def _growing(self, key: str) -> Growing:
        return Growing(self._destination(key), self, self.spool_dir)

    def address_of(self, key: str) -> Any:
        """The bucket and the full key of an object, for requests of this package."""
        return {"Bucket": self.bucket_name, "Key": self._path(key)}

    def _head(self, key: str) -> HeadObjectOutputTypeDef:
        with s3_errors(key):
            return self.client.head_object(**self.address_of(key))

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
            answer = self.client.get_object(**self.address_of(key), Range=wanted)
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
        with s3_errors(source):
            self._copy_bytes(source, self._destination(target), size=size, origin=origin)

    def _copy_bytes(self, source: str, to: Destination, *, size: int, origin: str) -> None:
        address = self.address_of(source)
        if size > self.largest_single_copy:
            copy_in_parts(to, address, size=size, step=self.copy_part_size, origin=origin)
            return
        self.client.copy_object(
            **to.target,
            **to.description(origin),
            CopySource=address,
            MetadataDirective="REPLACE",
        )
