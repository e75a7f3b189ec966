"""Template tags for media: `{% load media %}`.

They build markup from rows: no storage call, and no query unless they say so for what
`selectors.with_details` has fetched. Of any other file they ask for the renditions, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.media import links, selectors, services
from apps.media.models import MediaAttachment, MediaFile, MediaVersion, Rendition
from apps.media.models.media_file import MediaType
from apps.media.processing.crops import Crop, cropped_name
from apps.media.processing.recipes import is_for_uses

register = template.Library()

ANIMATION = "animated.webp"
CLIP = "preview.mp4"
ORIGINAL = "original"
LARGEST = ("w2560.webp", 2560)  # its name and width; never wider than the original
# Pictures that do not show the whole of a file, or show it as something else.
PARTIAL = frozenset({links.THUMBNAIL, ANIMATION, "storyboard.jpg", "waveform.png"})
PAGES = "page-"
# What a player is offered, best first.
FILMS = {"video.mp4": "video/mp4"}
SOUNDS = {"audio.opus": "audio/ogg; codecs=opus", "audio.m4a": "audio/mp4"}
STREAM_TYPE = "application/vnd.apple.mpegurl"
MINUTE = 60  # seconds, and minutes of an hour
SLACK = 0.1  # seconds: 7.97 are eight, as in the player
# What the owner of a file can do about its failure, by code.
ADVICE = {
    "checksum_mismatch": "",  # the message says it
    "corrupt_file": _("Open it in the program that made it, save a new copy and upload that."),
    "duplicate_file": _("Delete this one, or open the older one."),
    "held_for_review": _("Nobody can fetch it. Ask them why."),
    "malware_found": _(
        "Nobody can fetch it. Check the device it comes from, delete it here, and "
        "upload a clean copy."
    ),
    "password_protected": "",  # the message says it
    "processing_cancelled": _("Try again, or delete it."),
    "processing_crashed": _(
        "Try again. If it fails once more, save it in another format and upload that."
    ),
    "processing_timeout": _("Try again at a quieter time, or upload a smaller version."),
    "too_long": _("Cut it into shorter parts and upload those."),
    "too_many_pages": _("Split it into several documents and upload those."),
    "too_many_pixels": _("Make it smaller and upload that."),
    "type_mismatch": _("Give it the name that fits what it is, and upload it again."),
    "unsafe_content": _("Save it without scripts, macros and embedded files, and upload that."),
    "unsupported_type": _("Save it in a common format and upload that."),
}
# The largest difference of shape that still is the same picture, rounded to whole pixels.
SAME_SHAPE = 0.03
# Widths over heights that the style sheet has classes for, in tenths.
NARROWEST, WIDEST = 5, 25
WORKABLE = 1024  # pixels of width that a picture has which is cut on a screen


@dataclass(frozen=True)
class Source:
    """One `<source>`: an image type (empty: mixed) and its candidates as `srcset` takes them."""

    mime_type: str
    srcset: str


@register.simple_tag
def most_selected() -> int:
    """How many files one request may do something with."""
    return services.MOST_SELECTED


@register.inclusion_tag("media/parts/picture.html")
def media_picture(
    media: MediaFile | MediaAttachment,
    *,
    sizes: str = "100vw",
    alt: str | None = None,
    eager: bool = False,
    moving: bool = False,
    recipe: str = "",
    crop: Crop | None = None,
) -> dict[str, Any]:
    """A `<picture>` of `media` from its renditions; the icon of its kind where it has none. Of an
    attachment, its file with the words of the attachment.

    `sizes` as in HTML. `alt` replaces the file's own alternative text. `eager` loads it at once;
    `moving` shows an animation to those who have not asked for less motion. `recipe` (such as
    `square.webp`) and `crop` show it as a `MediaField` declares it; an attachment brings its own.
    As long as that is not made, all of the picture is shown.
    """
    if isinstance(media, MediaAttachment):
        alt = media.shown_alt_text if alt is None else alt
        recipe, crop = recipe or media.accepts.recipe, media.crop
        file: MediaFile = media.media
    else:
        file = media
    shapes = _shown_by(file, recipe, crop) or _same_shape(file)
    fallback = _fallback(shapes)
    width, height = _room(file, fallback, recipe)
    return {
        "sources": _sources(file, shapes),
        "animation": media_url(file, ANIMATION) if moving else "",
        "src": links.rendition_url(file, fallback) if fallback else links.thumbnail_url(file),
        "sizes": sizes,
        "alt": file.alt_text if alt is None else alt,
        "loading": "eager" if eager else "lazy",
        "is_icon": fallback is None and links.find_rendition(file, links.THUMBNAIL) is None,
        "width": width,
        "height": height,
    }


@register.inclusion_tag("media/parts/player.html")
def media_player(media: MediaFile | MediaAttachment) -> dict[str, Any]:
    """A player for a film or a sound that `media_is_playable`; brings its own style and script. Of
    an attachment, its file, named by the words of the attachment.

    Without script it is the browser's own player of a single file. Costs one query, for captions,
    where they were not fetched with the file.
    """
    label = ""
    if isinstance(media, MediaAttachment):
        label, media = media.shown_alt_text, media.media
    width, height = _box(media, _fallback(_same_shape(media)))
    return {
        "media": media,
        "label": label or str(media),
        "is_film": _is_film(media),
        "hls": links.hls_url(media) or "",
        "sources": _playable_sources(media),
        "poster": links.poster_url(media) or "",
        "storyboard": media_url(media, "storyboard.vtt"),
        "chapters": media_url(media, "chapters.vtt"),
        "captions": [
            (caption, links.caption_url(media, caption))
            for caption in selectors.read_captions(media=media)
        ],
        "peaks": media_url(media, "waveform.json"),
        "waveform": media_url(media, "waveform.png"),
        "width": width,
        "height": height,
    }


@register.simple_tag
def media_playable_url(media: MediaFile) -> str:
    """The address of one file that any player takes; empty if there is none yet."""
    urls = (media_url(media, name) for name in ("video.mp4", "audio.m4a"))
    return next(filter(None, urls), "")


@register.filter
def media_is_playable(media: MediaFile) -> bool:
    """Whether there is something to play by now, be it the first track of several."""
    return bool(links.hls_url(media) or _playable_sources(media))


@register.simple_tag
def media_url(media: MediaFile, name: str = "") -> str:
    """The address of the rendition `name`, or of the `original`; empty if there is none."""
    if name in {"", ORIGINAL}:
        return links.original_url(media)
    found = links.find_rendition(media, name)
    return links.rendition_url(media, found) if found else ""


@register.simple_tag
def media_preload(media: MediaFile) -> SafeString:
    """`data-…` attributes that name the picture which the page of `media` begins with."""
    shapes = _same_shape(media)
    fallback = _fallback(shapes)
    sources = [] if media_is_playable(media) else _sources(media, shapes)
    first = links.poster_url(media) or (links.rendition_url(media, fallback) if fallback else "")
    return data_attributes(src=first, srcset=sources[0].srcset if sources else "")


@register.simple_tag
def media_larger(media: MediaFile) -> SafeString:
    """`data-…` attributes that name a picture with more detail than pages show, made when somebody
    asks; none where there is no more."""
    shown = [item.width or 0 for item in _same_shape(media)]
    if media.media_type != MediaType.IMAGE or media_url(media, ANIMATION) or not shown:
        return SafeString()
    name, width = LARGEST
    if (media.width or 0) < width or max(shown) >= width:
        return SafeString()
    return data_attributes(larger=links.named_url(media, name), width=max(shown))


@register.simple_tag
def media_download_url(media: MediaFile) -> str:
    """The address that saves the original under its own name."""
    return links.original_url(media, download=True)


@register.simple_tag
def media_sign_in_url() -> str:
    """Where the project has people sign in (`LOGIN_URL`)."""
    return resolve_url(settings.LOGIN_URL)


@register.simple_tag
def media_tus_url() -> str:
    """Where resumable uploads begin."""
    return reverse("media:tus")


@register.simple_tag
def media_direct_url() -> str:
    """Where uploads straight to the storage begin; empty where there is no such way."""
    return reverse("media:direct") if selectors.accepts_direct_uploads() else ""


@register.simple_tag
def media_page_url(media: MediaFile) -> str:
    """The address of a document's pages, with the number 0 for that of the page."""
    return links.page_url(media)


