"""Roles given and taken: which ordinary groups somebody is in, written down.

What a role opens is what the group holds, see `policies.roles`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from apps.media.models import AuditEvent
from apps.media.policies import Visitor
from apps.media.services.auditing import note


@transaction.atomic
def give_role(*, user: Visitor | None, to: Any, role: Group) -> bool:
    """Put `to` into the group; False if they were in it. `user` gives it, None at the console."""
    _lock(to)
    if to.groups.filter(pk=role.pk).exists():
        return False
    to.groups.add(role)
    note(AuditEvent.Act.ROLE, user=user, owner=str(to.pk), role=role.name, given=True)
    return True


@transaction.atomic
def take_role(*, user: Visitor | None, of: Any, role: Group) -> bool:
    """Take `of` out of the group; False if they were not in it."""
    _lock(of)
    if not of.groups.filter(pk=role.pk).exists():
        return False
    of.groups.remove(role)
    note(AuditEvent.Act.ROLE, user=user, owner=str(of.pk), role=role.name, given=False)
    return True


def _lock(user: Any) -> None:
    """Of two changes at once the second sees the first, and each is written down once."""
    get_user_model()._base_manager.select_for_update().get(pk=user.pk)
