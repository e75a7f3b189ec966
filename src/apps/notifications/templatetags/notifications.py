"""Template tags for notifications: `{% load notifications %}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.timesince import timesince

from apps.notifications import selectors

register = template.Library()


@register.simple_tag
def unread_count(user: Any) -> int:
    """How many notifications of `user` are unread, at most 100. One query."""
    return selectors.count_unread(user=user)


@register.filter
def ago(moment: datetime) -> str:
    """How long ago it was, in one unit: `just now`, `5 minutes ago`."""
    passed = timesince(moment, depth=1)
    return "just now" if passed.startswith("0") else f"{passed} ago"
