"""Template tags for notifications: `{% load notifications %}`."""

from __future__ import annotations

from typing import Any

from django import template

from apps.notifications import selectors

register = template.Library()


@register.simple_tag
def unread_count(user: Any) -> int:
    """How many notifications of `user` are unread, at most 100. One query."""
    return selectors.count_unread(user=user)
