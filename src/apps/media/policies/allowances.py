"""How much of the line somebody may have: how fast, and how many downloads at the same time.

Nothing is limited unless the options say so, and then the most generous of what they say of
somebody's roles counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.media.conf import options
from apps.media.policies.roles import Visitor, is_active

ANONYMOUS, USER, STAFF = "anonymous", "user", "staff"


@dataclass(frozen=True)
class Allowance:
    """`bandwidth` in bytes per second for each download; `downloads` at a time. None: any."""

    bandwidth: int | None = None
    downloads: int | None = None


def limits_downloads() -> bool:
    """Whether anybody has less than everything."""
    return bool(options().bandwidth or options().downloads)


def allowance_of(user: Visitor) -> Allowance:
    """What `user` may have of the line: by being signed in or not, staff, and by group names."""
    roles = _roles(user)
    return Allowance(_most(options().bandwidth, roles), _most(options().downloads, roles))


def _roles(user: Visitor) -> set[str]:
    if not is_active(user):
        return {ANONYMOUS}
    roles = {USER, STAFF} if getattr(user, "is_staff", False) else {USER}
    groups = getattr(user, "groups", None)
    if groups is not None:  # a host's user model may know none
        roles |= set(groups.values_list("name", flat=True))
    return roles


def _most(limits: Mapping[str, int], roles: set[str]) -> int | None:
    return max((limits[role] for role in roles & set(limits)), default=None)
