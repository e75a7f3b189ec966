"""Template tags for the frame of pages: `{% load core %}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import unescape
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext_lazy

from apps.core.languages import Offered, offered_languages
from apps.core.pages import site_contact, site_name

register = template.Library()
register.simple_tag(site_name)
register.simple_tag(site_contact)

AGO: Any = {
    "year": ngettext_lazy("%(num)d year ago", "%(num)d years ago", "num"),
    "month": ngettext_lazy("%(num)d month ago", "%(num)d months ago", "num"),
    "week": ngettext_lazy("%(num)d week ago", "%(num)d weeks ago", "num"),
    "day": ngettext_lazy("%(num)d day ago", "%(num)d days ago", "num"),
    "hour": ngettext_lazy("%(num)d hour ago", "%(num)d hours ago", "num"),
    "minute": ngettext_lazy("%(num)d minute ago", "%(num)d minutes ago", "num"),
}


@register.simple_block_tag
def page_title(content: str) -> SafeString:
    """The title of a page with the name of the site behind it; that alone where there is none."""
    title, name = unescape(" ".join(content.split())), site_name()
    return format_html("{} – {}", title, name) if title else conditional_escape(name)


@register.simple_tag
def languages() -> list[Offered]:
    """The languages to choose from; none where there is no choice."""
    offered = offered_languages()
    return offered if len(offered) > 1 else []


@register.filter
def ago(moment: datetime) -> str:
    """How long ago it was, in one unit: `just now`, `5 minutes ago`."""
    if timezone.now() - moment < timedelta(minutes=1):
        return gettext("just now")
    return timesince(moment, time_strings=AGO, depth=1)
