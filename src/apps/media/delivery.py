"""Gives out bytes: what an address means, and how long its answer may be kept.

Who may have them was decided before, by the one access rule; the byte server carries them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import PurePosixPath
from typing import cast

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from apps.core.byteserving import LOCKED_HEADERS, ByteSource, serve_bytes
from apps.core.filetypes import FILE_TYPES
from apps.core.storage import Capability, ObjectStore
from apps.core.storage.base import CHUNK_BYTES, BoundedReader
from apps.media import links, playlists
from apps.media.exceptions import NotVisibleError
from apps.media.links import fingerprint_of
from apps.media.models import Caption, MediaFile, MediaVersion, Rendition, Visibility
from apps.media.playlists import TextEntry, TrackEntry
from apps.media.policies import is_published
from apps.media.storage import store_of

YEAR = 365 * 24 * 3600
PUBLIC_FOREVER = f"public, max-age={YEAR}, immutable"
PUBLIC_BRIEFLY = "public, max-age=60, must-revalidate"
PUBLIC_GROWING = "public, no-cache"  # a playlist that will have more in it soon
PRIVATE = "private, no-store"
# Short enough that a withdrawn right ends soon, long enough that a grid is not fetched twice.
PRIVATE_RENDITION = "private, max-age=60, must-revalidate"
ASK_AGAIN = 1  # seconds
# A text as HTML is safe by itself; this lets the pages of this site show it in a frame.
READING_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}


def deliver_original(
    request: HttpRequest, media: MediaFile, stored: MediaVersion | Rendition
) -> HttpResponseBase:
    """The bytes of `media`, or the copy of them that others get; inline only for types that
    browsers cannot execute."""
    source = ByteSource(
        store=store_of(stored.storage),
        key=stored.key,
        size=stored.size,
        content_type=stored.mime_type,
        etag=_etag(stored.key),
        last_modified=stored.created_at if isinstance(stored, MediaVersion) else stored.updated_at,
        filename=media.original_name,
        inline=FILE_TYPES[stored.mime_type].inline and "download" not in request.GET,
        cache_control=_keep_original(request, media, stored),
    )
    return serve_bytes(request, source)


def _keep_original(request: HttpRequest, media: MediaFile, stored: MediaVersion | Rendition) -> str:
    """Where a place is to be kept from others, one address has two answers: no cache may give the
    owner's to them, and neither is for ever, since the owner may decide anew."""
    if not media.current.metadata.get("has_position"):
        immutable = request.GET.get("v") == str(media.version)
        return _cache_control(media, immutable=immutable, private=PRIVATE)
    if isinstance(stored, MediaVersion) and not media.share_location:
        return PRIVATE
    return _cache_control(media, immutable=False, private=PRIVATE)


def deliver_rendition(
    request: HttpRequest, media: MediaFile, rendition: Rendition
) -> HttpResponseBase:
    """A rendition; made by us, so safe to show, except that readers of PDF run what is in it."""
    is_page = rendition.mime_type == "text/html"
    source = ByteSource(
        store=store_of(rendition.storage),
        key=rendition.key,
        size=rendition.size,
        content_type=rendition.mime_type,
        etag=_etag(rendition.key),
        last_modified=rendition.updated_at,
        filename=_filename(media, rendition.name),
        inline=rendition.mime_type != "application/pdf",
        cache_control=_keep(request, media, rendition),
        extra_headers=READING_HEADERS if is_page else {},
    )
    return serve_bytes(request, source)


def answer_processing() -> HttpResponseBase:
    """What was asked for is being made: ask again."""
    body = {"status": "processing", "detail": "This is being made. Please ask again."}
    headers = {"Retry-After": str(ASK_AGAIN), "Cache-Control": "no-store", **LOCKED_HEADERS}
    return JsonResponse(body, status=202, headers=headers)


# -- films -------------------------------------------------------------------------------------


def deliver_master(
    request: HttpRequest, media: MediaFile, tracks: list[Rendition], captions: list[Caption]
) -> HttpResponseBase:
    """The playlist of all that there is; raises `NotVisibleError` while nothing plays."""
    _ensure_playable(media, tracks)
    entries = {row.name: _track_entry(row) for row in tracks}
    sound = entries.pop(links.SOUND, None)
    texts = [_text_entry(caption) for caption in captions]
    text = playlists.write_master(entries.values(), sound, texts)
    return _deliver_playlist(request, media, text, rows=[*tracks, *captions])


