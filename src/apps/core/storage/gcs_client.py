"""The connection to Google Cloud Storage: limits, retries, errors, and requests by our keys.

Every request has time limits; no error of Google's libraries leaves this package untranslated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import (
    GoogleAPIError,
    NotFound,
    PreconditionFailed,
    RequestRangeNotSatisfiable,
)
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage.keys import check_key, new_piece_key
from apps.core.storage.spool import Spool

# Every object tells what made it, so that a repeated request can recognise its own work.
ORIGIN = "origin"
# The sniffed type stands in the database; a stored type would be served by a careless bucket.
CONTENT_TYPE = "application/octet-stream"
MOST_SOURCES = 32  # of one compose request

_CHUNK_BYTES = 2 * 1024 * 1024  # of a part in memory; Google wants multiples of 256 KiB
_TIMEOUT = (3, 30)  # seconds to connect, and between two bytes of an answer
_RETRY_SECONDS = 60
LIMITS: dict[str, Any] = {"timeout": _TIMEOUT, "retry": DEFAULT_RETRY.with_timeout(_RETRY_SECONDS)}


@contextlib.contextmanager
def gcs_errors(key: str) -> Iterator[None]:
    """Turn what the server (or the way to it) says about `key` into our errors."""
    try:
        yield
    except NotFound as error:
        raise ObjectMissingError(key) from error
    except PreconditionFailed as error:
        raise FileExistsError(f"The key is taken: {key}") from error
    except FileExistsError:
        raise
    except (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, OSError) as error:
        # OSError is what the library below Google's raises when the network fails.
        raise StorageUnavailableError(key, type(error).__name__) from error


@dataclass(frozen=True)
class GcsBucket:
    """A bucket below one prefix, by our keys. Errors are ours."""

    client: Client
    name: str
    base: str
    limits: dict[str, Any]

    def blob(self, key: str) -> Blob:
        """The only place that joins the prefix."""
        return self.client.bucket(self.name).blob(self.base + check_key(key))

    def find(self, key: str) -> Blob | None:
        blob = self.blob(key)
        try:
            with gcs_errors(key):
                blob.reload(**self.limits)
        except ObjectMissingError:
            return None
        return blob

    def get(self, key: str) -> Blob:
        """The object's description. ObjectMissingError if there is none."""
        found = self.find(key)
        if found is None:
            raise ObjectMissingError(key)
        return found

    def holds(self, key: str, origin: str, *, size: int) -> bool:
        """Whether the object is there, made by `origin` and of `size` bytes."""
        found = self.find(key)
        return found is not None and origin_of(found) == origin and found.size == size

    def put(self, key: str, part: Spool, *, origin: str) -> None:
        """Store a spooled part as a new object. FileExistsError if the key is another's."""
        blob = self.blob(key)
        blob.metadata, blob.chunk_size = {ORIGIN: origin}, _CHUNK_BYTES
        with self._recognising(key, origin), gcs_errors(key):
            # A size that is known and small is read into memory at once.
            blob.upload_from_file(
                part.reader(),
                size=part.size if part.size <= _CHUNK_BYTES else None,
                content_type=CONTENT_TYPE,
                if_generation_match=0,
                checksum="md5",
                **self.limits,
            )

    def read(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; nothing at or beyond the end."""
        with gcs_errors(key):
            try:
                data: bytes = self.blob(key).download_as_bytes(
                    start=start, end=start + length - 1, raw_download=True, **self.limits
                )
            except RequestRangeNotSatisfiable:
                return b""
        return data

    def remove(self, key: str) -> None:
        with contextlib.suppress(ObjectMissingError), gcs_errors(key):
            self.blob(key).delete(**self.limits)

    def below(self, prefix: str) -> Iterator[tuple[str, Blob]]:
        """Keys and descriptions below a prefix, in byte order of the keys."""
        with gcs_errors(prefix):
            for blob in self.client.list_blobs(self.name, prefix=self.base + prefix, **self.limits):
                yield blob.name.removeprefix(self.base), blob

    def join(self, sources: Sequence[Blob], target: str, *, origin: str) -> None:
        """Make a new object of others, in order, on the server; of many, by way of pieces.

        A source that carries its generation is joined as it was then. FileExistsError if the
        target is another's, or a source has been replaced.
        """
        left = list(sources)
        while len(left) > MOST_SOURCES:
            between = new_piece_key(target)
            self._compose(left[:MOST_SOURCES], between, origin=origin)
            left[:MOST_SOURCES] = [self.blob(between)]
        self._compose(left, target, origin=origin)

    def _compose(self, sources: Sequence[Blob], target: str, *, origin: str) -> None:
        blob = self.blob(target)
        blob.content_type, blob.metadata = CONTENT_TYPE, {ORIGIN: origin}
        with self._recognising(target, origin), gcs_errors(target):
            blob.compose(
                list(sources),
                if_generation_match=0,
                if_source_generation_match=[source.generation for source in sources],
                **self.limits,
            )

    @contextlib.contextmanager
    def _recognising(self, key: str, origin: str) -> Iterator[None]:
        """The retry of a request whose answer was lost is told "taken": by our own object."""
        try:
            yield
        except FileExistsError:
            found = self.find(key)
            if found is None or origin_of(found) != origin:
                raise


def origin_of(blob: Blob) -> str:
    """What made an object; "" if it does not tell."""
    metadata: dict[str, str] = blob.metadata or {}
    return metadata.get(ORIGIN, "")
