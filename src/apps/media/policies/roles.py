"""What somebody may do with every file, by their role: staff, and holders of permissions.

Roles are ordinary groups (see migration 0009): operators may change what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from apps.media.conf import options

Visitor: TypeAlias = AbstractBaseUser | AnonymousUser


class Action(StrEnum):
    VIEW = "view"
    EDIT = "edit"
    DELETE = "delete"
    SHARE = "share"  # and withdraw: visibility, grants, links
    ATTACH = "attach"  # to an object of another app
    READ = "read"  # the bytes themselves


# Whoever may do something with a file may see it.
_LOOKING = ("view_mediafile", "change_mediafile", "delete_mediafile", "share_mediafile")
# The permissions of which one is enough.
_HELD_BY: Mapping[Action, tuple[str, ...]] = MappingProxyType(
    {
        Action.VIEW: _LOOKING,
        Action.READ: _LOOKING,
        Action.EDIT: ("change_mediafile",),
        Action.SHARE: ("share_mediafile",),
        Action.ATTACH: ("change_mediafile",),
        Action.DELETE: ("delete_mediafile",),
    }
)


def holds(user: Visitor, action: Action) -> bool:
    """Whether `user` may do `action` with every file: staff, and by permission."""
    if not is_active(user):
        return False
    by_permission = any(_has_perm(user, name) for name in _HELD_BY[action])
    return bool(getattr(user, "is_staff", False)) or by_permission


def may_review(user: Visitor) -> bool:
    """Whether `user` may fetch what is in quarantine: a permission of its own, also for staff."""
    return is_active(user) and _has_perm(user, "review_quarantine")


def may_change_quotas(user: Visitor) -> bool:
    """Whether `user` may decide how much others store."""
    return is_active(user) and _has_perm(user, "change_quota")


def is_active(user: Visitor) -> bool:
    """Whether somebody is signed in whose account is not switched off."""
    return bool(user.is_authenticated and user.is_active)


def owns(user: Visitor, owner_id: object) -> bool:
    """Whether `user` is that owner."""
    return is_active(user) and owner_id == user.pk


def owners_delete() -> bool:
    """Whether owners may delete what is theirs, or only roles may."""
    return options().deletion == "owner"


def may_empty_trash(user: Visitor) -> bool:
    """Whether `user` may delete for good what is theirs."""
    return is_active(user) and (owners_delete() or holds(user, Action.DELETE))


def may_erase(by: Visitor, user: Any) -> bool:
    """Whether `by` may have everything of `user` removed, and their account with it."""
    if not is_active(by):
        return False
    if by.pk == user.pk:
        return owners_delete() or holds(by, Action.DELETE)
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return bool(getattr(by, "is_superuser", False))
    return holds(by, Action.DELETE)


def _has_perm(user: Visitor, name: str) -> bool:
    check = getattr(user, "has_perm", None)
    return bool(check and check(f"media.{name}"))