@register.simple_tag
def media_version_url(version: MediaVersion) -> str:
    """The address of the bytes of one version, for those who may edit the file."""
    return links.version_url(version)


@register.simple_tag
def media_icon_url(media: MediaFile) -> str:
    """The address of the icon of the file's kind."""
    return links.icon_url(media)


@register.simple_tag
def media_renditions(media: MediaFile) -> list[tuple[Rendition, str]]:
    """The served renditions, each with its address."""
    shown = links.shown_renditions(media)
    return [(item, links.rendition_url(media, item)) for item in shown]


@register.filter
def media_ratio(media: MediaFile) -> int:
    """Width over height in tenths, within what the grid can lay out; 10 where nothing is known."""
    width, height = _box(media, _fallback(_same_shape(media)))
    if not (width and height):
        return 10
    return min(max(round(10 * width / height), NARROWEST), WIDEST)


@register.filter
def media_has_picture(media: MediaFile) -> bool:
    """Whether there is anything of `media` to look at but an icon."""
    return bool(_same_shape(media) or links.find_rendition(media, links.THUMBNAIL))


@register.filter
def media_view_url(media: MediaFile) -> str:
    """The address of a picture of all of `media` that is large enough to work on; empty if there
    is none yet."""
    shapes = _same_shape(media)
    enough = [item for item in shapes if (item.width or 0) >= WORKABLE] or shapes[-1:]
    return links.rendition_url(media, enough[0]) if enough else ""


