"""Who may do what with a media file: one answer for every surface, and its query form.

`can_access` and `visible_to` say the same thing of one object and of a set. Hidden equals missing:
callers answer a refused "view" as if the file did not exist.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from apps.media.models import MediaFile, Status, Visibility

Visitor: TypeAlias = AbstractBaseUser | AnonymousUser


class Action(StrEnum):
    VIEW = "view"
    EDIT = "edit"
    DELETE = "delete"
    SHARE = "share"
    READ = "read"  # the bytes themselves


def can_access(user: Visitor, media: MediaFile, action: Action = Action.VIEW) -> bool:
    """Whether `user` may do `action` with `media`.

    Owner and managers may do everything, also with what is in the trash or not ready. Everybody
    may view what is usable, not deleted, and public or unlisted (by its address). Whoever may view
    may read the bytes, except that what is in quarantine is for reviewers alone, and what is not
    known to be clean for its owner and them.
    """
    if action is Action.READ and _is_unsafe(user, media):
        return may_review(user)
    if _is_active(user) and (media.owner_id == user.pk or is_manager(user)):
        return True
    return action in {Action.VIEW, Action.READ} and is_published(media)


def _is_unsafe(user: Visitor, media: MediaFile) -> bool:
    """Whether these bytes may harm `user`: the owner had them before the scan."""
    is_owner = _is_active(user) and media.owner_id == user.pk
    return media.status == Status.QUARANTINED or not (media.usable or is_owner)


def visible_to(user: Visitor) -> Q:
    """Everything that `can_access(user, …, VIEW)` is true for."""
    if is_manager(user):
        return Q()
    published = Q(
        visibility__in=(Visibility.PUBLIC, Visibility.UNLISTED),
        usable=True,
        deleted_at=None,
    )
    return published | Q(owner=user.pk) if _is_active(user) else published


def listed_for(user: Visitor) -> Q:
    """What lists show: everything visible that is neither unlisted by another nor in the trash."""
    alive = Q(deleted_at=None)
    if is_manager(user):
        return alive
    public = Q(visibility=Visibility.PUBLIC, usable=True)
    return alive & (public | Q(owner=user.pk) if _is_active(user) else public)


def is_manager(user: Visitor) -> bool:
    """Staff, and whoever holds the permission to change every media file."""
    if not _is_active(user):
        return False
    return bool(getattr(user, "is_staff", False)) or _has_perm(user, "change_mediafile")


def may_review(user: Visitor) -> bool:
    """Whether `user` may fetch what is in quarantine: a permission of its own, also for staff."""
    return _is_active(user) and _has_perm(user, "review_quarantine")


def _has_perm(user: Visitor, name: str) -> bool:
    check = getattr(user, "has_perm", None)
    return bool(check and check(f"media.{name}"))


def _is_active(user: Visitor) -> bool:
    return bool(user.is_authenticated and user.is_active)


def is_published(media: MediaFile) -> bool:
    """Whether everybody who knows the address may view it."""
    return (
        media.visibility in {Visibility.PUBLIC, Visibility.UNLISTED}
        and media.usable
        and media.deleted_at is None
    )
