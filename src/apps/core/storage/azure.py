"""Objects in a container of Azure Blob Storage.

The container must be private: its objects have no honest content type. An object is reached
through `presigned_get` or through this process, never by a bare URL.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core import MatchConditions
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    generate_blob_sas,
)
from storages.backends.azure_storage import AzureStorage

from apps.core.errors import StorageUnavailableError
from apps.core.metrics import measured
from apps.core.storage import azure_direct, azure_growing
from apps.core.storage.azure_client import (
    LIMITS,
    ORIGIN,
    AzureContainer,
    azure_errors,
    origin_of,
)
from apps.core.storage.azure_growing import AzureAppender, AzureWriter
from apps.core.storage.base import (
    CHUNK_BYTES,
    BoundedReader,
    Capability,
    StoredObject,
)
from apps.core.storage.growing import SignedPart, State, StoredPart
from apps.core.storage.keys import check_key, check_prefix, is_key
from apps.core.storage.remote import RemoteStore

_BUILDING = threading.Lock()
_CLOCK_SKEW = timedelta(minutes=5)
_COPY_SECONDS = 600  # for a copy inside one account, which is mostly done at once
_LOOK_SECONDS = 0.5


@measured("azure")
class AzureStore(RemoteStore, AzureStorage):  # type: ignore[misc]  # django-storages has no types
    """An `ObjectStore` in one container, below one prefix; also a Django storage."""

    capabilities = frozenset(
        {
            Capability.PRESIGNED_GET,
            Capability.SERVER_COPY,
            Capability.APPEND,
            Capability.PRESIGNED_PARTS,
        }
    )
    part_rules = azure_direct.RULES

    _own_client: tuple[int, ContainerClient] | None = None

    def get_default_settings(self) -> dict[str, Any]:
        """Ours besides django-storages', no overwriting, and the variables of Azure's own tools.

        `endpoint`: the address of the account where it is not the usual one. `spool_dir`: where
        parts wait that are being sent; None leaves the choice to `tempfile`. `limits`: time-outs
        and retries of requests.
        """
        theirs = super().get_default_settings()
        ours: dict[str, Any] = {
            "overwrite_files": False,
            "endpoint": None,
            "spool_dir": None,
            "limits": LIMITS,
        }
        for option, variable in _VARIABLES.items():
            ours[option] = theirs[option] or os.environ.get(variable)
        return {**theirs, **ours}

    def __getstate__(self) -> dict[str, Any]:
        kept = {"_own_client": None, "_client": None, "_service_client": None}
        return {**self.__dict__, **kept}

    @property
    def client(self) -> ContainerClient:
        """One client per process: connections do not survive a fork."""
        if self._own_client is None or self._own_client[0] != os.getpid():
            with _BUILDING:
                if self._own_client is None or self._own_client[0] != os.getpid():
                    built = self._get_service_client().get_container_client(self.azure_container)
                    self._own_client = (os.getpid(), built)
        return self._own_client[1]

    def writer(self, key: str) -> AzureWriter:
        return AzureWriter(self._objects, check_key(key), folder=self.spool_dir)

    def appender(self, key: str, *, size: int, state: State) -> AzureAppender:
        return AzureAppender(
            self._objects, key, size=size, state=state, folder=self.spool_dir, source=self
        )

    def seal(self, key: str, *, size: int, state: State) -> None:
        azure_growing.seal(self._objects, key, size=size, state=state)

    def discard(self, key: str, *, state: State) -> None:
        azure_direct.discard(self._objects, key)

    def begin_parts(self, key: str, *, single: bool) -> State:
        check_key(key)
        return azure_direct.begin(single=single)

    def sign_part(
        self, key: str, *, state: State, number: int, size: int, expires_in: int
    ) -> SignedPart:
        return azure_direct.sign(
            key, state=state, number=number, expires_in=expires_in, by=self._signed_url
        )

    def list_parts(self, key: str, *, state: State) -> list[StoredPart]:
        return azure_direct.list_parts(self._objects, key, state=state)

    def complete_parts(self, key: str, *, state: State, parts: Sequence[StoredPart]) -> None:
        azure_direct.complete(self._objects, key, state=state, parts=parts)

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> BoundedReader:
        return BoundedReader(
            self._objects.open(key, start, length),
            length=length,
            chunk_size=chunk_size,
            guard=lambda: azure_errors(key),
        )

    def size_of(self, key: str) -> int:
        return int(self._objects.get(key).size)

    def exists(self, name: str) -> bool:
        return self._objects.find(name) is not None

    def remove(self, key: str) -> None:
        self._objects.remove(key)

    def walk(self, prefix: str = "", *, after: str = "") -> Iterator[StoredObject]:
        for key, found in self._objects.below(check_prefix(prefix)):
            if key > after and is_key(key):
                yield StoredObject(key, found.size, found.last_modified)

    def presigned_get(
        self, key: str, *, expires_in: int, content_type: str, content_disposition: str
    ) -> str:
        return self._signed_url(
            key,
            permission=BlobSasPermissions(read=True),
            expires_in=expires_in,
            content_type=content_type,
            content_disposition=content_disposition,
        )

    def get_modified_time(self, name: str) -> datetime:
        modified: datetime = self._objects.get(name).last_modified
        return modified

    @property
    def _objects(self) -> AzureContainer:
        return AzureContainer(self.client, f"{self.location}/" if self.location else "")

    def _get_service_client(self) -> BlobServiceClient:
        if self.connection_string:
            return BlobServiceClient.from_connection_string(self.connection_string, **self.limits)
        address = self.endpoint or f"https://{self.account_name}.blob.{self.endpoint_suffix}"
        key = {"account_name": self.account_name, "account_key": self.account_key}
        credential = key if self.account_key else self.token_credential
        return BlobServiceClient(address, credential=credential, **self.limits)

    def _signed_url(
        self, key: str, *, permission: BlobSasPermissions, expires_in: int, **more: Any
    ) -> str:
        blob, now = self._objects.blob(key), datetime.now(UTC)
        expiry = now + timedelta(seconds=expires_in)
        with azure_errors(key):
            signed = generate_blob_sas(
                account_name=str(blob.account_name),
                container_name=blob.container_name,
                blob_name=blob.blob_name,
                permission=permission,
                start=now - _CLOCK_SKEW,
                expiry=expiry,
                **self._signing_key(expiry),
                **more,
            )
        return f"{blob.url}?{signed}"

    def _signing_key(self, expiry: datetime) -> dict[str, Any]:
        """The account's key, or one that Azure lends to the identity of this process."""
        if self.account_key:
            return {"account_key": self.account_key}
        return {"user_delegation_key": self.get_user_delegation_key(expiry.replace(tzinfo=None))}

    def _copy(self, source: str, target: str) -> None:
        """Copy on the server, unless an earlier, interrupted attempt has begun to."""
        self._objects.get(source)
        origin = f"promote:{source}"
        try:
            with azure_errors(source):
                self._objects.blob(target).start_copy_from_url(
                    self._objects.blob(source).url,
                    metadata={ORIGIN: origin},
                    match_condition=MatchConditions.IfMissing,
                )
        except FileExistsError:
            if origin_of(self._objects.get(target)) != origin:
                raise
        self._wait_for_copy(target)

    def _wait_for_copy(self, target: str) -> None:
        deadline = time.monotonic() + _COPY_SECONDS
        while (status := self._objects.get(target).copy.status) == "pending":
            if time.monotonic() > deadline:
                raise StorageUnavailableError(target, "the copy takes too long")
            time.sleep(_LOOK_SECONDS)
        if status not in {"success", None}:
            self.remove(target)
            raise StorageUnavailableError(target, status)


# What Azure's own tools read, by our option.
_VARIABLES = {
    "connection_string": "AZURE_STORAGE_CONNECTION_STRING",
    "account_name": "AZURE_STORAGE_ACCOUNT",
    "account_key": "AZURE_STORAGE_KEY",
}
