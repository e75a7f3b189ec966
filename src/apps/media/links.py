"""Addresses of media. Pure string work: no storage call, no query beyond what is prefetched."""

from __future__ import annotations

import hashlib
import posixpath

from django.templatetags.static import static
from django.urls import reverse

from apps.media.models import Caption, MediaFile, Rendition, Status

THUMBNAIL = "thumb.webp"
POSTERS = ("poster.jpg", "cover.jpg")
COPY, SOUND = f"{Rendition.TRACKS}copy.mp4", f"{Rendition.TRACKS}sound.mp4"
DESCRIBING = ".cc"  # behind the language of a text that also says what is heard
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


def fingerprint_of(stored: Rendition | Caption) -> str:
    """A short public name for exactly these bytes; says nothing of the storage key."""
    return hashlib.sha256(stored.key.encode()).hexdigest()[:12]


def thumbnail_url(media: MediaFile) -> str:
    """The square thumbnail, or the icon of the file's kind."""
    found = find_rendition(media, THUMBNAIL)
    return rendition_url(media, found) if found else icon_url(media)


def poster_url(media: MediaFile) -> str | None:
    """A picture to show before a recording plays: a frame of the film, the cover of the sound."""
    found = (find_rendition(media, name) for name in POSTERS)
    return next((rendition_url(media, row) for row in found if row), None)


def hls_url(media: MediaFile) -> str | None:
    """The address of the adaptive stream, as soon as it plays.

    In a list, a film without sound counts as playable only when it is ready: whether it has a
    sound is known where its version has been read.
    """
    names = {row.name for row in _renditions(media)}
    if not is_playable(names, expects_sound=expects_sound(media)):
        return None
    return reverse("media:hls-master", args=[media.pk])


def is_playable(names: set[str], *, expects_sound: bool) -> bool:
    """Whether tracks of these names are a stream: a picture, and the sound where one will come.

    The copied picture comes together with its sound or has none.
    """
    pictures = {name for name in names if name.startswith(Rendition.TRACKS)} - {SOUND}
    return bool(pictures) and (not expects_sound or bool(names & {SOUND, COPY}))


def expects_sound(media: MediaFile) -> bool:
    """Whether a sound may still come; no query is made to find out."""
    if media.status == Status.READY:
        return False
    known = media.__dict__.get("_current")
    return known is None or bool(known.metadata.get("audio"))


def caption_url(media: MediaFile, caption: Caption) -> str:
    base = reverse("media:hls-caption", args=[media.pk, caption_name(caption)])
    return f"{base}?v={fingerprint_of(caption)}"


def caption_name(caption: Caption) -> str:
    """What a caption is called among those of its film: `de`, `pt-BR.cc`."""
    describing = caption.kind == Caption.Kind.CAPTIONS
    return f"{caption.language}{DESCRIBING if describing else ''}"


def icon_url(media: MediaFile) -> str:
    name = ICONS.get(media.mime_type, media.media_type)
    return static(posixpath.join("media", "icons", f"{name}.svg"))


def find_rendition(media: MediaFile, name: str) -> Rendition | None:
    """The prefetched rendition of that name (see `selectors.with_details`)."""
    return next((item for item in _renditions(media) if item.name == name), None)


def shown_renditions(media: MediaFile) -> list[Rendition]:
    """The prefetched renditions that have an address of their own: all but tracks of a film."""
    return [row for row in _renditions(media) if not row.name.startswith(Rendition.TRACKS)]


def _renditions(media: MediaFile) -> list[Rendition]:
    found: list[Rendition] = getattr(media, "current_renditions", [])
    return found
