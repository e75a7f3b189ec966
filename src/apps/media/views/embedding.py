"""How files that everybody may see look on other sites: Open Graph and oEmbed 1.0.

What is said is said to everybody, whoever asks: the visitor of these answers is nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.views.generic import View

from apps.core.rates import check_rate
from apps.media import links, selectors
from apps.media.exceptions import NotVisibleError
from apps.media.models import MediaFile, Rendition
from apps.media.policies import is_plainly_visible
from apps.media.rates import EmbedRate

WHOLE = re.compile(r"w\d+\.jpg")
PIXELS = re.compile(r"[0-9]{1,6}")
FILM, SOUND = "video.mp4", "audio.m4a"
KEPT_SECONDS = 3600
SIZE_UNKNOWN = 640, 360
FILM_HTML = (
    '<video controls playsinline preload="none" src="{}" poster="{}" width="{}" height="{}">'
    "</video>"
)
SOUND_HTML = '<audio controls preload="none" src="{}"></audio>'
NOBODY = AnonymousUser()
Answer: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Social:
    """What a page says of its file to those who make a preview of it; addresses are whole ones."""

    media: MediaFile
    page: str
    picture: str
    width: int | None
    height: int | None
    film: str
    oembed: str


def describe_for_others(request: HttpRequest, media: MediaFile) -> Social | None:
    """The preview of `media` (with details), or None where not everybody may see what it is now."""
    if not (media.is_settled and is_plainly_visible(NOBODY, media)):
        return None
    page = request.build_absolute_uri(media.get_absolute_url())
    picture = _picture(media)
    film = links.find_rendition(media, FILM)
    return Social(
        media=media,
        page=page,
        picture=_whole(request, media, picture),
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        film=_whole(request, media, film),
        oembed=request.build_absolute_uri(f"{reverse('media:oembed')}?{urlencode({'url': page})}"),
    )


class OEmbedView(View):
    """What to show for the address of a file's page, given as `url`; JSON only. See oembed.com."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        check_rate(EmbedRate, request)
        if request.GET.get("format", "json") != "json":
            return JsonResponse({"error": "Only JSON is spoken here."}, status=501)
        media = _find(request, request.GET.get("url", ""))
        most = [_pixels(request, name) for name in ("maxwidth", "maxheight")]
        answer = JsonResponse(_embed(request, media, *most))
        answer["Access-Control-Allow-Origin"] = "*"
        answer["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
        return answer


def _find(request: HttpRequest, url: str) -> MediaFile:
    """The file whose page `url` is; raises `NotVisibleError` for all that is not everybody's."""
    try:
        address = urlsplit(url)
        match = resolve(address.path)
    except (ValueError, Resolver404):
        raise NotVisibleError(url) from None
    if address.netloc != request.get_host() or match.view_name != "media:detail":
        raise NotVisibleError(url)
    return selectors.get_detailed_media(user=NOBODY, media_id=match.kwargs["media_id"])


def _pixels(request: HttpRequest, name: str) -> int | None:
    """The most that is asked for; None where that is no number, or more than any picture has."""
    text = request.GET.get(name, "")
    return int(text) or None if PIXELS.fullmatch(text) else None


def _embed(
    request: HttpRequest, media: MediaFile, most_wide: int | None, most_high: int | None
) -> Answer:
    """The answer for `media`; no picture in it is larger than asked."""
    picture = _picture(media, most_wide, most_high)
    film, sound = (links.find_rendition(media, name) for name in (FILM, SOUND))
    body: Answer = {
        "version": "1.0",
        "type": "link",
        "title": str(media),
        "provider_name": request.get_host(),
        "provider_url": request.build_absolute_uri("/"),
        "cache_age": KEPT_SECONDS,
    }
    shown = _shown(request, media, picture) if picture else {}
    body |= {f"thumbnail_{name}": value for name, value in shown.items()}
    if shown and media.media_type == "image":
        return {**body, "type": "photo", **shown}
    if film is not None:
        width, height = _within(film, most_wide, most_high)
        html = format_html(
            FILM_HTML, _whole(request, media, film), shown.get("url", ""), width, height
        )
        return {**body, "type": "video", "html": html, "width": width, "height": height}
    if sound is not None:
        width, height = min(most_wide or 400, 400), min(most_high or 54, 54)
        html = format_html(SOUND_HTML, _whole(request, media, sound))
        return {**body, "type": "rich", "html": html, "width": width, "height": height}
    return body


def _shown(request: HttpRequest, media: MediaFile, picture: Rendition) -> Answer:
    return {
        "url": _whole(request, media, picture),
        "width": picture.width,
        "height": picture.height,
    }


def _within(film: Rendition, most_wide: int | None, most_high: int | None) -> tuple[int, int]:
    """The size of `film` in pixels, made smaller until it fits."""
    if not (film.width and film.height):
        return SIZE_UNKNOWN
    scale = min(1, (most_wide or film.width) / film.width, (most_high or film.height) / film.height)
    return max(1, int(film.width * scale)), max(1, int(film.height * scale))


def _picture(
    media: MediaFile, most_wide: int | None = None, most_high: int | None = None
) -> Rendition | None:
    """The largest picture of all of the file within these pixels, of a kind that all can read."""
    names = (*links.POSTERS, "page-1.jpg")
    fits = [
        row
        for row in links.shown_renditions(media)
        if (WHOLE.fullmatch(row.name) or row.name in names)
        and row.width
        and row.height
        and row.width <= (most_wide or row.width)
        and row.height <= (most_high or row.height)
    ]
    return max(fits, key=lambda row: row.width or 0, default=None)


def _whole(request: HttpRequest, media: MediaFile, rendition: Rendition | None) -> str:
    if rendition is None:
        return ""
    return request.build_absolute_uri(links.rendition_url(media, rendition))
