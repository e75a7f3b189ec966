"""Who may do what with a collection, and which collections open files to whom.

Nothing is more open than what it lies in; what is granted holds for all below.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from apps.media.models import Collection, CollectionItem, Visibility
from apps.media.policies.grants import EDITING, VIEWING, granted_collections
from apps.media.policies.roles import Action, Visitor, holds, is_active, owners_delete, owns

OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


def can_access_collection(
    user: Visitor, collection: Collection, action: Action = Action.VIEW
) -> bool:
    """Whether `user` may do `action`: owners and roles all, grantees what was granted."""
    if holds(user, action):
        return True
    if owns(user, collection.owner_id):
        return action is not Action.DELETE or owners_delete()
    if action in {Action.VIEW, Action.READ}:
        return collection.open_to in OPEN or _is_granted(user, collection, VIEWING)
    return action is Action.EDIT and _is_granted(user, collection, EDITING)


def collection_rights_among(
    user: Visitor, rows: Iterable[Collection]
) -> dict[UUID, frozenset[Action]]:
    """What `user` may do with each of `rows`, all of which they may view: the answers of
    `can_access_collection`, in one query at most."""
    kept = list(rows)
    by_role = frozenset(action for action in Action if holds(user, action))
    of_owner = frozenset(Action) if owners_delete() else frozenset(Action) - {Action.DELETE}
    foreign = [one.pk for one in kept if not owns(user, one.owner_id)]
    editable: frozenset[UUID] = frozenset()
    if foreign and is_active(user) and Action.EDIT not in by_role:
        granted = granted_collections(user, EDITING).filter(descendant__in=foreign)
        editable = frozenset(granted.values_list("descendant", flat=True))
    return {
        one.pk: by_role
        | {Action.VIEW, Action.READ}
        | (of_owner if owns(user, one.owner_id) else frozenset())
        | ({Action.EDIT} if one.pk in editable else frozenset())
        for one in kept
    }


def collections_visible_to(user: Visitor) -> Q:
    """Every collection that `can_access_collection(user, …, VIEW)` is true for."""
    if holds(user, Action.VIEW):
        return Q()
    return visible_without_role(user)


def visible_without_role(user: Visitor) -> Q:
    """What `user` would see if they were nobody in particular."""
    return reduce(operator.or_, [Q(open_to__in=OPEN), *_ways_of_their_own(user)])


def collections_listed_for(user: Visitor) -> Q:
    """What lists show: everything visible but what is unlisted by another."""
    return reduce(operator.or_, ways_into_collection_lists(user))


def ways_into_collection_lists(user: Visitor) -> list[Q]:
    """Conditions of which one is enough to be listed for `user`, none itself a choice."""
    if holds(user, Action.VIEW):
        return [Q()]
    return [Q(open_to=Visibility.PUBLIC), *_ways_of_their_own(user)]


def items_opened(to: Q) -> QuerySet[CollectionItem, Any]:
    """Ids of the files that collections of which `to` is true open."""
    opened = Collection.objects.filter(to).values("pk")
    items = CollectionItem.objects.filter(collection__in=opened, added_by=F("media__owner"))
    return items.values("media")


def items_editable(user: Visitor) -> QuerySet[CollectionItem, Any]:
    """Ids of the files that `user` may edit by a grant on a collection."""
    editable = granted_collections(user, EDITING)
    items = CollectionItem.objects.filter(collection__in=editable, added_by=F("media__owner"))
    return items.values("media")


def _ways_of_their_own(user: Visitor) -> list[Q]:
    if not is_active(user):
        return []
    return [Q(owner=user.pk), Q(pk__in=granted_collections(user, VIEWING))]


def _is_granted(user: Visitor, collection: Collection, permissions: tuple[str, ...]) -> bool:
    return granted_collections(user, permissions).filter(descendant=collection.pk).exists()
