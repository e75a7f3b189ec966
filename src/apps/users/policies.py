"""What people open of media: their picture and cover are everybody's, as is all of their page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.media.policies import Description, HostUse
from apps.users.models import User

PICTURES = ("avatar", "cover")
KINDS = {"avatar": _("profile picture of"), "cover": _("cover picture of")}


def media_of_profiles(user: User | AnonymousUser) -> QuerySet[Any]:
    """Ids of the files that pages of people show: the rule that media asks.

    Only what is their own: who may edit a file of another may not show it to everybody.
    """
    people = User.objects.filter(is_active=True)
    avatars, covers = (
        people.filter(**{f"{name}__owner": F("pk")}).values(name) for name in PICTURES
    )
    return avatars.union(covers)


def describe_people(
    user: User | AnonymousUser, uses: Sequence[HostUse]
) -> list[Description | None]:
    """What people whose pages show a file are called: everybody may see those pages."""
    return [_describe(use) if use.host.is_active else None for use in uses]


def _describe(use: HostUse) -> Description:
    person: User = use.host
    return Description(person.shown_name, person.get_absolute_url(), str(KINDS[use.field]))
