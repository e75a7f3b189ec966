"""What pages for people have in common, whichever app shows them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest
from django.utils.cache import add_never_cache_headers
from django.views import View


def site_name() -> str:
    """What the site is called: the setting `SITE_NAME` of the project."""
    return str(getattr(settings, "SITE_NAME", "Media App"))


def site_contact() -> str:
    """The mail address of those who look after the site: the setting `SITE_CONTACT`, or none."""
    return str(getattr(settings, "SITE_CONTACT", ""))


class PageView(View):
    """Any page: what it shows depends on the visitor, so that no cache may keep it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response


class PersonalView(LoginRequiredMixin, PageView):
    """A page of somebody signed in."""
