"""The first page of an operator: work that waits, what fails, what came, who stores what."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from apps.media import selectors


def overview(request: HttpRequest) -> TemplateResponse:
    """For those who may see every file."""
    if not request.user.has_perm("media.view_mediafile"):
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": gettext("Overview of media"),
        "overview": selectors.get_overview(),
    }
    return TemplateResponse(request, "media/admin/overview.html", context)
