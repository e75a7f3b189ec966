"""Gives out bytes: what an address means, and how long its answer may be kept.

Who may have them was decided before, by the one access rule; the byte server carries them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import cast

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from apps.core.byteserving import LOCKED_HEADERS, ByteSource, Way, serve_bytes
from apps.core.filetypes import FILE_TYPES
from apps.core.storage import Capability, ObjectStore
from apps.core.storage.base import CHUNK_BYTES, BoundedReader
from apps.media import links, playlists
from apps.media.conf import options
from apps.media.exceptions import NotVisibleError
from apps.media.links import fingerprint_of
from apps.media.models import Caption, MediaFile, MediaVersion, Rendition
from apps.media.playlists import TextEntry, TrackEntry
from apps.media.storage import current_alias, names_of, store_of

YEAR = 365 * 24 * 3600
PUBLIC_FOREVER = f"public, max-age={YEAR}, immutable"
PUBLIC_BRIEFLY = "public, max-age=60, must-revalidate"
PUBLIC_GROWING = "public, no-cache"  # a playlist that will have more in it soon
PRIVATE = "private, no-store"
# Short enough that a withdrawn right ends soon, long enough that a grid is not fetched twice.
PRIVATE_SECONDS = 60
PRIVATE_RENDITION = f"private, max-age={PRIVATE_SECONDS}, must-revalidate"
ASK_AGAIN = 1  # seconds
SMALL = 1024 * 1024  # bytes: what nginx keeps of signed addresses
SIGNED_KEPT = 5  # seconds, after those that `views.rights` remembers it
# A text as HTML is safe by itself; this lets the pages of this site show it in a frame.
READING_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How bytes are given out, by the right by which they are asked for.

    `tag` is the `v` of the address. `seconds` is set where the right is that of an address and not
    of a visitor, and says how long it still holds: such an answer is nobody else's, whatever the
    file is.
    """

    download: bool = False
    tag: str = ""
    seconds: int | None = None


def deliver_original(
    request: HttpRequest, media: MediaFile, stored: MediaVersion | Rendition, terms: Terms
) -> HttpResponseBase:
    """The bytes of `media`, or the copy of them that others get; inline only for types that
    browsers cannot execute."""
    if terms.seconds is not None:
        _ensure_tag(media, terms, str(media.version))
    source = ByteSource(
        store=store_of(stored.storage),
        key=stored.key,
        size=stored.size,
        content_type=stored.mime_type,
        etag=_etag(stored.key),
        last_modified=stored.created_at if isinstance(stored, MediaVersion) else stored.updated_at,
        filename=media.original_name,
        inline=FILE_TYPES[stored.mime_type].inline and not terms.download,
        cache_control=_keep_original(media, stored, terms),
        alias=names_of(stored.storage)[0],
        way=_way(stored.storage),
    )
    return serve_bytes(request, source)


def deliver_version(request: HttpRequest, version: MediaVersion, terms: Terms) -> HttpResponseBase:
    """The bytes of one version, for whoever may edit the file and for no cache."""
    source = ByteSource(
        store=store_of(version.storage),
        key=version.key,
        size=version.size,
        content_type=version.mime_type,
        etag=_etag(version.key),
        last_modified=version.created_at,
        filename=version.original_name,
        inline=FILE_TYPES[version.mime_type].inline and not terms.download,
        cache_control=PRIVATE,
        alias=names_of(version.storage)[0],
        way=_way(version.storage),
    )
    return serve_bytes(request, source)


def _keep_original(media: MediaFile, stored: MediaVersion | Rendition, terms: Terms) -> str:
    """Where a place is to be kept from others, one address has two answers: no cache may give the
    owner's to them, and neither is for ever, since the owner may decide anew."""
    if terms.seconds is not None:
        return PRIVATE
    if not media.current.metadata.get("has_position"):
        immutable = terms.tag == str(media.version)
        return _cache_control(media, immutable=immutable, private=PRIVATE)
    if isinstance(stored, MediaVersion) and not media.share_location:
        return PRIVATE
    return _cache_control(media, immutable=False, private=PRIVATE)


