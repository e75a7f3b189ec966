"""Wagtail: its images with their renditions, its documents, and the collections they are in."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from apps.media.adopting.contract import Adoptable, Folder, OldAddress
from apps.media.adopting.walking import (
    aware,
    base_name,
    fraction_of,
    installed_model,
    path_in,
    path_of,
    rows_after,
)


class _Collections:
    """The tree, read once. Each step of a path is `steplen` characters; the root counts as none."""

    def __init__(self) -> None:
        model = installed_model("wagtailcore.Collection")
        self._step: int = model.steplen
        rows = model._base_manager.values_list("path", "pk", "name")
        self._folders = {path: Folder(pk=pk, title=name) for path, pk, name in rows}
        self._paths = {folder.pk: path for path, folder in self._folders.items()}
        limits = installed_model("wagtailcore.CollectionViewRestriction")._base_manager
        self._closed = set(limits.values_list("collection__path", flat=True))

    def path_to(self, pk: Any) -> tuple[Folder, ...]:
        return tuple(self._folders[path] for path in self._steps(pk)[1:])

    def is_closed(self, pk: Any) -> bool:
        """Whether a restriction lies on it or above."""
        return bool(self._closed & set(self._steps(pk)))

    def _steps(self, pk: Any) -> list[str]:
        path = self._paths[pk]
        return [path[:end] for end in range(self._step, len(path) + 1, self._step)]


class ImageSource:
    """All images of the model that the project chose. Their addresses were open to everybody."""

    folder_name = "wagtailcore.collection"
    shares_files = False

    def __init__(self) -> None:
        """Raises `UnknownSourceError` where Wagtail's images are not installed."""
        installed_model("wagtailimages.Image")
        self._model = import_module("wagtail.images").get_image_model()
        self._collections = _Collections()
        self.name = self._model._meta.label_lower

    def count(self) -> int:
        total: int = self._model._base_manager.count()
        return total

    def after(self, pk: Any, most: int) -> list[Adoptable]:
        rows = self._model._base_manager.prefetch_related("renditions", "tags")
        return [self._adoptable(row) for row in rows_after(rows, pk, most)]

    def _adoptable(self, row: Any) -> Adoptable:
        return Adoptable(
            **_common(row, self._collections),
            alt_text=getattr(row, "description", ""),
            focal=_focal(row),
            addresses=(_stored(row), *map(_rendition, row.renditions.all())),
        )


class DocumentSource:
    """All documents of the model that the project chose; closed collections stay closed."""

    folder_name = "wagtailcore.collection"
    shares_files = False

    def __init__(self) -> None:
        """Raises `UnknownSourceError` where Wagtail's documents are not installed."""
        installed_model("wagtaildocs.Document")
        self._model = import_module("wagtail.documents").get_document_model()
        self._collections = _Collections()
        self.name = self._model._meta.label_lower

    def count(self) -> int:
        total: int = self._model._base_manager.count()
        return total

    def after(self, pk: Any, most: int) -> list[Adoptable]:
        rows = self._model._base_manager.prefetch_related("tags")
        return [self._adoptable(row) for row in rows_after(rows, pk, most)]

    def _adoptable(self, row: Any) -> Adoptable:
        return Adoptable(
            **_common(row, self._collections),
            private=self._collections.is_closed(row.collection_id),
            addresses=(OldAddress(path_in(row.url)), _stored(row)),
        )


def _common(row: Any, collections: _Collections) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "file": row.file,
        "original_name": base_name(row.file.name),
        "owner_id": row.uploaded_by_user_id,
        "title": row.title,
        "tags": tuple(tag.name for tag in row.tags.all()),
        "created_at": aware(row.created_at),
        "folders": collections.path_to(row.collection_id),
    }


def _stored(row: Any) -> OldAddress:
    return OldAddress(path_of(row.file.storage, row.file.name))


def _rendition(row: Any) -> OldAddress:
    return OldAddress(path_of(row.file.storage, row.file.name), row.width, row.height)


def _focal(row: Any) -> tuple[float, float] | None:
    if row.focal_point_x is None or row.focal_point_y is None:
        return None
    return fraction_of((row.focal_point_x, row.focal_point_y), (row.width, row.height))