def deliver_track_playlist(
    request: HttpRequest, media: MediaFile, track: Rendition
) -> HttpResponseBase:
    """The playlist of one track."""
    text = playlists.write_track(_track_entry(track))
    return _deliver_playlist(request, media, text, rows=[track])


def deliver_caption_playlist(
    request: HttpRequest, media: MediaFile, caption: Caption
) -> HttpResponseBase:
    """The playlist of one caption."""
    text = playlists.write_text(_text_entry(caption), duration=media.duration or 0.0)
    return _deliver_playlist(request, media, text, rows=[caption])


def deliver_track(request: HttpRequest, media: MediaFile, track: Rendition) -> HttpResponseBase:
    """The bytes of a track. Raises `NotVisibleError` when the address means other bytes than these:
    a film that was made anew must not be mixed with what a player has of the old one."""
    if request.GET.get("v", fingerprint_of(track)) != fingerprint_of(track):
        raise NotVisibleError(media.pk, track.name)
    return deliver_rendition(request, media, track)


def deliver_caption(request: HttpRequest, media: MediaFile, caption: Caption) -> HttpResponseBase:
    """The text of a caption."""
    source = ByteSource(
        store=store_of(caption.storage),
        key=caption.key,
        size=caption.size,
        content_type="text/vtt",
        etag=_etag(caption.key),
        last_modified=caption.created_at,
        filename=_filename(media, f"{links.caption_name(caption)}.vtt"),
        inline=True,
        cache_control=_keep(request, media, caption),
    )
    return serve_bytes(request, source)


def _ensure_playable(media: MediaFile, tracks: list[Rendition]) -> None:
    _ = media.current  # whether a sound is to come stands in the version
    names = {row.name for row in tracks}
    if not links.is_playable(names, expects_sound=links.expects_sound(media)):
        raise NotVisibleError(media.pk, "no stream yet")


def _track_entry(row: Rendition) -> TrackEntry:
    return playlists.track_entry(row, tag=fingerprint_of(row))


def _text_entry(caption: Caption) -> TextEntry:
    return TextEntry(
        name=links.caption_name(caption),
        tag=fingerprint_of(caption),
        language=caption.language,
        label=caption.label,
        describing=caption.kind == Caption.Kind.CAPTIONS,
        default=caption.default,
    )


def _deliver_playlist(
    request: HttpRequest, media: MediaFile, text: str, *, rows: Sequence[Rendition | Caption]
) -> HttpResponseBase:
    data = text.encode()
    shared = PUBLIC_BRIEFLY if media.is_finished else PUBLIC_GROWING
    source = ByteSource(
        store=cast("ObjectStore", _Written(data)),
        key="",
        size=len(data),
        content_type=playlists.CONTENT_TYPE,
        etag=_etag(text),
        last_modified=max(_changed(row) for row in rows),
        filename="",
        inline=True,
        cache_control=shared if _is_public(media) else PRIVATE,
    )
    return serve_bytes(request, source)


def _changed(row: Rendition | Caption) -> datetime:
    return row.created_at if isinstance(row, Caption) else row.updated_at


class _Written:
    """Bytes that were written for one answer, as much of a store as the byte server needs."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_range(
        self, key: str, start: int, length: int, *, chunk_size: int = CHUNK_BYTES
    ) -> BoundedReader:
        source = io.BytesIO(self._data[start:])
        return BoundedReader(source, length=length, chunk_size=chunk_size, guard=nullcontext)


# -- headers -----------------------------------------------------------------------------------


def _etag(key: str) -> str:
    # Keys are immutable and random: a digest of one is a strong validator and tells nothing.
    return f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'


def _filename(media: MediaFile, name: str) -> str:
    flat = name.replace("/", "-")
    return f"{PurePosixPath(media.original_name).stem}-{flat}"


def _keep(request: HttpRequest, media: MediaFile, stored: Rendition | Caption) -> str:
    immutable = request.GET.get("v") == fingerprint_of(stored)
    return _cache_control(media, immutable=immutable, private=PRIVATE_RENDITION)


def _cache_control(media: MediaFile, *, immutable: bool, private: str) -> str:
    if not _is_public(media):
        return private
    return PUBLIC_FOREVER if immutable else PUBLIC_BRIEFLY


def _is_public(media: MediaFile) -> bool:
    return media.visibility == Visibility.PUBLIC and is_published(media)