def deliver_rendition(
    request: HttpRequest, media: MediaFile, rendition: Rendition, terms: Terms
) -> HttpResponseBase:
    """A rendition; made by us, so safe to show, except that readers of PDF run what is in it."""
    return serve_bytes(request, _rendition_source(media, rendition, terms))


def _rendition_source(media: MediaFile, rendition: Rendition, terms: Terms) -> ByteSource:
    is_page = rendition.mime_type == "text/html"
    return ByteSource(
        store=store_of(rendition.storage),
        key=rendition.key,
        size=rendition.size,
        content_type=rendition.mime_type,
        etag=_etag(rendition.key),
        last_modified=rendition.updated_at,
        filename=_filename(media, rendition.name),
        inline=rendition.mime_type != "application/pdf" and not terms.download,
        cache_control=_keep(media, rendition, terms),
        extra_headers={**_sharing(media, terms), **(READING_HEADERS if is_page else {})},
        alias=names_of(rendition.storage)[0],
        way=_way(rendition.storage),
    )


def deliver_signed_rendition(
    request: HttpRequest, media: MediaFile, rendition: Rendition, terms: Terms
) -> HttpResponseBase:
    """The same under a signed address. A small one nginx may keep for some seconds, which it is
    told in a header that goes no further, so that most requests never come here.

    Raises `NotVisibleError` when the address means other bytes: it must not be one more under which
    the same are kept.
    """
    _ensure_tag(media, terms, fingerprint_of(rendition))
    if options().accel != Way.NGINX or rendition.size > SMALL:
        return deliver_rendition(request, media, rendition, terms)
    source = replace(_rendition_source(media, rendition, terms), way=Way.SELF)
    response = serve_bytes(request, source)
    if response.status_code == HTTPStatus.OK:
        response.headers["X-Accel-Expires"] = str(min(SIGNED_KEPT, terms.seconds or 0))
    return response


def deliver_preview(
    request: HttpRequest, media: MediaFile, rendition: Rendition
) -> HttpResponseBase:
    """A small picture under an address that tells nothing else: no name, and no cache keeps it.

    Never by an address of the storage, which could not be taken back.
    """
    source = _rendition_source(media, rendition, Terms(seconds=0))
    return serve_bytes(
        request,
        replace(
            source,
            filename=f"picture{PurePosixPath(rendition.name).suffix}",
            cache_control=PRIVATE,
            way=source.way if source.way is Way.NGINX else Way.SELF,
            extra_headers={
                "Cross-Origin-Resource-Policy": "cross-origin",  # readers of mail are elsewhere
                "Referrer-Policy": "no-referrer",
                "X-Robots-Tag": "noindex",
            },
        ),
    )


def deliver_alternative(
    request: HttpRequest, media: MediaFile, rows: Sequence[Rendition], terms: Terms
) -> HttpResponseBase:
    """That one of `rows`, best first, which whoever asks can read (RFC 9110 §12.5.1).

    A type counts as read only where it is named: `*/*` is also said by programs that know neither
    AVIF nor WebP, and gets the last one. The address has no `v` that fits all, and the answer is
    kept for a short time only.
    """
    named = {f"{one.main_type}/{one.sub_type}" for one in request.accepted_types if one.quality}
    row = next((row for row in rows if row.mime_type in named), rows[-1])
    source = _rendition_source(media, row, replace(terms, tag=""))
    varied = {**source.extra_headers, "Vary": "Accept"}
    return serve_bytes(request, replace(source, extra_headers=varied))


def _ensure_tag(media: MediaFile, terms: Terms, tag: str) -> None:
    """Raise `NotVisibleError` unless the address means these bytes, or says nothing of them."""
    if terms.tag not in {"", tag}:
        raise NotVisibleError(media.pk, terms.tag)


def _way(alias: str) -> Way:
    """How the bytes of this storage go out: what the operator chose, where the storage can."""
    able = store_of(alias).capabilities
    chosen = options().accel
    if chosen == Way.NGINX and Capability.LOCAL in able and current_alias() in names_of(alias):
        return Way.NGINX
    if chosen == Way.REDIRECT and Capability.PRESIGNED_GET in able:
        return Way.REDIRECT
    return Way.SELF


