"""What pages for people have in common, whichever app shows them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View


def site_name() -> str:
    """What the site is called: the setting `SITE_NAME` of the project."""
    return str(getattr(settings, "SITE_NAME", "Media App"))


def site_contact() -> str:
    """The mail address of those who look after the site: the setting `SITE_CONTACT`, or none."""
    return str(getattr(settings, "SITE_CONTACT", ""))


def absolute_url(path: str) -> str:
    """What leads to `path` from outside, as in a mail: on the address in the setting `SITE_URL`."""
    return f"{settings.SITE_URL.rstrip('/')}{path}"


def page_of_form(request: HttpRequest) -> str:
    """Where on this site the form was, if the browser says so; else empty."""
    came_from = request.headers.get("Referer", "")
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(came_from, hosts, require_https=request.is_secure()):
        return ""
    parts = urlsplit(came_from)
    return parts._replace(scheme="", netloc="", fragment="").geturl()


class PageView(View):
    """Any page: what it shows depends on the visitor, so that no cache may keep it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response


class PersonalView(LoginRequiredMixin, PageView):
    """A page of somebody signed in."""

    def handle_no_permission(self) -> HttpResponseRedirect:
        """Signing in leads back to the page; where only a form is taken, to that of the form."""
        if "get" in self.http_method_names and hasattr(self, "get"):
            return super().handle_no_permission()
        return redirect_to_login(page_of_form(self.request), self.get_login_url())
