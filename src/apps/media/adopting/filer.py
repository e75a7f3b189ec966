"""django-filer: its files of every class, with folders and what easy-thumbnails made of them."""

from __future__ import annotations

from typing import Any

from apps.media.adopting.contract import Adoptable, Folder, OldAddress
from apps.media.adopting.thumbnails import thumbnails_of
from apps.media.adopting.walking import (
    aware,
    base_name,
    fraction_of,
    installed_model,
    path_in,
    path_of,
    rows_after,
)


class FilerSource:
    """Rows come as what they are: an image brings its words and the point it is about."""

    name, folder_name = "filer.file", "filer.folder"
    shares_files = False

    def __init__(self) -> None:
        """Raises `UnknownSourceError` where django-filer is not installed."""
        self._files = installed_model("filer.File").objects
        self._folders = installed_model("filer.Folder")._base_manager
        self._paths: dict[Any, tuple[Folder, ...]] = {}

    def count(self) -> int:
        total: int = self._rows().count()
        return total

    def after(self, pk: Any, most: int) -> list[Adoptable]:
        rows = rows_after(self._rows(), pk, most)
        made = thumbnails_of([row.file for row in rows])
        return [self._adoptable(row, made) for row in rows]

    def _rows(self) -> Any:
        return self._files.exclude(file=None).exclude(file="")

    def _adoptable(self, row: Any, made: dict[str, list[OldAddress]]) -> Adoptable:
        return Adoptable(
            pk=row.pk,
            file=row.file,
            original_name=row.original_filename or base_name(row.file.name),
            owner_id=row.owner_id,
            title=row.name or "",
            caption=getattr(row, "default_caption", "") or row.description or "",
            alt_text=getattr(row, "default_alt_text", "") or "",
            focal=_focal(row),
            private=not row.is_public,
            created_at=aware(row.uploaded_at),
            folders=self._path_to(row.folder_id),
            addresses=(*_own_addresses(row), *made[row.file.name]),
        )

    def _path_to(self, pk: Any) -> tuple[Folder, ...]:
        """The folders from the outermost to `pk`, each read once."""
        if pk is None:
            return ()
        if pk not in self._paths:
            row = self._folders.get(pk=pk)
            here = Folder(pk=pk, title=row.name, owner_id=row.owner_id)
            self._paths[pk] = (*self._path_to(row.parent_id), here)
        return self._paths[pk]


def _own_addresses(row: Any) -> list[OldAddress]:
    """Of the file itself: where it is stored, and the one that outlives its replacements."""
    paths = [path_of(row.file.storage, row.file.name), path_in(row.canonical_url)]
    return [OldAddress(path) for path in paths]


def _focal(row: Any) -> tuple[float, float] | None:
    """`subject_location` is "x,y" in pixels of the stored picture, or nothing."""
    across, _, down = getattr(row, "subject_location", "").partition(",")
    try:
        point = (float(across), float(down))
    except ValueError:
        return None
    return fraction_of(point, (row.width, row.height))
