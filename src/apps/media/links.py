"""Addresses of media. Pure string work: no storage call, no query beyond what is prefetched."""

from __future__ import annotations

import hashlib
import posixpath

from django.templatetags.static import static
from django.urls import reverse

from apps.media.models import MediaFile, Rendition

THUMBNAIL = "thumb.webp"
ICONS = {
    "application/pdf": "pdf",
    "application/zip": "archive",
    "application/gzip": "archive",
    "text/plain": "text",
    "text/csv": "text",
    "text/markdown": "text",
}


def api_url(media: MediaFile) -> str:
    return reverse("media:media-detail", args=[media.pk])


def original_url(media: MediaFile, *, download: bool = False) -> str:
    """The address of the stored bytes; `v` makes it a new one with every version."""
    base = reverse("media:original", args=[media.pk])
    return f"{base}?download=1" if download else f"{base}?v={media.version}"


def rendition_url(media: MediaFile, rendition: Rendition) -> str:
    """The address of a rendition; `v` changes whenever its bytes do."""
    base = reverse("media:rendition", args=[media.pk, rendition.name])
    return f"{base}?v={fingerprint_of(rendition)}"


def fingerprint_of(rendition: Rendition) -> str:
    """A short public name for exactly these bytes; says nothing of the storage key."""
    return hashlib.sha256(rendition.key.encode()).hexdigest()[:12]


def thumbnail_url(media: MediaFile) -> str:
    """The square thumbnail, or the icon of the file's kind."""
    found = find_rendition(media, THUMBNAIL)
    return rendition_url(media, found) if found else icon_url(media)


def icon_url(media: MediaFile) -> str:
    name = ICONS.get(media.mime_type, media.media_type)
    return static(posixpath.join("media", "icons", f"{name}.svg"))


def find_rendition(media: MediaFile, name: str) -> Rendition | None:
    """The prefetched rendition of that name (see `selectors.with_details`)."""
    renditions: list[Rendition] = getattr(media, "current_renditions", [])
    return next((item for item in renditions if item.name == name), None)
