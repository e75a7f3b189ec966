"""A host that gives out bytes and nothing else, so that what users upload never shares an origin
with the pages.

On it nobody is anybody: no cookie and no token is looked at, none is set, and the address alone
decides. `BYTES_ORIGIN` names it, such as `https://files.example.org`; `BYTES_PATHS` is what it
answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.translation import gettext

from apps.core.problems import problem_response

_WHO = ("HTTP_COOKIE", "HTTP_AUTHORIZATION")


class BytesHostMiddleware:
    """Keeps that host apart; stands before everything that looks at who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.BYTES_ORIGIN:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self._host = urlsplit(settings.BYTES_ORIGIN).hostname
        self._paths = re.compile(settings.BYTES_PATHS)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host, _ = split_domain_port(request.get_host())  # the same at any port, with a dot or none
        if host != self._host:
            return self.get_response(request)
        for name in _WHO:
            request.META.pop(name, None)
        request.__dict__.pop("headers", None)  # read before, these would still be there
        response = self._answer(request)
        response.cookies.clear()
        # The pages, on their own host, show what is here.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if self._paths.match(request.path_info):
            return self.get_response(request)
        return problem_response(status=404, code="not_found", detail=gettext("Not found."))
