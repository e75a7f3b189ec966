"""What stores on servers share: reading by ranges, moving by a copy there, local files."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import BinaryIO

from apps.core.errors import ObjectMissingError, StorageUnavailableError
from apps.core.storage.base import (
    CHUNK_BYTES,
    COPY_BYTES,
    ByteIterator,
    copy_into,
    write_pieces,
)
from apps.core.storage.local_files import local_errors
from apps.core.storage.names import NamedByKeys
from apps.core.storage.reader import seekable


class RemoteStore(NamedByKeys):
    """The half of an `ObjectStore` that needs no word of its server's language."""

    @abstractmethod
    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> ByteIterator: ...

    @abstractmethod
    def exists(self, name: str) -> bool: ...

    @abstractmethod
    def _copy(self, source: str, target: str) -> None:
        """Copy on the server, unless an earlier, interrupted attempt has done so.

        ObjectMissingError without `source`, FileExistsError if `target` is another object.
        """

    def open_object(self, key: str) -> BinaryIO:
        return seekable(
            lambda start, length: self.read_range(key, start, length), size=self.size_of(key)
        )

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