@register.filter
def media_number(value: float) -> str:
    """A number as programs write it, whatever the language."""
    return f"{value:.6g}"


@register.filter
def media_percent(value: float) -> str:
    """A share in hundredths, as programs write it."""
    return f"{100 * value:.4g}"


@register.filter
def media_point(value: tuple[float, float] | None) -> str:
    """A point of a picture as forms send it: `0.5,0.25`; empty for none."""
    return ",".join(f"{part:.6g}" for part in value) if value else ""


@register.filter
def media_length(media: MediaFile) -> str:
    """How long a film or a sound plays, as 1:02 or 1:01:02; empty for anything else."""
    if not media.duration or media.media_type not in {MediaType.VIDEO, MediaType.AUDIO}:
        return ""
    return clock(media.duration)


@register.filter
def clock(seconds: float) -> str:
    """Seconds as 1:02 or 1:01:02."""
    minutes, rest = divmod(int(seconds + SLACK), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def media_advice(media: MediaFile) -> str:
    """What can be done about the failure of `media`; empty when its message says it all."""
    return str(ADVICE.get(media.failure_code, ""))


@register.simple_tag
def data_attributes(**values: Any) -> SafeString:
    """`data-…` attributes for those of `values` that are not empty."""
    pairs = ((name.replace("_", "-"), value) for name, value in values.items() if value)
    return format_html_join("", ' data-{}="{}"', pairs)


def _shown_by(media: MediaFile, recipe: str, crop: Crop | None) -> list[Rendition]:
    found = links.find_rendition(media, cropped_name(recipe, crop)) if recipe else None
    return [found] if found else []


def _room(
    media: MediaFile, picture: Rendition | None, recipe: str
) -> tuple[int | None, int | None]:
    if recipe and picture and is_for_uses(picture.name):
        return picture.width, picture.height
    return _box(media, picture)


def _same_shape(media: MediaFile) -> list[Rendition]:
    """The pictures that show all of `media`, narrowest first: no crops, nothing that moves."""
    pictures = [
        item
        for item in media.current_renditions
        if item.width and item.height and item.mime_type.startswith("image/")
        if item.name not in PARTIAL and not item.name.startswith(PAGES)
        if not is_for_uses(item.name)
    ]
    if not (media.width and media.height):
        return pictures
    shape = media.width / media.height
    return [item for item in pictures if _is_shaped(item, shape)]


def _is_shaped(item: Rendition, shape: float) -> bool:
    # Rounding to whole pixels moves the shape of a very flat picture; its short side decides.
    width, height = item.width or 1, item.height or 1
    slack = max(SAME_SHAPE, 1 / min(width, height))
    return abs(width / height / shape - 1) <= slack


def _fallback(shapes: list[Rendition]) -> Rendition | None:
    """What goes into `src`: a JPEG of middling size, else whatever there is."""
    plain = [item for item in shapes if item.mime_type == "image/jpeg"] or shapes
    return plain[len(plain) // 2] if plain else None


def _sources(media: MediaFile, shapes: list[Rendition]) -> list[Source]:
    """The candidates by type, best type first; all in one where only another type has detail."""
    types = ("image/webp", "image/jpeg")
    by_type = {mime: [item for item in shapes if item.mime_type == mime] for mime in types}
    webp, jpeg = (max((item.width or 0 for item in by_type[mime]), default=0) for mime in types)
    if 0 < webp < jpeg:
        return [Source("", _srcset(media, shapes))]
    return [Source(mime, _srcset(media, items)) for mime, items in by_type.items() if items]


def _srcset(media: MediaFile, candidates: list[Rendition]) -> str:
    return ", ".join(
        f"{links.rendition_url(media, item)} {item.width}w"
        for item in sorted(candidates, key=lambda item: item.width or 0)
    )


def _is_film(media: MediaFile) -> bool:
    """Not every file of a video type has a picture."""
    return media.media_type == MediaType.VIDEO and bool(media.width)


def _playable_sources(media: MediaFile) -> list[tuple[str, str]]:
    """Addresses and types for `<source>`, of what has been made so far."""
    files = FILMS if _is_film(media) else SOUNDS
    made = ((media_url(media, name), mime_type) for name, mime_type in files.items())
    found = [(url, mime_type) for url, mime_type in made if url]
    stream = links.hls_url(media)
    return [*found, (stream, STREAM_TYPE)] if stream else found


def _box(media: MediaFile, picture: Rendition | None) -> tuple[int | None, int | None]:
    """The pixels to set room aside for, so that nothing moves when the picture arrives."""
    if media.width and media.height:
        return media.width, media.height
    return (picture.width, picture.height) if picture else (None, None)
