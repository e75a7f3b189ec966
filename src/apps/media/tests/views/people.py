"""Every kind of visitor that a file can have, and by what right each may do what with it.

Rows are made by the models: what is asked here is the rule, not the services that write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from apps.media import policies
from apps.media.models import Collection, CollectionItem, CollectionPlace, Grant, MediaFile
from apps.media.policies import Action
from apps.media.policies.uses import forget_use_rule

NOTHING: frozenset[Action] = frozenset()
LOOKING = frozenset({Action.VIEW, Action.READ})
CHANGING = LOOKING | {Action.EDIT, Action.ATTACH}
EVERYTHING = frozenset(Action)
# What each may do with somebody's private file that is ready.
RIGHTS = {
    "anonymous": NOTHING,
    "stranger": NOTHING,  # it lies in a public collection of theirs, but below a private one
    "expired grantee": NOTHING,
    "revoked grantee": NOTHING,
    "deactivated grantee": NOTHING,
    "former member": NOTHING,  # of a group that it is granted to
    "collector": NOTHING,  # put it into a collection that is granted to them, without owning it
    "viewer": LOOKING,
    "editor": CHANGING,
    "member": LOOKING,  # of a group that it is granted to
    "viewer of a collection": LOOKING,
    "viewer of one above": LOOKING,
    "editor of one above": CHANGING,
    "viewer of a use": LOOKING,
    "owner": EVERYTHING,
    "staff": EVERYTHING,
    "manager": EVERYTHING,
    "moderator": LOOKING | {Action.DELETE},
}
# One of each kind: where all roles were asked about a private file, these do for the rest. That all
# ways to a right obey visibility and state is proved in `tests/policies`.
SOME = (
    "anonymous",
    "stranger",
    "viewer",
    "viewer of a use",
    "editor",
    "owner",
    "moderator",
    "staff",
)
# By roles and by owning: also what is not ready.
ALWAYS = {"owner", "staff", "manager", "moderator"}
# A grant to edit shows what is not ready, but not what is in the trash.
EDITORS = {"editor", "editor of one above"}
REVIEWERS = {"staff", "moderator"}  # this staff is a superuser
APP = "people"


def may(role: str, action: Action, *, visibility: str = "private", state: str = "ready") -> bool:
    """Whether `role` may do `action` with a file of this visibility in this state (as in
    `test_access_matrix`)."""
    if action is Action.READ and state not in {"ready", "deleted"}:
        unseen = state == "quarantined" or role != "owner"
        if unseen:
            return role in REVIEWERS
    if state != "ready" and role not in ALWAYS | EDITORS:
        return False
    if state == "deleted" and role in EDITORS:
        return False
    is_open = visibility != "private" and state == "ready" and action in LOOKING
    return is_open or action in RIGHTS[role]


def asking(clients: dict[str, Client], visibility: str) -> dict[str, Client]:
    """Everybody about a private file, one of each kind about others."""
    return clients if visibility == "private" else {role: clients[role] for role in SOME}


def lists(role: str, *, visibility: str) -> bool:
    """Whether lists show a file of this visibility that is ready."""
    return visibility == "public" or Action.VIEW in RIGHTS[role]


@contextmanager
def everybody(media: MediaFile, staff: Any) -> Iterator[dict[str, Client]]:
    """A client of each role in `RIGHTS`, with the rows that make it what it is."""
    owner = media.owner
    made = {role: _person(role) for role in RIGHTS if role not in {"anonymous", "owner", "staff"}}
    people: dict[str, Any] = {"anonymous": None, "owner": owner, "staff": staff, **made}
    clients = {role: _client(user) for role, user in people.items()}
    for client in clients.values():  # one set of middleware for all
        client.handler = clients["anonymous"].handler
    _grant_itself(media, people)
    _collect(media, people)
    made["manager"].groups.add(Group.objects.get(name="Media managers"))
    made["moderator"].groups.add(Group.objects.get(name="Media moderators"))
    policies.register_use_rule(APP, _rule_for(made["viewer of a use"], media))
    try:
        yield clients
    finally:
        forget_use_rule(APP)


def _person(role: str) -> Any:
    return get_user_model().objects.create(username=role.replace(" ", "-"))


def _client(user: Any) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def _grant_itself(media: MediaFile, people: dict[str, Any]) -> None:
    now, group = timezone.now(), Group.objects.create(name="readers")
    Grant.objects.create(media=media, user=people["viewer"], expires_at=now + timedelta(hours=1))
    Grant.objects.create(media=media, user=people["editor"], permission="edit")
    Grant.objects.create(media=media, group=group)
    people["member"].groups.add(group)
    people["former member"].groups.add(group)
    people["former member"].groups.remove(group)
    ended = people["expired grantee"]
    Grant.objects.create(media=media, user=ended, permission="edit", expires_at=now)
    Grant.objects.create(media=media, user=people["revoked grantee"]).delete()
    Grant.objects.create(media=media, user=people["deactivated grantee"], permission="edit")
    get_user_model().objects.filter(pk=people["deactivated grantee"].pk).update(is_active=False)


def _collect(media: MediaFile, people: dict[str, Any]) -> None:
    above = _collection(people["owner"])
    below = _collection(people["owner"], above=above, visibility="public")
    _put(media, below, by=people["owner"])
    Grant.objects.create(collection=below, user=people["viewer of a collection"])
    Grant.objects.create(collection=above, user=people["viewer of one above"])
    Grant.objects.create(collection=above, user=people["editor of one above"], permission="edit")
    # A collection of others opens nothing of this owner.
    theirs = _collection(people["collector"], visibility="public")
    _put(media, theirs, by=people["collector"])
    Grant.objects.create(collection=theirs, user=people["collector"], permission="edit")
    _collection(people["stranger"], above=above, visibility="public")


def _collection(
    owner: Any, *, above: Collection | None = None, visibility: str = "private"
) -> Collection:
    is_open = above is None or above.open_to == visibility
    row = Collection.objects.create(
        owner=owner,
        parent=above,
        title=f"Shelf of {owner.get_username()}",
        visibility=visibility,
        open_to=visibility if is_open else "private",
    )
    CollectionPlace.objects.create(ancestor=row, descendant=row, depth=0)
    if above is not None:
        CollectionPlace.objects.create(ancestor=above, descendant=row, depth=1)
    return row


def _put(media: MediaFile, collection: Collection, *, by: Any) -> None:
    CollectionItem.objects.create(collection=collection, media=media, added_by=by, position=1)


def _rule_for(user: Any, media: MediaFile) -> Callable[[Any], Any]:
    """The rule of an app with one object, that one person may see and that uses one file."""
    return lambda visitor: MediaFile.objects.filter(
        pk=media.pk if visitor.pk == user.pk else None
    ).values("pk")
