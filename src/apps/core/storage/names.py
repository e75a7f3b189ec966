"""What Django's fields call on a storage, answered by an object store.

Names are keys here, and a taken key is an error, not a new name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO, Never

from django.core.files import File

from apps.core.storage.base import Writer
from apps.core.storage.keys import check_key


class NamedByKeys(ABC):
    """Put it before a Django storage: its names are the keys of the `ObjectStore` that it is."""

    @abstractmethod
    def writer(self, key: str) -> Writer: ...

    @abstractmethod
    def open_object(self, key: str) -> BinaryIO: ...

    @abstractmethod
    def size_of(self, key: str) -> int: ...

    @abstractmethod
    def remove(self, key: str) -> None: ...

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return check_key(name)

    def url(self, name: str | None, *args: object, **kwargs: object) -> Never:
        raise ValueError("A stored object has no URL of its own; delivery decides who gets it.")

    def delete(self, name: str) -> None:
        self.remove(name)

    def size(self, name: str) -> int:
        return self.size_of(name)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("Objects are immutable; write a new one with writer().")
        return File(self.open_object(name), name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with self.writer(name) as writer:
            for piece in content.chunks():
                writer.write(piece)
        return name
