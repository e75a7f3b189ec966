"""Roles: the groups that may do something with files of others."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

# A group is a role of this app when it holds any permission on its models.
_OF_MEDIA = Q(permissions__content_type__app_label="media")


def list_roles() -> QuerySet[Group]:
    """The roles by name."""
    return Group.objects.filter(_OF_MEDIA).distinct().order_by("name")