def answer_processing() -> HttpResponseBase:
    """What was asked for is being made: ask again."""
    body = {"status": "processing", "detail": gettext("This is being made. Please ask again.")}
    headers = {"Retry-After": str(ASK_AGAIN), "Cache-Control": "no-store", **LOCKED_HEADERS}
    return JsonResponse(body, status=202, headers=headers)


# -- films -------------------------------------------------------------------------------------


def deliver_master(
    request: HttpRequest,
    media: MediaFile,
    tracks: list[Rendition],
    captions: list[Caption],
    terms: Terms,
) -> HttpResponseBase:
    """The playlist of all that there is; raises `NotVisibleError` while nothing plays."""
    _ensure_playable(media, tracks)
    entries = {row.name: _track_entry(row) for row in tracks}
    sound = entries.pop(links.SOUND, None)
    texts = [_text_entry(caption) for caption in captions]
    text = playlists.write_master(entries.values(), sound, texts)
    return _deliver_playlist(request, media, text, rows=[*tracks, *captions], terms=terms)


def deliver_track_playlist(
    request: HttpRequest, media: MediaFile, track: Rendition, terms: Terms
) -> HttpResponseBase:
    """The playlist of one track."""
    text = playlists.write_track(_track_entry(track))
    return _deliver_playlist(request, media, text, rows=[track], terms=terms)


def deliver_caption_playlist(
    request: HttpRequest, media: MediaFile, caption: Caption, terms: Terms
) -> HttpResponseBase:
    """The playlist of one caption."""
    text = playlists.write_text(_text_entry(caption), duration=media.duration or 0.0)
    return _deliver_playlist(request, media, text, rows=[caption], terms=terms)


def deliver_track(
    request: HttpRequest, media: MediaFile, track: Rendition, terms: Terms
) -> HttpResponseBase:
    """The bytes of a track. Raises `NotVisibleError` when the address means other bytes than these:
    a film that was made anew must not be mixed with what a player has of the old one."""
    _ensure_tag(media, terms, fingerprint_of(track))
    return deliver_rendition(request, media, track, terms)


def deliver_caption(
    request: HttpRequest, media: MediaFile, caption: Caption, terms: Terms
) -> HttpResponseBase:
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
        cache_control=_keep(media, caption, terms),
        extra_headers=_sharing(media, terms),
        alias=names_of(caption.storage)[0],
        way=_way(caption.storage),
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
    request: HttpRequest,
    media: MediaFile,
    text: str,
    *,
    rows: Sequence[Rendition | Caption],
    terms: Terms,
) -> HttpResponseBase:
    data = text.encode()
    shared = PUBLIC_BRIEFLY if media.is_finished else PUBLIC_GROWING
    everybodys = terms.seconds is None and _is_public(media)
    source = ByteSource(
        store=cast("ObjectStore", _Written(data)),
        key="",
        size=len(data),
        content_type=playlists.CONTENT_TYPE,
        etag=_etag(text),
        last_modified=max(_changed(row) for row in rows),
        filename="",
        inline=True,
        cache_control=shared if everybodys else PRIVATE,
        extra_headers=_sharing(media, terms),
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


def _keep(media: MediaFile, stored: Rendition | Caption, terms: Terms) -> str:
    if terms.seconds is not None:
        seconds = min(PRIVATE_SECONDS, terms.seconds)
        return f"private, max-age={seconds}, must-revalidate"
    immutable = terms.tag == fingerprint_of(stored)
    return _cache_control(media, immutable=immutable, private=PRIVATE_RENDITION)


def _cache_control(media: MediaFile, *, immutable: bool, private: str) -> str:
    if not _is_public(media):
        return private
    return PUBLIC_FOREVER if immutable else PUBLIC_BRIEFLY


def _sharing(media: MediaFile, terms: Terms) -> Mapping[str, str]:
    """Lets other sites show public bytes, and pages use those of a CDN: the same for all."""
    if terms.seconds is not None or not _is_public(media):
        return {}
    from_cdn = {"Access-Control-Allow-Origin": "*"} if options().cdn else {}
    return {"Cross-Origin-Resource-Policy": "cross-origin", **from_cdn}


def _is_public(media: MediaFile) -> bool:
    """Whether these bytes are everybody's: not those of a version that others get not yet."""
    return media.is_public and media.is_settled
