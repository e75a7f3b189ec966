"""`/media/{id}/hls/…`: a film for players that adapt to the line, under the one access rule."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.media import delivery, selectors
from apps.media.models import Caption, MediaFile, Rendition
from apps.media.views.delivery import readable


@require_safe
def master(request: HttpRequest, media_id: uuid.UUID) -> HttpResponseBase:
    media = readable(request, media_id)
    tracks = selectors.list_tracks(media=media)
    captions = list(selectors.list_captions(media=media))
    return delivery.deliver_master(request, media, tracks, captions)


@require_safe
def track_playlist(request: HttpRequest, media_id: uuid.UUID, track: str) -> HttpResponseBase:
    media = readable(request, media_id)
    return delivery.deliver_track_playlist(request, media, _track(media, track))


@require_safe
def track_bytes(request: HttpRequest, media_id: uuid.UUID, track: str) -> HttpResponseBase:
    media = readable(request, media_id)
    return delivery.deliver_track(request, media, _track(media, track))


@require_safe
def caption_playlist(request: HttpRequest, media_id: uuid.UUID, name: str) -> HttpResponseBase:
    media = readable(request, media_id)
    return delivery.deliver_caption_playlist(request, media, _caption(media, name))


@require_safe
def caption_text(request: HttpRequest, media_id: uuid.UUID, name: str) -> HttpResponseBase:
    media = readable(request, media_id)
    return delivery.deliver_caption(request, media, _caption(media, name))


def _track(media: MediaFile, name: str) -> Rendition:
    return selectors.get_rendition(media=media, name=f"{Rendition.TRACKS}{name}.mp4")


def _caption(media: MediaFile, name: str) -> Caption:
    return selectors.get_caption(media=media, name=name)
