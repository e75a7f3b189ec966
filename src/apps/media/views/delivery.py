"""`/media/{id}/…`: the bytes, to whoever may have them."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.media import delivery, selectors, services
from apps.media.models import MediaFile
from apps.media.policies import Visitor


@require_safe
def original(request: HttpRequest, media_id: uuid.UUID) -> HttpResponseBase:
    visitor = _visitor(request)
    media = selectors.get_readable_media(user=visitor, media_id=media_id)
    stored = selectors.get_original(user=visitor, media=media)
    return delivery.deliver_original(request, media, stored)


@require_safe
def rendition(request: HttpRequest, media_id: uuid.UUID, name: str) -> HttpResponseBase:
    media = readable(request, media_id)
    found = services.find_or_request_rendition(media=media, name=name)
    if found is None:
        return delivery.answer_processing()
    return delivery.deliver_rendition(request, media, found)


def readable(request: HttpRequest, media_id: uuid.UUID) -> MediaFile:
    """The file, if whoever asks may have its bytes; else the error that says no."""
    return selectors.get_readable_media(user=_visitor(request), media_id=media_id)


def _visitor(request: HttpRequest) -> Visitor:
    """The user of the session or, for programs, of the API token; nobody for a wrong token."""
    if request.user.is_authenticated or "Authorization" not in request.headers:
        return request.user
    try:
        visitor: Visitor = Request(request, authenticators=APIView().get_authenticators()).user
    except AuthenticationFailed:
        return request.user
    return visitor
