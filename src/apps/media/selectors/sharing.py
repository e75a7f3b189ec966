"""Who a file or a collection is shared with, and by which links, for those who may share it."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from apps.media.exceptions import ForbiddenError, NotVisibleError, UnknownRecipientError
from apps.media.models import Collection, Grant, MediaFile, ShareLink
from apps.media.policies import Shared, Visitor, may_share
from apps.media.selectors.collections import get_visible_collection
from apps.media.selectors.media import get_visible_media

Way = TypeVar("Way", Grant, ShareLink)


def get_shareable_media(*, user: Visitor, media_id: uuid.UUID) -> MediaFile:
    """The file, if `user` may decide who sees it. Raises `NotVisibleError` to those who may not
    even see it, `ForbiddenError` to others."""
    media = get_visible_media(user=user, media_id=media_id)
    _ensure_may_share(user, media)
    return media


def get_shareable_collection(*, user: Visitor, collection_id: uuid.UUID) -> Collection:
    """The same of a collection."""
    collection = get_visible_collection(user=user, collection_id=collection_id)
    _ensure_may_share(user, collection)
    return collection


def list_grants(*, user: Visitor, media: Shared) -> QuerySet[Grant]:
    """The grants on `media` itself, which may be a collection, the newest first. Raises
    `ForbiddenError`."""
    _ensure_may_share(user, media)
    rows = media.grants.select_related("user", "group", "media", "collection")
    return rows.order_by("-pk")


def get_grant(*, user: Visitor, media: Shared, grant_id: uuid.UUID) -> Grant:
    """Raises `ForbiddenError`, `NotVisibleError`."""
    return _one_of(list_grants(user=user, media=media), grant_id)


def list_share_links(*, user: Visitor, media: Shared) -> QuerySet[ShareLink]:
    """The links to `media` itself, which may be a collection, the newest first. Raises
    `ForbiddenError`."""
    _ensure_may_share(user, media)
    rows = media.share_links.select_related("created_by", "media", "collection")
    return rows.order_by("-pk")


def get_share_link(*, user: Visitor, media: Shared, link_id: uuid.UUID) -> ShareLink:
    """Raises `ForbiddenError`, `NotVisibleError`."""
    return _one_of(list_share_links(user=user, media=media), link_id)


def find_recipient(*, user: Any = None, group: Any = None, by_id: bool = True) -> Any:
    """The active user or the group that is meant: a text is a name and, with `by_id`, an id where
    nobody has that name; a number is an id. Raises `UnknownRecipientError`."""
    rows, name_field = _groups() if user is None else _people()
    named = group if user is None else user
    found = _by_name(rows, name_field, named)
    if found is None and by_id:
        found = _by_id(rows, named)
    if found is None:
        raise UnknownRecipientError(user, group)
    return found


def _people() -> tuple[QuerySet[Any], str]:
    model = get_user_model()
    return model._default_manager.filter(is_active=True), model.USERNAME_FIELD


def _groups() -> tuple[QuerySet[Any], str]:
    return Group.objects.all(), "name"


def _by_name(rows: QuerySet[Any], name_field: str, named: Any) -> Any:
    if not isinstance(named, str) or "\0" in named:  # some databases refuse to compare with it
        return None
    return rows.filter(**{name_field: named}).first()


def _by_id(rows: QuerySet[Any], named: Any) -> Any:
    try:
        return rows.filter(pk=named).first()
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None


def _one_of(rows: QuerySet[Way], pk: uuid.UUID) -> Way:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotVisibleError(pk)
    return found


def _ensure_may_share(user: Visitor, media: Shared) -> None:
    if not may_share(user, media):
        raise ForbiddenError(media.pk)
