"""Who may do what with a media file."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable
from functools import reduce
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from apps.media.models import MediaFile, Status, Visibility
from apps.media.policies.collections import (
    collections_listed_for,
    items_editable,
    items_opened,
    visible_without_role,
)
from apps.media.policies.grants import EDITING, VIEWING, granted_media
from apps.media.policies.roles import (
    Action,
    Visitor,
    holds,
    is_active,
    may_review,
    owners_delete,
    owns,
)
from apps.media.policies.uses import used_where_visible

_ALIVE = Q(deleted_at=None)
_USABLE = _ALIVE & Q(usable=True)
_SETTLED = Q(published_version=None) | Q(published_version=F("version"))


def can_access(user: Visitor, media: MediaFile, action: Action = Action.VIEW) -> bool:
    """Whether `user` may do `action` with `media`.

    Owners may do everything, also with what is in the trash or not ready, but delete where the
    option says so; roles may do what their permissions say, with every file. Everybody may view
    what is usable and not deleted if it is public or unlisted (by its address), was granted to
    them, lies in a collection that is open to them, or is used by an object they may see. A grant
    to edit lets view what is not usable yet, edit and attach. Whoever may view may read the bytes,
    except that what is in quarantine is for reviewers alone, and what is not known to be clean for
    its owner and them.
    """
    if action is Action.READ and _is_unsafe(user, media):
        return may_review(user) and can_access(user, media, Action.VIEW)
    if holds(user, action):
        return True
    if owns(user, media.owner_id):
        return action is not Action.DELETE or owners_delete()
    if action in {Action.VIEW, Action.READ}:
        return is_published(media) or _is_among(media, visible_to(user))
    return action in {Action.EDIT, Action.ATTACH} and _is_among(media, _edited_by_grant(user))


def rights_among(user: Visitor, rows: Iterable[MediaFile]) -> dict[UUID, frozenset[Action]]:
    """What `user` may do with each of `rows`, all of which they may view: the answers of
    `can_access` but for READ, in one query at most."""
    kept = list(rows)
    of_owner = frozenset(Action) if owners_delete() else frozenset(Action) - {Action.DELETE}
    if owners_delete() and all(owns(user, media.owner_id) for media in kept):
        return {media.pk: of_owner for media in kept}
    by_role = frozenset(action for action in Action if holds(user, action))
    foreign = [media.pk for media in kept if not owns(user, media.owner_id)]
    editable = _editable_among(user, foreign) if Action.EDIT not in by_role else frozenset()
    return {
        media.pk: by_role
        | {Action.VIEW}
        | (of_owner if owns(user, media.owner_id) else frozenset())
        | ({Action.EDIT, Action.ATTACH} if media.pk in editable else frozenset())
        for media in kept
    }


def visible_to(user: Visitor) -> Q:
    """Everything that `can_access(user, …, VIEW)` is true for; may be joined to others by `|`."""
    if holds(user, Action.VIEW):
        return ~Q(pk__in=())  # an empty condition would vanish beside others
    return _visible_without_role(user)


def _visible_without_role(user: Visitor) -> Q:
    published = _USABLE & Q(visibility__in=(Visibility.PUBLIC, Visibility.UNLISTED))
    opened = items_opened(visible_without_role(user))
    return _any([published, *_granted(user), *_opened(user, opened), *_ways_to_edit(user)])


def listed_for(user: Visitor, *, newest: bool = False) -> Q:
    """What lists show: everything visible that is neither unlisted by another nor in the trash."""
    return _any(ways_into_lists(user, newest=newest))


def ways_into_lists(user: Visitor, *, newest: bool = False) -> list[Q]:
    """Conditions of which one is enough to be listed for `user`; with `newest`, only what they get
    in its newest version: what rows say of it, others must not find or sort them by.

    None is itself a choice: what a database finds by one index or one subquery it does not find by
    two without reading all rows.
    """
    if holds(user, Action.EDIT if newest else Action.VIEW):
        return [_ALIVE]
    looking = [Q()] if holds(user, Action.VIEW) else _ways_to_look(user)
    if newest:
        looking = [_SETTLED & way for way in looking]
    return [_ALIVE & way for way in (*looking, *_ways_to_edit(user))]


def items_shown_to(user: Visitor) -> Q:
    """Which items of a collection that `user` may view are shown to them there: those whose files
    they may view, but not what is unlisted by an owner who did not put it in."""
    alive = Q(media__deleted_at=None)
    if holds(user, Action.VIEW):
        return alive
    opened = Q(media__usable=True, added_by=F("media__owner"))
    owned = [Q(media__owner=user.pk)] if is_active(user) else []
    listed = MediaFile.objects.filter(visible_to(user), pk=OuterRef("media_id"))
    others = Q(Exists(listed.exclude(visibility=Visibility.UNLISTED)))
    return alive & _any([opened, *owned, others])


def may_read_visible(user: Visitor, media: MediaFile) -> bool:
    """What `can_access(user, media, READ)` says of a file that `user` may view, without a query."""
    return not _is_unsafe(user, media) or may_review(user)


def editable_by(user: Visitor) -> Q:
    """Everything that `can_access(user, …, EDIT)` is true for."""
    if holds(user, Action.EDIT):
        return Q()
    owned = [Q(owner=user.pk)] if is_active(user) else []
    return _any([*owned, _edited_by_grant(user)])


def is_opened_by_role(user: Visitor, media: MediaFile) -> bool:
    """Whether `user` may view `media` only because of their role. Asks the database only for roles
    that look at what is neither theirs nor everybody's."""
    if not holds(user, Action.VIEW) or owns(user, media.owner_id) or is_published(media):
        return False
    return not _is_among(media, _visible_without_role(user))


