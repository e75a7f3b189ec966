"""Who may share, and what a share link opens: never more than its maker may still share."""

from __future__ import annotations

from typing import TypeAlias

from django.db.models import F, Q

from apps.media.models import Collection, CollectionItem, CollectionPlace, MediaFile, ShareLink
from apps.media.policies.collections import can_access_collection
from apps.media.policies.media import can_access
from apps.media.policies.roles import Action, Visitor

Shared: TypeAlias = MediaFile | Collection


def may_share(user: Visitor, shared: Shared) -> bool:
    """Whether `user` may decide who sees a file, or a collection with all below it."""
    if isinstance(shared, MediaFile):
        return can_access(user, shared, Action.SHARE)
    return can_access_collection(user, shared, Action.SHARE)


def is_link_open(link: ShareLink) -> bool:
    """Whether there is something behind `link`, and those who stand for it still may; its row
    says whether its time or its downloads are over."""
    if link.collection is not None:
        return link.collection.owner.is_active and may_share(link.created_by, link.collection)
    return (
        link.media is not None
        and link.media.usable
        and link.media.deleted_at is None
        and link.media.owner.is_active
        and may_share(link.created_by, link.media)
    )


def opened_by_link(link: ShareLink) -> Q:
    """The files that `link` opens: what is usable, and in collections what its owner put there."""
    usable = Q(deleted_at=None, usable=True)
    if link.media_id:
        return usable & Q(pk=link.media_id)
    below = CollectionPlace.objects.filter(ancestor=link.collection_id).values("descendant")
    items = CollectionItem.objects.filter(collection__in=below, added_by=F("media__owner"))
    return usable & Q(pk__in=items.values("media"))
