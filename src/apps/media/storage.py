"""The media app's bytes: which storage new objects go to, and a stored object as a file.

Nothing else in the app names a storage alias or makes a key.
"""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from django.core.files import File

from apps.core.storage import ObjectStore, new_key, object_store
from apps.media.conf import options

INCOMING = "incoming"  # where objects lie that are not yet a file's


def current_alias() -> str:
    """The storage that new objects go to."""
    return options().storage_alias


def store_of(alias: str) -> ObjectStore:
    return object_store(alias)


def known_aliases() -> list[str]:
    """Every alias of the settings. Rows may name others, of storages that the site has left."""
    return list(settings.STORAGES)


def names_of(alias: str) -> list[str]:
    """Every alias of the storage that `alias` means, as they stand in the settings."""
    known = settings.STORAGES
    if alias not in known:
        return [alias]
    return [name for name, entry in known.items() if entry == known[alias]]


def chosen_name(alias: str) -> str:
    """The alias under which new rows name the storage that `alias` means."""
    names = names_of(alias)
    return current_alias() if current_alias() in names else names[-1]


def incoming_key() -> str:
    return new_key(INCOMING)


def original_key() -> str:
    return new_key("original")


def rendition_key(suffix: str) -> str:
    return new_key("rendition", suffix)


class StoredFile(File):  # type: ignore[type-arg]  # generic in the stubs only
    """A stored object as a Django file: opened when first read, read in pieces, never written."""

    def __init__(self, *, alias: str, key: str, size: int, name: str) -> None:
        self._alias, self._key = alias, key
        self._opened: IO[Any] | None = None
        super().__init__(None, name=name)
        self.size = size
        self.mode = "rb"

    @property
    def file(self) -> IO[Any]:
        if self._opened is None:
            self._opened = store_of(self._alias).open_object(self._key)
        return self._opened

    @file.setter
    def file(self, value: IO[Any] | None) -> None:
        self._opened = value

    @property
    def closed(self) -> bool:
        return self._opened is None or self._opened.closed

    def __bool__(self) -> bool:
        return True

    def open(self, mode: str | None = None, *args: object, **kwargs: object) -> StoredFile:
        if mode not in {None, "rb"}:
            raise ValueError("stored bytes are immutable: only mode 'rb' is possible")
        if self.closed:
            self._opened = store_of(self._alias).open_object(self._key)
        else:
            self.file.seek(0)
        return self

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