def opened_by_role_among(user: Visitor, ids: Collection[UUID]) -> set[UUID]:
    """Those of the files `ids`, all of which `user` may view, that `is_opened_by_role` is true for,
    in one query at most."""
    if not holds(user, Action.VIEW):
        return set()
    rows = MediaFile.objects.filter(_visible_without_role(user), pk__in=ids)
    return set(ids) - set(rows.values_list("pk", flat=True))


def is_plainly_visible(user: Visitor, media: MediaFile) -> bool:
    """Whether `user` may view it for a reason that needs no query: as its owner, by a role, or
    because everybody may."""
    return owns(user, media.owner_id) or is_published(media) or holds(user, Action.VIEW)


def is_published(media: MediaFile) -> bool:
    """Whether everybody who knows the address may view it."""
    return (
        media.visibility in {Visibility.PUBLIC, Visibility.UNLISTED}
        and media.usable
        and media.deleted_at is None
    )


def _ways_to_look(user: Visitor) -> list[Q]:
    """What lists show to those who may not edit it."""
    public = _USABLE & Q(visibility=Visibility.PUBLIC)
    opened = items_opened(collections_listed_for(user))
    return [public, *_granted(user), *_opened(user, opened)]


def _granted(user: Visitor) -> list[Q]:
    """What was granted to them by itself."""
    return [_USABLE & Q(pk__in=granted_media(user, VIEWING))] if is_active(user) else []


def _opened(user: Visitor, items: object) -> list[Q]:
    """What something opens that it lies in or is used by."""
    return [_USABLE & Q(pk__in=items), *(_USABLE & rule for rule in used_where_visible(user))]


def _ways_to_edit(user: Visitor) -> list[Q]:
    """As its owner, or by a grant."""
    return [Q(owner=user.pk), *_ways_to_edit_by_grant(user)] if is_active(user) else []


def _edited_by_grant(user: Visitor) -> Q:
    return _any([Q(pk__in=()), *_ways_to_edit_by_grant(user)])


def _ways_to_edit_by_grant(user: Visitor) -> list[Q]:
    if not is_active(user):
        return []
    by_itself = Q(pk__in=granted_media(user, EDITING))
    return [_ALIVE & by_itself, _ALIVE & Q(pk__in=items_editable(user))]


def _editable_among(user: Visitor, ids: Collection[UUID]) -> frozenset[UUID]:
    if not ids or not is_active(user):
        return frozenset()
    rows = MediaFile.objects.filter(_edited_by_grant(user), pk__in=ids)
    return frozenset(rows.values_list("pk", flat=True))


def _is_among(media: MediaFile, condition: Q) -> bool:
    return MediaFile.objects.filter(condition, pk=media.pk).exists()


def _is_unsafe(user: Visitor, media: MediaFile) -> bool:
    """Whether the current bytes may harm `user`: the owner had them before the scan."""
    is_clean = media.usable and media.is_settled
    is_unknown = not (is_clean or owns(user, media.owner_id))
    return media.status == Status.QUARANTINED or is_unknown


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(operator.or_, conditions)
