"""Small pictures that easy-thumbnails has made of stored files, as it remembers them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models.fields.files import FieldFile

from apps.media.adopting.contract import OldAddress
from apps.media.adopting.walking import installed_model, path_of

_SIZE = re.compile(r"[._](\d+)x(\d+)(?=[_.])")


def thumbnails_of(files: Sequence[FieldFile]) -> dict[str, list[OldAddress]]:
    """The addresses of what was made of `files`, by the name of each, in one query.

    Its hashes of storages say nothing: that of the default storage depends on whether anything had
    used it before in the process that made the thumbnail.
    """
    found: dict[str, list[OldAddress]] = defaultdict(list)
    if not apps.is_installed("easy_thumbnails"):
        return found
    named = {file.name: file for file in files if file.name}
    for row in _rows(list(named)):
        path = path_of(_thumbnail_storage(named[row.source.name]), row.name)
        found[row.source.name].append(OldAddress(path, *_size(row)))
    return found


def _rows(names: Sequence[str]) -> Any:
    thumbnails = installed_model("easy_thumbnails.Thumbnail")._base_manager
    return thumbnails.filter(source__name__in=names).select_related("source", "dimensions")


def _size(row: Any) -> tuple[int, int | None]:
    """As it was noted, else as the name says: what was not cropped may be smaller than that. The
    width is 0 if nothing tells."""
    noted = getattr(row, "dimensions", None)
    if noted is not None and noted.width:
        return noted.width, noted.height
    sizes = _SIZE.findall(row.name)
    width, height = map(int, sizes[-1]) if sizes else (0, 0)
    is_exact = "crop" in row.name and width and height
    return width or height, height if is_exact else None


def _thumbnail_storage(file: Any) -> Any:
    """That of the field if it is one for thumbnails, else the one for all."""
    default = import_module("easy_thumbnails.storage").thumbnail_default_storage
    return getattr(file, "thumbnail_storage", default)
