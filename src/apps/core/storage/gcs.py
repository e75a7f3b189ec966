"""Objects in a bucket of Google Cloud Storage.

The bucket must be private: its objects have no ACL and no honest content type. An object is
reached through `presigned_get` or through this process, never by a bare URL.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import google.auth
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport.requests import Request
from google.cloud.storage import Blob, Client
from storages.backends.gcloud import GoogleCloudStorage

from apps.core.metrics import measured
from apps.core.storage import gcs_direct, gcs_growing
from apps.core.storage.base import (
    CHUNK_BYTES,
    BoundedReader,
    Capability,
    StoredObject,
)
from apps.core.storage.gcs_client import LIMITS, GcsBucket, gcs_errors
from apps.core.storage.gcs_growing import GcsAppender, GcsWriter
from apps.core.storage.growing import SignedPart, State, StoredPart
from apps.core.storage.keys import check_key, check_prefix, is_key
from apps.core.storage.reader import Windows
from apps.core.storage.remote import RemoteStore

_BUILDING = threading.Lock()
_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)
_IAM_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@measured("gcs")
class GcsStore(RemoteStore, GoogleCloudStorage):  # type: ignore[misc]  # django-storages has no types
    """An `ObjectStore` in one bucket, below one prefix; also a Django storage for model fields."""

    capabilities = frozenset(
        {
            Capability.PRESIGNED_GET,
            Capability.SERVER_COPY,
            Capability.APPEND,
            Capability.PRESIGNED_PARTS,
        }
    )
    part_rules = gcs_direct.RULES

    _own_client: tuple[int, Client] | None = None

    def get_default_settings(self) -> dict[str, Any]:
        """Ours besides django-storages', and no overwriting.

        `endpoint`: a server other than Google's. `spool_dir`: where parts wait that are being
        sent; None leaves the choice to `tempfile`. `limits`: time-outs and retries of requests.
        """
        ours = {
            "file_overwrite": False,
            "default_acl": None,
            "endpoint": None,
            "spool_dir": None,
            "limits": LIMITS,
        }
        return {**super().get_default_settings(), **ours}

    def __getstate__(self) -> dict[str, Any]:
        kept = {"_own_client": None, "_client": None, "_bucket": None}
        return {**self.__dict__, **kept}

    @property
    def client(self) -> Client:
        """One client per process: connections do not survive a fork."""
        if self._own_client is None or self._own_client[0] != os.getpid():
            with _BUILDING:
                if self._own_client is None or self._own_client[0] != os.getpid():
                    self._own_client = (os.getpid(), self._build_client())
        return self._own_client[1]

    def writer(self, key: str) -> GcsWriter:
        return GcsWriter(self._objects, check_key(key), folder=self.spool_dir)

    def appender(self, key: str, *, size: int, state: State) -> GcsAppender:
        return GcsAppender(
            self._objects, check_key(key), size=size, state=state, folder=self.spool_dir
        )

    def seal(self, key: str, *, size: int, state: State) -> None:
        gcs_growing.seal(
            self._objects, check_key(key), size=size, state=state, folder=self.spool_dir
        )

    def discard(self, key: str, *, state: State) -> None:
        gcs_growing.sweep(self._objects, key)
        self.remove(key)

    def begin_parts(self, key: str, *, single: bool) -> State:
        check_key(key)
        return gcs_direct.begin(single=single)

    def sign_part(
        self, key: str, *, state: State, number: int, size: int, expires_in: int
    ) -> SignedPart:
        return gcs_direct.sign(
            self._objects,
            key,
            state=state,
            number=number,
            size=size,
            expires_in=expires_in,
            by=self._signed_url,
        )

    def list_parts(self, key: str, *, state: State) -> list[StoredPart]:
        return gcs_direct.list_parts(self._objects, key, state=state)

    def complete_parts(self, key: str, *, state: State, parts: Sequence[StoredPart]) -> None:
        gcs_direct.complete(self._objects, key, state=state, parts=parts)

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> BoundedReader:
        objects = self._objects
        if length <= 0:
            objects.get(key)  # a missing object must not look like an empty one
        source = Windows(lambda at, most: objects.read(key, at, most), start=start, length=length)
        return BoundedReader(
            source, length=length, chunk_size=chunk_size, guard=contextlib.nullcontext
        )

    def size_of(self, key: str) -> int:
        return int(self._objects.get(key).size)

    def exists(self, name: str) -> bool:
        return self._objects.find(name) is not None

    def remove(self, key: str) -> None:
        self._objects.remove(key)

    def walk(self, prefix: str = "", *, after: str = "") -> Iterator[StoredObject]:
        for key, blob in self._objects.below(check_prefix(prefix)):
            if key > after and is_key(key):
                yield StoredObject(key, blob.size, blob.updated)

    def presigned_get(
        self, key: str, *, expires_in: int, content_type: str, content_disposition: str
    ) -> str:
        return self._signed_url(
            self._objects.blob(key),
            method="GET",
            expires_in=expires_in,
            response_type=content_type,
            response_disposition=content_disposition,
        )

    def get_modified_time(self, name: str) -> datetime:
        modified: datetime = self._objects.get(name).updated
        return modified

    @property
    def _objects(self) -> GcsBucket:
        base = f"{self.location}/" if self.location else ""
        return GcsBucket(self.client, self.bucket_name, base, self.limits)

    def _build_client(self) -> Client:
        options = {"api_endpoint": self.endpoint} if self.endpoint else None
        credentials, project = self._credentials()
        return Client(project=project or "unused", credentials=credentials, client_options=options)

    def _credentials(self) -> tuple[Any, str | None]:
        """Those given, else those that Google's variables or the machine provide."""
        if self.credentials:
            return self.credentials, self.project_id
        scopes = _IAM_SCOPES if self.iam_sign_blob else _SCOPES
        try:
            credentials, project = google.auth.default(scopes=scopes)
        except DefaultCredentialsError:
            if not self.endpoint:
                raise
            return AnonymousCredentials(), None  # type: ignore[no-untyped-call]  # an emulator asks for none
        return credentials, self.project_id or project

    def _signed_url(self, blob: Blob, *, method: str, expires_in: int, **more: Any) -> str:
        with gcs_errors(blob.name):
            url: str = blob.generate_signed_url(
                version="v4",
                method=method,
                expiration=timedelta(seconds=expires_in),
                **({"api_access_endpoint": self.endpoint} if self.endpoint else {}),
                **self._signer(),
                **more,
            )
        return url

    def _signer(self) -> dict[str, Any]:
        """A key of our own signs here; without one (`iam_sign_blob`) Google's service does."""
        credentials = self.client._credentials
        if not self.iam_sign_blob:
            return {"credentials": credentials}
        if not credentials.valid:
            credentials.refresh(Request())
        email = self.sa_email or credentials.service_account_email
        return {"service_account_email": email, "access_token": credentials.token}

    def _copy(self, source: str, target: str) -> None:
        """Copy on the server, unless an earlier, interrupted attempt has done so."""
        found = self._objects.get(source)
        self._objects.join([found], target, origin=f"promote:{source}")
