"""Giving a right to somebody, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from apps.core.words import gettext_noop as _
from apps.media import signals
from apps.media.exceptions import (
    BadRequestError,
    ExpiryInPastError,
    ForbiddenError,
    NotVisibleError,
    OwnerHasAccessError,
)
from apps.media.models import AuditEvent, Grant, MediaFile
from apps.media.policies import Shared, Visitor, may_share
from apps.media.services.auditing import note

Recipient: TypeAlias = AbstractBaseUser | Group


@transaction.atomic
def grant_access(
    *,
    user: Visitor,
    media: Shared,
    to: Recipient,
    permission: str = Grant.Permission.VIEW,
    expires_at: datetime | None = None,
) -> Grant:
    """Let a user or a group view or edit `media`, which may also be a collection with all below it.

    There is one grant for each recipient: a second one changes the first. Raises `ForbiddenError`
    unless `user` may share it, `ExpiryInPastError`, `OwnerHasAccessError`, `BadRequestError` for a
    permission that there is not.
    """
    locked = lock_shared(media)
    ensure_may_share(user, locked)
    _ensure_permission(permission)
    ensure_in_future(expires_at)
    recipient: dict[str, Any] = {"group" if isinstance(to, Group) else "user": to}
    if recipient.get("user") == locked.owner:
        raise OwnerHasAccessError(locked.pk)
    said = {"permission": permission, "expires_at": expires_at, "granted_by": user}
    grant, is_new = Grant.objects.update_or_create(**kind_of(locked), **recipient, defaults=said)
    _note_terms(AuditEvent.Act.GRANTED if is_new else AuditEvent.Act.GRANT_CHANGED, user, grant)
    if is_new:
        signals.access_granted.tell(Grant, grant=grant)
    return grant


@transaction.atomic
def change_grant(*, user: Visitor, grant: Grant, **terms: Any) -> Grant:
    """Change the `permission` of a grant, or when it ends (`expires_at`); what is not said stays.

    Raises `ForbiddenError`, `NotVisibleError` when it is gone, `ExpiryInPastError`,
    `BadRequestError` for a permission that there is not.
    """
    ensure_may_share(user, lock_shared(_shared_by(grant)))
    locked = Grant.objects.select_for_update(of=("self",)).filter(pk=grant.pk).first()
    if locked is None:
        raise NotVisibleError(grant.pk)
    changed = {name: value for name, value in terms.items() if value != getattr(locked, name)}
    if not changed:
        return locked
    _ensure_permission(changed.get("permission", locked.permission))
    ensure_in_future(changed.get("expires_at"))
    for name, value in changed.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(changed))
    _note_terms(AuditEvent.Act.GRANT_CHANGED, user, locked)
    return locked


@transaction.atomic
def revoke_access(*, user: Visitor, grant: Grant) -> None:
    """Take a grant back; it ends at once. Raises `ForbiddenError`, and `NotVisibleError` when it
    is gone already."""
    shared = _shared_by(grant)
    ensure_may_share(user, shared)
    gone, _ = Grant.objects.filter(pk=grant.pk).delete()
    if not gone:
        raise NotVisibleError(grant.pk)
    note(AuditEvent.Act.REVOKED, user=user, **kind_of(shared), **_recipient_of(grant))


# -- common to all ways of sharing -------------------------------------------------------------


def ensure_may_share(user: Visitor, shared: Shared | None) -> None:
    """Raise `ForbiddenError` unless `user` may decide who sees it."""
    if shared is None or not may_share(user, shared):
        raise ForbiddenError(shared and shared.pk)


def ensure_in_future(moment: datetime | None) -> None:
    """Raise `ExpiryInPastError` for a moment that is over, or that has no time zone."""
    if moment is None:
        return
    if timezone.is_naive(moment) or moment <= timezone.now():
        raise ExpiryInPastError(moment)


def lock_shared(shared: Shared) -> Shared:
    """The row as it is now, locked until the transaction ends. Raises `NotVisibleError`."""
    rows = type(shared)._default_manager.select_for_update().filter(pk=shared.pk)
    locked: Shared | None = rows.first()
    if locked is None:
        raise NotVisibleError(shared.pk)
    return locked


def kind_of(shared: Shared | None) -> dict[str, Any]:
    """`shared` as the argument or the column that it goes into."""
    return {"media" if isinstance(shared, MediaFile) else "collection": shared}


def _shared_by(grant: Grant) -> Shared:
    shared = grant.media or grant.collection
    assert shared is not None  # by a constraint
    return shared


def _ensure_permission(name: str) -> None:
    if name not in Grant.Permission.values:
        raise BadRequestError(detail=_("There is no permission “%(name)s”."), values={"name": name})


def _note_terms(act: AuditEvent.Act, user: Visitor, grant: Grant) -> None:
    note(
        act,
        user=user,
        **kind_of(_shared_by(grant)),
        **_recipient_of(grant),
        permission=grant.permission,
        expires_at=grant.expires_at.isoformat() if grant.expires_at else None,
    )


def _recipient_of(grant: Grant) -> dict[str, Any]:
    return {"to_user": str(grant.user_id)} if grant.user_id else {"to_group": grant.group_id}
