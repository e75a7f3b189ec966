"""Addresses that files had before this app took them over, answered by where they are now.

A path is looked up and never becomes part of an answer; who may not view the file learns nothing.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase

from apps.core.methods import read_only
from apps.media import links, selectors

FOR_EVERYBODY = "public, max-age=3600"
FOR_ONE = "private, no-store"


@read_only
def former(request: HttpRequest, rest: str) -> HttpResponseBase:
    media, width, height = selectors.get_media_at(user=request.user, path=request.path)
    response = HttpResponsePermanentRedirect(links.lasting_url(media, width=width, height=height))
    response.headers["Cache-Control"] = FOR_EVERYBODY if media.is_public else FOR_ONE
    return response
