"""The site as a program on a telephone's home screen: manifest, service worker, a page for when
there is no network, and the way in for files that other programs share.

Nothing here depends on who asks, but for the language; so a worker may keep it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import get_language, get_language_bidi, gettext
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from apps.core.pages import PageView, site_name

BUNDLE = "media/dist/service-worker.js"
ICON_SIZES = (192, 512)
ACCENT, GROUND = "#2457d6", "#ffffff"  # as in the mark, and in the styles' tokens
# What a telephone offers the site for; what each file really is, is judged when it comes.
SHARED_TYPES = ["image/*", "video/*", "audio/*", "application/pdf", "text/*"]


def _in_language(response: HttpResponse) -> HttpResponse:
    """Asked for again each time, as it may have changed; the same for everybody."""
    response["Cache-Control"] = "no-cache"
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    return response


# -- the manifest -----------------------------------------------------------------------------


def _icons() -> list[dict[str, str]]:
    drawn = [
        {
            "src": static(f"media/dist/marks/{name}-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for name, purpose in (("app", "any"), ("app-maskable", "maskable"))
        for size in ICON_SIZES
    ]
    mark = {"src": static("media/icons/app.svg"), "sizes": "any", "type": "image/svg+xml"}
    return [mark, *drawn]


def _share_target() -> dict[str, Any]:
    files = [{"name": "files", "accept": SHARED_TYPES}]
    return {
        "action": reverse("installable:shared"),
        "method": "POST",
        "enctype": "multipart/form-data",
        "params": {"title": "title", "text": "text", "files": files},
    }


class ManifestView(View):
    """What a system has to know to install the site (W3C, Web Application Manifest)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        upload = {"name": gettext("Upload"), "url": reverse("media:upload")}
        manifest = {
            "id": reverse("media:home"),
            "name": site_name(),
            "short_name": site_name(),
            "lang": get_language(),
            "dir": "rtl" if get_language_bidi() else "ltr",
            "start_url": reverse("media:library"),
            "scope": reverse("media:home"),
            "display": "standalone",
            "theme_color": ACCENT,
            "background_color": GROUND,
            "icons": _icons(),
            "shortcuts": [upload],
            "share_target": _share_target(),
        }
        content = json.dumps(manifest, ensure_ascii=False)
        return _in_language(HttpResponse(content, content_type="application/manifest+json"))


# -- the service worker -----------------------------------------------------------------------


def _offline_page() -> str:
    """Made without the request: no visitor's name can be on it."""
    return render_to_string("media/offline.html")


class WorkerView(View):
    """The service worker, from where it sees the pages; after what it has to know of the site.

    Whatever it keeps is named in it, so that a browser which finds other bytes here replaces both.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        found = finders.find(BUNDLE)
        if not isinstance(found, str):
            raise Http404
        code = Path(found).read_text(encoding="utf-8")
        shown = f"{get_language()}\n{_offline_page()}\n{code}"
        site = {
            "version": hashlib.sha256(shown.encode()).hexdigest()[:16],
            "offline": reverse("installable:offline"),
            "share": reverse("installable:shared"),
            "statics": urlsplit(settings.STATIC_URL).path,
            "bytes": [f"{reverse('media:home')}media/"],
        }
        content = f"self.SITE={json.dumps(site)};\n{code}"
        return _in_language(HttpResponse(content, content_type="text/javascript; charset=utf-8"))


class OfflineView(View):
    """What the worker shows in place of a page that it cannot reach."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _in_language(HttpResponse(_offline_page()))


# -- files that other programs share ----------------------------------------------------------


@method_decorator(csrf_exempt, name="dispatch")  # takes nothing: see `post`
class SharedView(PageView):
    """Where the worker sends on whoever shared files, which wait in the browser meanwhile.

    Without a worker the files come here themselves. They are not read: any site could send such a
    form, and a telephone's cannot carry a token.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        if "lost" in request.GET:
            return self._ask_again(request)
        upload = reverse("media:upload")
        if request.user.is_authenticated:
            return redirect(upload)
        words = gettext("What you shared waits in this browser. Sign in to upload it.")
        messages.info(request, words)
        return redirect_to_login(upload)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self._ask_again(request)

    def _ask_again(self, request: HttpRequest) -> HttpResponse:
        words = gettext("What you shared could not be kept. Please choose the files here.")
        messages.warning(request, words)
        answer = redirect("media:upload")
        answer.status_code = 303  # whatever brought it here, a page comes next
        return answer
