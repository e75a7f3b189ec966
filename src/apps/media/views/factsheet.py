"""What is known of a file's content, put into words for its page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.media.models import MediaFile, MediaVersion

Rows = list[tuple[str, str]]
KILO, MEGA = 1_000, 1_000_000
CHANNELS = {1: _("mono"), 2: _("stereo"), 6: "5.1", 8: "7.1"}
CODECS = {
    "h264": "H.264",
    "hevc": "HEVC",
    "av1": "AV1",
    "vp8": "VP8",
    "vp9": "VP9",
    "mpeg4": "MPEG-4",
    "aac": "AAC",
    "mp3": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "flac": "FLAC",
}
TAGS = {
    "camera_make": _("Maker"),
    "camera": _("Camera"),
    "lens": _("Lens"),
    "title": _("Title"),
    "author": _("Author"),
    "artist": _("Artist"),
    "album": _("Album"),
    "album_artist": _("Album artist"),
    "composer": _("Composer"),
    "track": pgettext_lazy("of an album", "Track"),
    "genre": _("Genre"),
    "year": _("Year"),
}


def describe(version: MediaVersion, *, everything: bool) -> Rows:
    """Labels and values: the technical ones, and `everything` that the file says of its making.

    The latter tells of people, and is for those who may edit the file.
    """
    kept = version.metadata
    return [*_named(kept), *_technical(kept), *_place(kept)] if everything else _technical(kept)


def moment_of(media: MediaFile, *, everything: bool) -> str:
    """When it was taken, where the file says so to those who may edit it; else when it came."""
    taken = _when(media.current.metadata) if everything else []
    return taken[0][1] if taken else date_format(media.created_at, gettext("j F Y, H:i"))


def _technical(kept: Mapping[str, Any]) -> Rows:
    video, audio, pages = kept.get("video"), kept.get("audio"), kept.get("pages")
    rows = [(gettext("Pages"), str(pages))] if pages else []
    if video:
        rows.append((gettext("Picture"), _picture(video)))
    if audio:
        rows.append((gettext("Sound"), _sound(audio)))
    if "loudness" in kept:
        rows.append((gettext("Loudness"), f"{kept['loudness']:.1f} LUFS"))
    return rows


def _picture(video: Mapping[str, Any]) -> str:
    parts = [_codec(video["codec"]), _rate(video["frame_rate"])]
    parts += ["HDR"] if video["hdr"] else []
    parts += [gettext("interlaced")] if video["interlaced"] else []
    parts += [f"{video['bit_rate'] / MEGA:.1f} Mbit/s"] if video["bit_rate"] else []
    return ", ".join(part for part in parts if part)


def _rate(frame_rate: str) -> str:
    try:
        number = f"{float(Fraction(frame_rate)):.4g}"
    except (ValueError, ZeroDivisionError):
        return ""
    return gettext("%(number)s frames/s") % {"number": number}


def _sound(audio: Mapping[str, Any]) -> str:
    channels = audio["channels"]
    other = gettext("%(count)s channels") % {"count": channels}
    parts = [_codec(audio["codec"]), str(CHANNELS.get(channels, other))]
    parts += [f"{audio['sample_rate'] / KILO:g} kHz"] if audio["sample_rate"] else []
    parts += [f"{audio['bit_rate'] / KILO:.0f} kbit/s"] if audio["bit_rate"] else []
    return ", ".join(parts)


def _codec(name: str) -> str:
    return CODECS.get(name, name)


def _named(kept: Mapping[str, Any]) -> Rows:
    found = ((str(label), str(kept.get(name, ""))) for name, label in TAGS.items())
    return _when(kept) + [(label, value) for label, value in found if value]


def _place(kept: Mapping[str, Any]) -> Rows:
    return (
        [(gettext("Place"), gettext("The file says where it was taken"))]
        if kept.get("has_position")
        else []
    )


def _when(kept: Mapping[str, Any]) -> Rows:
    """The camera's local time, as it stood."""
    try:
        taken = datetime.fromisoformat(str(kept.get("taken_at", "")))
    except ValueError:
        return []
    return [(gettext("Taken"), date_format(taken, gettext("j F Y, H:i")))]
