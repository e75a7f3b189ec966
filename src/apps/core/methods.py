"""Which methods of HTTP an address takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, TypeVar

from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

View = TypeVar("View", bound=Callable[..., Any])
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OF_BROWSERS = ("GET", "POST", "OPTIONS")


def read_only(view: View) -> View:
    """A view for GET and HEAD alone. There is no form to protect: all else is 405, whether or not
    it brings the token of one."""
    return csrf_exempt(require_safe(view))


def methods_of(view: Callable[..., Any]) -> frozenset[str]:
    """What a page takes; all there are, where the view sees to it itself: a function, the API."""
    page = None if hasattr(view, "cls") else getattr(view, "view_class", None)
    if page is None:
        return METHODS
    methods = {method for method in _OF_BROWSERS if hasattr(page, method.lower())}
    return frozenset(methods | {"HEAD"} if "GET" in methods else methods)


def page_above(path: str) -> str | None:
    """The nearest page that can be opened above the address `path` of a form, if there is one."""
    for place in PurePosixPath(path).parents:
        address = str(place).rstrip("/") + "/"
        try:
            view = resolve(address).func
        except Resolver404:
            continue
        if "GET" in methods_of(view):
            return address
    return None
