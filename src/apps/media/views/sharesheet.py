"""What the section on sharing says, on the page of a file and on that of a collection."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from apps.media import selectors
from apps.media.forms import GrantChangeForm, GrantForm, ShareLinkForm
from apps.media.models import Collection
from apps.media.policies import Action, Shared


def describe(request: HttpRequest, shared: Shared, *, rights: frozenset[str]) -> dict[str, Any]:
    """Who `shared` is shared with, for those who may share it; `rights` are the visitor's."""
    if Action.SHARE not in rights:
        return {"may_share": False}
    grants = selectors.list_grants(user=request.user, media=shared)
    return {
        "may_share": True,
        "shared": shared,
        "is_collection": isinstance(shared, Collection),
        "grants": [(grant, GrantChangeForm.of(grant)) for grant in grants],
        "share_links": selectors.list_share_links(user=request.user, media=shared),
        "grant_form": GrantForm(),
        "link_form": ShareLinkForm(),
        "now": timezone.now(),
        "site": request.build_absolute_uri("/").rstrip("/"),
    }
