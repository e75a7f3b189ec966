"""What a share link shows, to whoever has it.

Whatever is wrong with a link (no such token, its time or its downloads are over, its maker or the
owner is gone, the file is in the trash or not fit to be seen) is one and the same error.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet

from apps.media.exceptions import NotVisibleError
from apps.media.models import (
    Collection,
    CollectionItem,
    MediaFile,
    ShareLink,
    Status,
)
from apps.media.policies import is_link_open, opened_by_link
from apps.media.selectors.media import shown_to, with_details

_STRANGER = AnonymousUser()  # a link shows what it shows, also to the owner


def find_open_link(*, token: str) -> ShareLink | None:
    """The link of that token, if it is in force; it may be used up."""
    if "\0" in token:  # some databases refuse to compare with it
        return None
    rows = ShareLink.in_time().select_related("created_by", "media__owner", "collection__owner")
    link = rows.filter(token=token).first()
    return link if link is not None and is_link_open(link) else None


def get_shared_media(*, link: ShareLink, media_id: uuid.UUID, details: bool = False) -> MediaFile:
    """A file that `link` opens, as a stranger gets it; with `details` also what showing it needs
    (see `with_details`). Raises `NotVisibleError`."""
    rows = MediaFile.objects.filter(opened_by_link(link)).select_related("owner")
    media = (with_details(rows) if details else rows).filter(pk=media_id).first()
    if media is None:
        raise NotVisibleError(media_id)
    shown = _as_strangers_see(link, [media])
    if not shown:
        raise NotVisibleError(media_id)
    return shown[0]


def get_shared_collection(*, link: ShareLink, collection_id: uuid.UUID | None = None) -> Collection:
    """The collection of `link`, or one below it. Raises `NotVisibleError`."""
    if link.collection is None:
        raise NotVisibleError(collection_id)
    if collection_id in {None, link.collection.pk}:
        return link.collection
    below = Collection.objects.filter(above__ancestor=link.collection, pk=collection_id).first()
    if below is None:
        raise NotVisibleError(collection_id)
    return below


def list_shared_children(*, collection: Collection) -> QuerySet[Collection]:
    """What lies directly in a shared collection, by title."""
    return collection.children.order_by("title", "pk")


def list_shared_items(*, link: ShareLink, collection: Collection) -> QuerySet[CollectionItem]:
    """The items of a shared collection whose files `link` opens, in order."""
    opened = MediaFile.objects.filter(opened_by_link(link))
    items = collection.items.filter(media__in=opened, added_by=F("media__owner"))
    return items.order_by("position", "pk")


def get_shared_items(*, link: ShareLink, items: Sequence[CollectionItem]) -> list[MediaFile]:
    """The files of `items`, in their order, with details."""
    ids = [item.media_id for item in items]
    rows = with_details(MediaFile.objects.filter(opened_by_link(link), pk__in=ids))
    found = {media.pk: media for media in _as_strangers_see(link, list(rows))}
    return [found[pk] for pk in ids if pk in found]


def _as_strangers_see(link: ShareLink, rows: list[MediaFile]) -> list[MediaFile]:
    """Those of `rows` that a stranger may be shown, with addresses that lead through `link`."""
    shown = shown_to(_STRANGER, [media for media in rows if media.owner.is_active])
    for media in shown:
        media.share_token = link.token
    return [media for media in shown if media.status != Status.QUARANTINED]
