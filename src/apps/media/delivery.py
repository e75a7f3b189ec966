"""Gives out bytes: asks the one access rule first, then lets the byte server carry them."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.byteserving import ByteSource, serve_bytes
from apps.core.filetypes import FILE_TYPES
from apps.media.links import fingerprint_of
from apps.media.models import MediaFile, MediaVersion, Rendition, Visibility
from apps.media.policies import is_published
from apps.media.storage import store_of

YEAR = 365 * 24 * 3600
PUBLIC_FOREVER = f"public, max-age={YEAR}, immutable"
PUBLIC_BRIEFLY = "public, max-age=60, must-revalidate"
PRIVATE = "private, no-store"
# Short enough that a withdrawn right ends soon, long enough that a grid is not fetched twice.
PRIVATE_RENDITION = "private, max-age=60, must-revalidate"


def deliver_original(
    request: HttpRequest, media: MediaFile, version: MediaVersion
) -> HttpResponseBase:
    """The stored bytes of `version`; inline only for types that browsers cannot execute."""
    immutable = request.GET.get("v") == str(version.number)
    source = ByteSource(
        store=store_of(version.storage),
        key=version.key,
        size=version.size,
        content_type=version.mime_type,
        etag=_etag(version.key),
        last_modified=version.created_at,
        filename=version.original_name,
        inline=FILE_TYPES[version.mime_type].inline and "download" not in request.GET,
        cache_control=_cache_control(media, immutable=immutable, private=PRIVATE),
    )
    return serve_bytes(request, source)


def deliver_rendition(
    request: HttpRequest, media: MediaFile, rendition: Rendition
) -> HttpResponseBase:
    """A rendition; made by us, so always safe to show."""
    immutable = request.GET.get("v") == fingerprint_of(rendition)
    source = ByteSource(
        store=store_of(rendition.storage),
        key=rendition.key,
        size=rendition.size,
        content_type=rendition.mime_type,
        etag=_etag(rendition.key),
        last_modified=rendition.updated_at,
        filename=f"{PurePosixPath(media.original_name).stem}-{rendition.name}",
        inline=True,
        cache_control=_cache_control(media, immutable=immutable, private=PRIVATE_RENDITION),
    )
    return serve_bytes(request, source)


def _etag(key: str) -> str:
    # Keys are immutable and random: a digest of one is a strong validator and tells nothing.
    return f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'


def _cache_control(media: MediaFile, *, immutable: bool, private: str) -> str:
    if media.visibility != Visibility.PUBLIC or not is_published(media):
        return private
    return PUBLIC_FOREVER if immutable else PUBLIC_BRIEFLY
