"""Making, changing, moving and removing collections. What lies in one goes along with it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.core.words import gettext_noop as _
from apps.media.exceptions import BadRequestError, CycleError, ForbiddenError, NotVisibleError
from apps.media.models import AuditEvent, Collection, CollectionPlace, MediaFile, Visibility
from apps.media.policies import Action, Visitor, can_access_collection, is_active, visible_to
from apps.media.services.auditing import note
from apps.media.services.trees import (
    below,
    lock_trees,
    place_new,
    refresh_openness,
    remove_tree,
    replace_below,
)

EDITABLE = frozenset({"title", "description", "visibility", "cover", "parent"})


@transaction.atomic
def create_collection(
    *,
    user: Visitor,
    title: str,
    parent: Collection | None = None,
    description: str = "",
    visibility: str = Visibility.PRIVATE,
) -> Collection:
    """A new collection; inside another it belongs to the owner of that one.

    It needs the right to edit `parent`, and to share where it is not private. Raises
    `ForbiddenError`, `TooDeepError`, `ValidationError`.
    """
    if not is_active(user):
        raise ForbiddenError
    if parent is not None:
        [parent] = lock_trees(parent)
        _ensure(user, parent, Action.EDIT)
    collection = Collection(
        parent=parent,
        title=title.strip(),
        description=description,
        visibility=visibility,
        open_to=Visibility.PRIVATE,
    )
    collection.owner_id = parent.owner_id if parent else user.pk or 0
    collection.clean_fields(exclude={"owner", "parent", "cover", "open_to"})
    if visibility != Visibility.PRIVATE:
        _ensure(user, collection, Action.SHARE)
    collection.save(force_insert=True)
    place_new(collection)
    return collection


@transaction.atomic
def update_collection(*, user: Visitor, collection: Collection, **fields: Any) -> Collection:
    """Change `fields` (those of `EDITABLE`); `visibility` needs the right to share.

    `cover` is a file that `user` may view, or None; `parent` moves it (see `move_collection`).
    Raises `ForbiddenError`, `NotVisibleError`,
    `BadRequestError` for a field that cannot be set, `ValidationError`.
    """
    if unknown := sorted(set(fields) - EDITABLE):
        raise BadRequestError(
            detail=_("The field “%(name)s” cannot be set."), values={"name": unknown[0]}
        )
    if fields.get("cover") is not None:
        fields["cover"] = _lock_cover(user, fields["cover"])
    if "parent" in fields:
        move_collection(user=user, collection=collection, parent=fields.pop("parent"))
    [collection] = lock_trees(collection)
    _ensure(user, collection, Action.EDIT)
    before = collection.visibility
    for name, value in fields.items():
        setattr(collection, name, value.strip() if name == "title" else value)
    every = {field.name for field in Collection._meta.fields}
    collection.clean_fields(exclude=every - set(fields))
    collection.save(update_fields=[*fields, "updated_at"])
    if collection.visibility != before:
        _open_or_close(user, collection, before)
    return collection


def _open_or_close(user: Visitor, collection: Collection, before: str) -> None:
    _ensure(user, collection, Action.SHARE)
    refresh_openness(collection)
    note(
        AuditEvent.Act.VISIBILITY,
        user=user,
        collection=collection,
        before=before,
        after=collection.visibility,
    )


def _lock_cover(user: Visitor, cover: MediaFile) -> MediaFile:
    """Files are locked before collections: their removal goes the same way."""
    visible = MediaFile.objects.filter(visible_to(user), pk=cover.pk, deleted_at=None)
    found = visible.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise NotVisibleError(cover.pk)
    return found


@transaction.atomic
def move_collection(
    *, user: Visitor, collection: Collection, parent: Collection | None
) -> Collection:
    """Put `collection` with all that is in it into `parent`, or into nothing.

    Where it lies decides who sees it, so it needs the right to share, and to edit `parent`. Raises
    `ForbiddenError`, `CycleError`, `TooDeepError`.
    """
    collection, *rest = lock_trees(*filter(None, (collection, parent)))
    target = rest[0] if rest else None
    _ensure(user, collection, Action.SHARE)
    if target is not None:
        _ensure(user, target, Action.EDIT)
        if CollectionPlace.objects.filter(ancestor=collection, descendant=target).exists():
            raise CycleError(collection.pk)
    if collection.parent_id == (target.pk if target else None):
        return collection
    before = collection.open_to
    collection.parent = target
    collection.save(update_fields=["parent", "updated_at"])
    replace_below(collection)
    if collection.open_to != before:
        after = collection.open_to
        note(
            AuditEvent.Act.VISIBILITY, user=user, collection=collection, before=before, after=after
        )
    return collection


@transaction.atomic
def delete_collection(*, user: Visitor, collection: Collection) -> None:
    """Remove `collection` and those in it; the files stay. Raises `ForbiddenError`.

    What others have put into it is theirs: it lies in nothing then, and is private.
    """
    [collection] = lock_trees(collection)
    _ensure(user, collection, Action.DELETE)
    # Whoever is about to put a file into one of them ends before it goes.
    rows = Collection.objects.select_for_update(of=("self",)).filter(pk__in=below(collection))
    list(rows.order_by("pk").values_list("pk", flat=True))
    gone = remove_tree(collection)
    note(AuditEvent.Act.DELETED, user=user, collection=collection, collections=gone)


def _ensure(user: Visitor, collection: Collection, action: Action) -> None:
    if not can_access_collection(user, collection, action):
        raise ForbiddenError(collection.pk)
