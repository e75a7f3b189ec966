"""What was granted to somebody, as queries."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from apps.media.models import CollectionPlace, Grant
from apps.media.policies.roles import Visitor, is_active

EDITING = (Grant.Permission.EDIT,)
VIEWING = (Grant.Permission.VIEW, Grant.Permission.EDIT)


def granted_media(user: Visitor, permissions: tuple[str, ...]) -> QuerySet[Grant, Any]:
    """Ids of the files themselves on which `user` has one of `permissions`."""
    return _grants(user, permissions).filter(media__isnull=False).values("media")


def granted_collections(
    user: Visitor, permissions: tuple[str, ...]
) -> QuerySet[CollectionPlace, Any]:
    """Ids of collections on which, or above which, `user` has one of `permissions`."""
    above = _grants(user, permissions).filter(collection__isnull=False).values("collection")
    return CollectionPlace.objects.filter(ancestor__in=above).values("descendant")


def _grants(user: Visitor, permissions: tuple[str, ...]) -> QuerySet[Grant]:
    if not is_active(user):
        return Grant.objects.none()
    recipient = Q(user=user.pk)
    groups = getattr(user, "groups", None)
    if groups is not None:  # a host's user model may know none
        recipient |= Q(group__in=groups.values("pk"))
    return Grant.in_force().filter(recipient, permission__in=permissions)
