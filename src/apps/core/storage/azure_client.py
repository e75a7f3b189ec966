"""The connection to Azure Blob Storage: limits, retries, errors, and requests by our keys.

Every request has time limits; no error of Azure's library leaves this package untranslated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobProperties,
    ContainerClient,
    ContentSettings,
    StorageStreamDownloader,
)

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage.keys import check_key
from apps.core.storage.spool import Spool

# Every object tells what made it, so that a repeated request can recognise its own work.
ORIGIN = "origin"
# The sniffed type stands in the database; a stored type would be served by a careless container.
CONTENT_TYPE = "application/octet-stream"

# Of a download. Azure's library holds about ten times as much for a moment.
_REQUEST_BYTES = 1024 * 1024
_BEYOND_END = 416
_TAKEN = frozenset({409, 412})

LIMITS: dict[str, Any] = {
    "connection_timeout": 3,  # seconds
    "read_timeout": 30,
    "retry_total": 3,
    "retry_to_secondary": False,
    "max_single_get_size": _REQUEST_BYTES,
    "max_chunk_get_size": _REQUEST_BYTES,
}


@contextlib.contextmanager
def azure_errors(key: str) -> Iterator[None]:
    """Turn what the server (or the way to it) says about `key` into our errors."""
    try:
        yield
    except ResourceNotFoundError as error:
        raise ObjectMissingError(key) from error
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise FileExistsError(f"The key is taken: {key}") from error
    except HttpResponseError as error:
        if error.status_code in _TAKEN:
            raise FileExistsError(f"The key is taken: {key}") from error
        raise StorageUnavailableError(key, error.status_code) from error
    except AzureError as error:
        raise StorageUnavailableError(key, type(error).__name__) from error


class Download:
    """Bytes as they are read, one request after another; None gives none."""

    def __init__(self, source: StorageStreamDownloader[bytes] | None) -> None:
        self._source = source

    def read(self, size: int, /) -> bytes:
        return b"" if self._source is None else self._source.read(size)

    def close(self) -> None:
        self._source = None


@dataclass(frozen=True)
class Block:
    """A part of a blob, by the name that it was staged under."""

    id: str
    size: int


@dataclass(frozen=True)
class AzureContainer:
    """A container below one prefix, by our keys. Errors are ours."""

    client: ContainerClient
    base: str

    def blob(self, key: str) -> BlobClient:
        """The only place that joins the prefix."""
        return self.client.get_blob_client(self.base + check_key(key))

    def find(self, key: str) -> BlobProperties | None:
        try:
            with azure_errors(key):
                return self.blob(key).get_blob_properties()
        except ObjectMissingError:
            return None

    def get(self, key: str) -> BlobProperties:
        """The object's description. ObjectMissingError if there is none."""
        found = self.find(key)
        if found is None:
            raise ObjectMissingError(key)
        return found

    def holds(self, key: str, origin: str, *, size: int) -> bool:
        """Whether the object is there, made by `origin` and of `size` bytes."""
        found = self.find(key)
        return found is not None and origin_of(found) == origin and found.size == size

    def open(self, key: str, start: int, length: int) -> Download:
        """At most `length` bytes from `start`; nothing at or beyond the end.

        ObjectMissingError if there is no such object.
        """
        if length <= 0:
            self.get(key)  # a missing object must not look like an empty one
            return Download(None)
        with azure_errors(key):
            try:
                return Download(self.blob(key).download_blob(offset=start, length=length))
            except HttpResponseError as error:
                if error.status_code == _BEYOND_END:
                    return Download(None)
                raise

    def remove(self, key: str) -> None:
        with contextlib.suppress(ObjectMissingError), azure_errors(key):
            self.blob(key).delete_blob(delete_snapshots="include")

    def below(self, prefix: str) -> Iterator[tuple[str, BlobProperties]]:
        """Keys and descriptions below a prefix, in byte order of the keys."""
        with azure_errors(prefix):
            for found in self.client.list_blobs(name_starts_with=self.base + prefix):
                yield found.name.removeprefix(self.base), found

    def stage(self, key: str, block: str, part: Spool) -> Block:
        """Send a block, which is nobody's until a list of blocks names it."""
        with azure_errors(key):
            self.blob(key).stage_block(block, part.reader(), length=part.size)
        return Block(block, part.size)

    def blocks(self, key: str, *, committed: bool) -> list[Block]:
        """The blocks that the object is made of, or those that wait; none of a missing object."""
        try:
            with azure_errors(key):
                lists = self.blob(key).get_block_list("committed" if committed else "uncommitted")
        except ObjectMissingError:
            return []
        return [Block(found.id, found.size) for found in lists[0 if committed else 1]]

    def commit(self, key: str, blocks: Sequence[str], *, origin: str, etag: str | None) -> str:
        """Make the object of these blocks; every other block of it is dropped.

        Returns its entity tag. `etag` is that of the object to be replaced, None if there shall
        be none. FileExistsError if it is another.
        """
        condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
        if etag is not None:
            condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        try:
            with azure_errors(key):
                answer = self.blob(key).commit_block_list(
                    [BlobBlock(block) for block in blocks],
                    content_settings=ContentSettings(content_type=CONTENT_TYPE),
                    metadata={ORIGIN: origin},
                    **condition,
                )
        except FileExistsError:
            # The retry of a request whose answer was lost is told "taken": by our own blocks.
            return self._tag_of_same(key, blocks, origin)
        return str(answer["etag"])

    def _tag_of_same(self, key: str, blocks: Sequence[str], origin: str) -> str:
        found = self.get(key)
        same = [block.id for block in self.blocks(key, committed=True)] == list(blocks)
        if origin_of(found) != origin or not same:
            raise FileExistsError(f"The key is taken: {key}")
        return str(found.etag)


def origin_of(found: BlobProperties) -> str:
    """What made an object; "" if it does not tell."""
    metadata: dict[str, str] = found.metadata or {}
    return metadata.get(ORIGIN, "")
