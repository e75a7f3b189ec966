"""What somebody may choose in a form of another app."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from apps.media.conf import options
from apps.media.models import MediaAttachment, MediaFile, Status
from apps.media.policies import Visitor, visible_to
from apps.media.processing.recipes import DEFAULT_RECIPES, USE_RECIPES
from apps.media.selectors.media import list_media_by_user, shown_to, with_details

WITHOUT_USE = (Status.FAILED, Status.QUARANTINED)

Attachment = TypeVar("Attachment", bound=MediaAttachment)


def list_choosable_media(
    *, user: Visitor, kinds: Collection[str], max_size: int | None = None
) -> QuerySet[MediaFile]:
    """The user's own files of `kinds` that can be attached, of at most `max_size` bytes; with
    details."""
    rows = list_media_by_user(user_id=user.pk).filter(media_type__in=kinds)
    if max_size is not None:
        rows = rows.filter(size__lte=max_size)
    return with_details(rows.exclude(status__in=WITHOUT_USE))


def list_media_of_form(
    *, user: Visitor, ids: Sequence[UUID], used: Collection[UUID] = ()
) -> dict[UUID, MediaFile]:
    """Those of the files that `user` may view or that the form's object uses already (`used`), by
    id, with details."""
    if not ids:
        return {}
    seen = visible_to(user) | Q(pk__in=used)
    rows = with_details(MediaFile.objects.filter(seen, pk__in=ids, deleted_at=None))
    return {media.pk: media for media in shown_to(user, list(rows))}


def ratio_of(recipe: str) -> float:
    """Width over height of what the recipe of this name makes of every picture; 0 where it keeps
    their shape, or there is none."""
    named = {one.name: one for one in (*DEFAULT_RECIPES.images, *options().recipes)}
    found = USE_RECIPES.get(recipe) or named.get(recipe)
    if found is None or found.fit != "cover" or not (found.width and found.height):
        return 0
    return found.width / found.height


def list_attachments(*, of: Model, through: type[Attachment]) -> list[Attachment]:
    """The rows of `through` that belong to the object `of`, in order, with their files."""
    rows: QuerySet[Attachment] = QuerySet(model=through).filter(**{through.host_field().name: of})
    return list(rows.select_related("media").order_by("position", "pk"))
