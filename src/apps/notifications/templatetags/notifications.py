"""Template tags for notifications: `{% load notifications %}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext_lazy

from apps.notifications import selectors

register = template.Library()

AGO = {
    "year": ngettext_lazy("%(num)d year ago", "%(num)d years ago", "num"),
    "month": ngettext_lazy("%(num)d month ago", "%(num)d months ago", "num"),
    "week": ngettext_lazy("%(num)d week ago", "%(num)d weeks ago", "num"),
    "day": ngettext_lazy("%(num)d day ago", "%(num)d days ago", "num"),
    "hour": ngettext_lazy("%(num)d hour ago", "%(num)d hours ago", "num"),
    "minute": ngettext_lazy("%(num)d minute ago", "%(num)d minutes ago", "num"),
}


@register.simple_tag
def unread_count(user: Any) -> int:
    """How many notifications of `user` are unread, at most 100. One query."""
    return selectors.count_unread(user=user)


@register.filter
def ago(moment: datetime) -> str:
    """How long ago it was, in one unit: `just now`, `5 minutes ago`."""
    if timezone.now() - moment < timedelta(minutes=1):
        return gettext("just now")
    return timesince(moment, time_strings=AGO, depth=1)
