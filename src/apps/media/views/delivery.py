"""`/media/{id}/…`: the bytes, to whoever may have them."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.media import delivery, selectors
from apps.media.policies import Visitor


@require_safe
def original(request: HttpRequest, media_id: uuid.UUID) -> HttpResponseBase:
    media = selectors.get_visible_media(user=_visitor(request), media_id=media_id)
    return delivery.deliver_original(request, media, selectors.get_version(media=media))


@require_safe
def rendition(request: HttpRequest, media_id: uuid.UUID, name: str) -> HttpResponseBase:
    media = selectors.get_visible_media(user=_visitor(request), media_id=media_id)
    return delivery.deliver_rendition(
        request, media, selectors.get_rendition(media=media, name=name)
    )


def _visitor(request: HttpRequest) -> Visitor:
    """The user of the session or, for programs, of the API token; nobody for a wrong token."""
    if request.user.is_authenticated or "Authorization" not in request.headers:
        return request.user
    try:
        visitor: Visitor = Request(request, authenticators=APIView().get_authenticators()).user
    except AuthenticationFailed:
        return request.user
    return visitor
