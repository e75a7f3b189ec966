"""What was adopted from other libraries, by what it was called there and by where it was."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.media.exceptions import NotVisibleError
from apps.media.models import Adoption, FormerAddress, MediaFile
from apps.media.policies import Visitor
from apps.media.selectors.media import get_detailed_media

NOTHING = UUID(int=0)


def find_adopted(*, source: str, pk: Any) -> MediaFile | None:
    """The file that the object `pk` of `source` (`filer.file`, `wagtailimages.image`,
    `app.model.field`) has become, if there is one still."""
    rows = Adoption.objects.filter(source=source, source_pk=str(pk)).select_related("media")
    row = rows.first()
    return row.media if row is not None else None


def get_media_at(*, user: Visitor, path: str) -> tuple[MediaFile, int | None, int | None]:
    """The file whose bytes were at `path` before, with details, and the width and height that a
    small picture of it had there (None: it was the file itself; its height is not known).

    Raises `NotVisibleError`, whether there was nothing or `user` may not view it.
    """
    if "\0" in path:  # some databases refuse to compare with it
        raise NotVisibleError(path)
    rows = FormerAddress.objects.filter(path=path).values_list("media", "width", "height")
    media_id, width, height = rows.first() or (
        NOTHING,
        None,
        None,
    )  # looked for all the same: headers tell
    return get_detailed_media(user=user, media_id=media_id), width, height
