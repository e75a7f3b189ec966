"""`/media/{id}/hls/…`: a film for players that adapt to the line, under the one access rule."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.methods import read_only
from apps.media import delivery, selectors
from apps.media.models import Caption, MediaFile, Rendition
from apps.media.views.rights import Right, right_to


@read_only
def master(request: HttpRequest, media_id: uuid.UUID, **claim: str) -> HttpResponseBase:
    right = right_to(request, media_id, "hls/master.m3u8", **claim)
    media = right.media()
    tracks = right.recall("tracks", lambda: selectors.list_tracks(media=media))
    captions = right.recall("captions", lambda: list(selectors.list_captions(media=media)))
    return delivery.deliver_master(request, media, tracks, captions, right.terms)


@read_only
def track_playlist(
    request: HttpRequest, media_id: uuid.UUID, track: str, **claim: str
) -> HttpResponseBase:
    right = right_to(request, media_id, f"hls/{track}.m3u8", **claim)
    media = right.media()
    row = _track(right, media, track)
    return delivery.deliver_track_playlist(request, media, row, right.terms)


@read_only
def track_bytes(
    request: HttpRequest, media_id: uuid.UUID, track: str, **claim: str
) -> HttpResponseBase:
    right = right_to(request, media_id, f"hls/{track}.mp4", **claim)
    media = right.media()
    return delivery.deliver_track(request, media, _track(right, media, track), right.terms)


@read_only
def caption_playlist(
    request: HttpRequest, media_id: uuid.UUID, name: str, **claim: str
) -> HttpResponseBase:
    right = right_to(request, media_id, f"hls/captions-{name}.m3u8", **claim)
    media = right.media()
    row = _caption(right, media, name)
    return delivery.deliver_caption_playlist(request, media, row, right.terms)


@read_only
def caption_text(
    request: HttpRequest, media_id: uuid.UUID, name: str, **claim: str
) -> HttpResponseBase:
    right = right_to(request, media_id, f"hls/captions-{name}.vtt", **claim)
    media = right.media()
    return delivery.deliver_caption(request, media, _caption(right, media, name), right.terms)


def _track(right: Right, media: MediaFile, name: str) -> Rendition:
    full = f"{Rendition.TRACKS}{name}.mp4"
    return right.recall(full, lambda: selectors.get_rendition(media=media, name=full))


def _caption(right: Right, media: MediaFile, name: str) -> Caption:
    return right.recall(f"captions/{name}", lambda: selectors.get_caption(media=media, name=name))
