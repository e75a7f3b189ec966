"""The shape in which every source gives its files. The bytes and words are not trusted yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.core.files import File
from django.db.models.fields.files import FieldFile


class UnknownSourceError(LookupError):
    """A library that is not installed, or a field that is none of files."""


@dataclass(frozen=True)
class Folder:
    """Where a file lies. `owner_id` is None where the source knows of none."""

    pk: Any
    title: str
    owner_id: Any = None


@dataclass(frozen=True)
class OldAddress:
    """A path of this site. `width` (pixels) is that of a small picture, None of the file itself;
    `height` is given where it is certain."""

    path: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Adoptable:
    """One file of a source. `folders` lead from the outermost to the one it lies in; `focal` are
    two fractions of the picture; `private` is what not everybody could fetch."""

    pk: Any
    file: FieldFile
    original_name: str
    owner_id: Any = None
    title: str = ""
    caption: str = ""
    alt_text: str = ""
    tags: tuple[str, ...] = ()
    focal: tuple[float, float] | None = None
    private: bool = False
    created_at: datetime | None = None
    folders: tuple[Folder, ...] = ()
    addresses: tuple[OldAddress, ...] = ()

    @property
    def name(self) -> str:
        """What its storage knows it by."""
        return str(self.file.name)

    def open(self) -> File[bytes]:
        """Its bytes, from the storage; the field's own file is left alone."""
        return self.file.storage.open(self.name)


class Source(Protocol):
    """`name` is what adoptions of its files are known by, `folder_name` those of its folders."""

    @property
    def name(self) -> str: ...
    @property
    def folder_name(self) -> str: ...
    @property
    def shares_files(self) -> bool:
        """Whether several rows may name one stored file, which is then adopted once."""

    def count(self) -> int: ...
    def after(self, pk: Any, most: int) -> list[Adoptable]:
        """The next `most` along their keys, from the beginning where `pk` is None."""
