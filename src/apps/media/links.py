"""Addresses of media. Pure string work: no storage call, and no query for files with details (see
`selectors.with_details`); of others, one finds the renditions."""

from __future__ import annotations

import hashlib
import posixpath
from urllib.parse import quote

from django.templatetags.static import static
from django.urls import reverse

from apps.media.conf import options
from apps.media.models import Caption, MediaFile, MediaVersion, Rendition, Status

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
    """The address of the stored bytes; `v` makes it a new one with every version.

    Those who may edit a file get more of it than others (see `selectors.get_original`), hence from
    the host that knows them.
    """
    others = "edit" not in media.rights
    base = f"{_origin_of(media) if others else ''}{_address(media, 'original')}"
    return f"{base}?download=1" if download else f"{base}?v={media.version}"


def version_url(version: MediaVersion) -> str:
    """The address of the bytes of one version, for those who may edit the file."""
    return f"{reverse('media:original', args=[version.media_id])}?version={version.number}"


def rendition_url(media: MediaFile, rendition: Rendition) -> str:
    """The address of a rendition; `v` changes whenever its bytes do.

    A public one is at the CDN, or at the host for bytes, where there is one; pages stay at home,
    where frames may show them.
    """
    base = _address(media, "rendition", rendition.name)
    path = f"{base}?v={fingerprint_of(rendition)}"
    if rendition.mime_type == "text/html":
        return path
    return _index_url(media, path) if rendition.mime_type == "text/vtt" else _at_cdn(media, path)


def lasting_url(media: MediaFile, *, width: int | None = None, height: int | None = None) -> str:
    """The address of the file, or of a picture of it for a place of `width` and `height` pixels,
    that stays the same with every version and in whatever format a reader is given."""
    name = _picture_for(media, width, height) if width is not None else ""
    place = _address(media, "rendition", name) if name else _address(media, "original")
    return f"{_origin_of(media)}{place}"


def _picture_for(media: MediaFile, width: int, height: int | None) -> str:
    """The smallest that is not too small, else the largest, without its ending (`w640`): the
    square one for a square. Nothing while there is none."""
    rows = [row for row in media.current_renditions if row.name.startswith("w") and row.width]
    square = find_rendition(media, THUMBNAIL)
    if square is not None and width == height and width <= (square.width or 0):
        rows = [square]
    widest = sorted(rows, key=lambda row: row.width or 0)
    fit = next((row for row in widest if (row.width or 0) >= width), widest[-1] if rows else None)
    return posixpath.splitext(fit.name)[0] if fit else ""


def named_url(media: MediaFile, name: str) -> str:
    """The address of a rendition that may have to be made first."""
    return _address(media, "rendition", name)


def tree_url(media_id: object) -> str:
    """What all addresses of a file's bytes begin with, at the CDN if there is one."""
    original = reverse("media:original", args=[media_id])
    return f"{options().cdn.base}{original.removesuffix('original')}"


def _at_cdn(media: MediaFile, path: str) -> str:
    """Where bytes of `media` are fetched: at the CDN or the host for bytes, if there is one and
    they are everybody's."""
    cdn = options().cdn
    return cdn.address(path) if cdn and _is_everybodys(media) else f"{_origin_of(media)}{path}"


def _index_url(media: MediaFile, path: str) -> str:
    """Where is fetched what names others relatively, as playlists do: a signature in its address
    would not reach these."""
    return f"{_origin_of(media)}{path}" if options().cdn.signs else _at_cdn(media, path)


def signed_url(media: MediaFile, token: str, place: str) -> str:
    """The address of `place` (such as `original`) in the tree of a file under a token.

    It needs nobody to be known, hence may be at the host for bytes.
    """
    original = reverse("media:signed-original", args=[token, media.pk])
    return f"{options().bytes_origin}{original.removesuffix('original')}{quote(place)}"


def _origin_of(media: MediaFile) -> str:
    """The host for bytes, if these are everybody's."""
    return options().bytes_origin if _is_everybodys(media) else ""


def _is_everybodys(media: MediaFile) -> bool:
    return media.is_public and media.is_settled and not media.share_token


def page_url(media: MediaFile) -> str:
    """The address of a document's pages, with the number 0 for that of the page."""
    return _address(media, "rendition", "page-0.jpg")


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
    names = {row.name for row in media.current_renditions}
    if not is_playable(names, expects_sound=expects_sound(media)):
        return None
    return _index_url(media, _address(media, "hls-master"))


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
    base = _address(media, "hls-caption", caption_name(caption))
    return f"{base}?v={fingerprint_of(caption)}"


def caption_name(caption: Caption) -> str:
    """What a caption is called among those of its film: `de`, `pt-BR.cc`."""
    describing = caption.kind == Caption.Kind.CAPTIONS
    return f"{caption.language}{DESCRIBING if describing else ''}"


def icon_url(media: MediaFile) -> str:
    name = ICONS.get(media.mime_type, media.media_type)
    return static(posixpath.join("media", "icons", f"{name}.svg"))


def find_rendition(media: MediaFile, name: str) -> Rendition | None:
    """The shown rendition of that name."""
    return next((item for item in media.current_renditions if item.name == name), None)


def shown_renditions(media: MediaFile) -> list[Rendition]:
    """The renditions that have an address of their own: all but tracks of a film."""
    return [row for row in media.current_renditions if not row.name.startswith(Rendition.TRACKS)]


def _address(media: MediaFile, name: str, *rest: str) -> str:
    """Where `name` of the file's bytes is, for the visitor whom the file was read for."""
    if media.share_token:
        return reverse(f"media:share-{name}", args=[media.share_token, media.pk, *rest])
    return reverse(f"media:{name}", args=[media.pk, *rest])
