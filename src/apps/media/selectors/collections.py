"""Which collections somebody sees, what is in them, and in what order.

What lies above or in a collection and is hidden from the visitor leaves no trace: no name, no id,
no count.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, UUIDField

from apps.media.exceptions import NotVisibleError
from apps.media.models import (
    Collection,
    CollectionItem,
    CollectionPlace,
    MediaFile,
    Visibility,
)
from apps.media.policies import (
    Action,
    Visitor,
    collection_rights_among,
    collections_listed_for,
    collections_visible_to,
    holds,
    items_shown_to,
    visible_to,
    ways_into_collection_lists,
)
from apps.media.policies.grants import EDITING, VIEWING, granted_collections
from apps.media.selectors.media import shown_to, with_details


def list_visible_collections(*, user: Visitor) -> QuerySet[Collection]:
    """Every collection that lists show to `user`, the newest first."""
    rows = Collection.objects.filter(collections_listed_for(user))
    return rows.select_related("owner").order_by("-pk")


def ways_to_visible_collections(*, user: Visitor) -> list[Q]:
    """What `list_visible_collections` lists, as conditions of which one is enough: for
    `read_page`."""
    return ways_into_collection_lists(user)


def list_own_collections(*, user: Visitor) -> QuerySet[Collection]:
    """Those of `user` that lie in nothing they see, by title."""
    owned = Collection.objects.filter(owner=user.pk)
    return topmost(owned.select_related("owner"), user=user).order_by("title", "pk")


def list_shared_collections(*, user: Visitor) -> QuerySet[Collection]:
    """Those of others that were granted to `user` or their groups, by title."""
    granted = Collection.objects.filter(pk__in=granted_collections(user, VIEWING))
    rows = granted.exclude(owner=user.pk).select_related("owner")
    return topmost(rows, user=user).order_by("title", "pk")


def topmost(rows: QuerySet[Collection], *, user: Visitor) -> QuerySet[Collection]:
    """Those of `rows` whose parent `user` does not see, or that have none."""
    return rows.exclude(Exists(_visible(user).filter(pk=OuterRef("parent_id"))))


def list_children(*, user: Visitor, parent_id: uuid.UUID) -> QuerySet[Collection]:
    """What lies directly in a collection and is listed for `user`; nothing where it is hidden."""
    rows = list_visible_collections(user=user)
    return rows.filter(parent__in=_visible(user).filter(pk=parent_id))


def list_editable_collections(*, user: Visitor) -> QuerySet[Collection]:
    """Where `user` may put files: their own and those granted, the last changed first."""
    granted = Q(pk__in=granted_collections(user, EDITING))
    return Collection.objects.filter(Q(owner=user.pk) | granted).order_by("-updated_at", "-pk")


def list_collections_with(*, user: Visitor, media: MediaFile) -> QuerySet[Collection]:
    """Those that `media` is in, as far as lists show them to `user`, by title."""
    shown = list_visible_collections(user=user).filter(items__media=media)
    return shown.order_by("title", "pk")


def get_visible_collection(*, user: Visitor, collection_id: uuid.UUID | str) -> Collection:
    """The collection, if `user` may view it; hidden and missing both raise `NotVisibleError`."""
    try:
        found = _visible(user).select_related("owner").filter(pk=collection_id).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise NotVisibleError(collection_id)
    return found


def list_path(*, user: Visitor, collection: Collection) -> list[Collection]:
    """What `collection` lies in, as far as `user` sees it, from the top down."""
    above = CollectionPlace.objects.filter(descendant=collection.pk, depth__gt=0)
    rows = _visible(user).filter(below__in=above).order_by("-below__depth")
    return list(rows)


def list_collection_items(*, user: Visitor, collection: Collection) -> QuerySet[CollectionItem]:
    """The items of a collection that `user` may view, of those files that are shown to them, in
    order."""
    items = CollectionItem.objects.filter(items_shown_to(user), collection=collection.pk)
    return items.order_by("position", "pk")


def items_shown(user: Visitor, items: Sequence[CollectionItem]) -> list[CollectionItem]:
    """`items` with `media` as `user` gets it, with details."""
    rows = with_details(MediaFile.objects.filter(pk__in=[item.media_id for item in items]))
    found = {media.pk: media for media in shown_to(user, list(rows))}
    kept = [item for item in items if item.media_id in found]
    for item in kept:
        item.media = found[item.media_id]
    return kept


def collections_shown_to(user: Visitor, rows: Iterable[Collection]) -> list[Collection]:
    """`rows`, all of which `user` may view, with what they get of each: `rights`, `file_count`,
    `shown_cover`, `shown_parent_id`. A fixed number of queries, however many rows."""
    kept = list(rows)
    rights = collection_rights_among(user, kept)
    counts = _count_items(user, kept)
    parents = _visible(user).filter(pk__in={one.parent_id for one in kept})
    seen = set(parents.values_list("pk", flat=True))
    for one in kept:
        one.rights = rights[one.pk]
        one.file_count = counts.get(one.pk, 0)
        one.shown_parent_id = one.parent_id if one.parent_id in seen else None
    _show_covers(user, kept)
    return kept


def _count_items(user: Visitor, rows: list[Collection]) -> dict[uuid.UUID, int]:
    items = CollectionItem.objects.filter(items_shown_to(user), collection__in=rows)
    return dict(items.values_list("collection").annotate(count=Count("pk")).order_by())


def _show_covers(user: Visitor, rows: list[Collection]) -> None:
    """The cover, if the visitor is shown it; else the first file they are shown."""
    chosen = {one.pk: one.cover_id for one in rows if one.cover_id}
    visible = MediaFile.objects.filter(visible_to(user), deleted_at=None)
    covers = _read_covers(user, visible.filter(pk__in=chosen.values()))
    for one in rows:
        cover = covers.get(one.cover_id) if one.cover_id else None
        one.shown_cover = cover if cover and _is_told(user, one, cover) else None
    bare = [one for one in rows if one.shown_cover is None and one.file_count]
    items = CollectionItem.objects.filter(items_shown_to(user), collection=OuterRef("pk"))
    first = items.order_by("position", "pk").values("media")[:1]
    firsts = dict(
        Collection.objects.filter(pk__in=[one.pk for one in bare])
        .annotate(first=Subquery(first, output_field=UUIDField()))
        .values_list("pk", "first")
    )
    found = _read_covers(user, MediaFile.objects.filter(pk__in=firsts.values()))
    for one in bare:
        one.shown_cover = found.get(firsts.get(one.pk))


def _is_told(user: Visitor, collection: Collection, cover: MediaFile) -> bool:
    """What another has unlisted is told of by nobody's choice, as in lists."""
    known = {user.pk, collection.owner_id}
    is_listed = cover.visibility != Visibility.UNLISTED
    return is_listed or cover.owner_id in known or holds(user, Action.VIEW)


def _read_covers(user: Visitor, rows: QuerySet[MediaFile]) -> dict[uuid.UUID | None, MediaFile]:
    return {media.pk: media for media in shown_to(user, list(with_details(rows)))}


def _visible(user: Visitor) -> QuerySet[Collection]:
    return Collection.objects.filter(collections_visible_to(user))
