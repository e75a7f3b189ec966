"""The playlists of a film: what tracks say of themselves, written down for players (RFC 8216).

Pure text, made from rows whenever it is asked for. Every address is relative, so that the same text
works wherever the tree is, and carries the `tag` of the bytes that are meant: a film that is made
anew while somebody watches never mixes old and new.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.media.models import Rendition

CONTENT_TYPE = "application/vnd.apple.mpegurl"
VERSION = 7  # fragmented MP4, and ranges of one file
SOUNDS, TEXTS = "sound", "text"  # the groups that variants refer to
# Players start with the first variant and climb from there. This much is there on nearly every
# line, and is no mush.
STARTING_BIT_RATE = 2_000_000
_DESCRIBING = (
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
)


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """One file of a stream. Bit rates are bits per second, `head` is bytes, `segments` are
    (seconds, bytes); width, height and frame rate are 0 for sound."""

    name: str
    tag: str
    codecs: str
    head: int
    segments: Sequence[tuple[float, int]]
    peak: int
    average: int
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0

    @property
    def duration(self) -> float:
        """Seconds."""
        return sum(seconds for seconds, _ in self.segments)


@dataclass(frozen=True, slots=True)
class TextEntry:
    """One caption. `describing` says that it also tells what is heard."""

    name: str
    tag: str
    language: str
    label: str
    describing: bool = False
    default: bool = False


def track_entry(row: Rendition, *, tag: str) -> TrackEntry:
    """A track as its row describes it."""
    said: Mapping[str, Any] = row.details
    return TrackEntry(
        name=row.name.removeprefix(Rendition.TRACKS).removesuffix(".mp4"),
        tag=tag,
        codecs=said["codecs"],
        head=said["head"],
        segments=[(seconds, size) for seconds, size in said["segments"]],
        peak=said["peak"],
        average=said["average"],
        width=row.width or 0,
        height=row.height or 0,
        frame_rate=said["frame_rate"],
    )


# -- the master playlist -----------------------------------------------------------------------


def write_master(
    pictures: Iterable[TrackEntry], sound: TrackEntry | None, texts: Sequence[TextEntry]
) -> str:
    """All that can be chosen from. The variant to start with comes first, then all others from
    the lightest to the heaviest."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if sound:
        lines.append(_sound_line(sound))
    lines += [
        _text_line(text, name) for text, name in zip(texts, _distinct_names(texts), strict=True)
    ]
    for picture in _in_order(pictures):
        lines += [_variant_line(picture, sound, has_texts=bool(texts)), _playlist_address(picture)]
    return _joined(lines)


def _in_order(pictures: Iterable[TrackEntry]) -> list[TrackEntry]:
    rising = sorted(pictures, key=lambda picture: (picture.peak, picture.height))
    light = [picture for picture in rising if picture.peak <= STARTING_BIT_RATE]
    first = light[-1] if light else rising[0]
    return [first, *(picture for picture in rising if picture is not first)]


def _sound_line(sound: TrackEntry) -> str:
    return _line(
        "#EXT-X-MEDIA",
        {
            "TYPE": "AUDIO",
            "GROUP-ID": _quoted(SOUNDS),
            "NAME": _quoted("Sound"),
            "DEFAULT": "YES",
            "AUTOSELECT": "YES",
            "URI": _quoted(_playlist_address(sound)),
        },
    )


def _text_line(text: TextEntry, name: str) -> str:
    described = {"CHARACTERISTICS": _quoted(_DESCRIBING)} if text.describing else {}
    return _line(
        "#EXT-X-MEDIA",
        {
            "TYPE": "SUBTITLES",
            "GROUP-ID": _quoted(TEXTS),
            "NAME": _quoted(name),
            "LANGUAGE": _quoted(text.language),
            "DEFAULT": "YES" if text.default else "NO",
            "AUTOSELECT": "YES",
            "FORCED": "NO",
            **described,
            "URI": _quoted(f"captions-{text.name}.m3u8?v={text.tag}"),
        },
    )


def _variant_line(picture: TrackEntry, sound: TrackEntry | None, *, has_texts: bool) -> str:
    tracks = [picture, sound] if sound else [picture]
    values = {
        "BANDWIDTH": str(sum(track.peak for track in tracks)),
        "AVERAGE-BANDWIDTH": str(sum(track.average for track in tracks)),
        "CODECS": _quoted(",".join(track.codecs for track in tracks)),
        "RESOLUTION": f"{picture.width}x{picture.height}",
    }
    if picture.frame_rate:
        values["FRAME-RATE"] = f"{picture.frame_rate:.3f}"
    if sound:
        values["AUDIO"] = _quoted(SOUNDS)
    if has_texts:
        values["SUBTITLES"] = _quoted(TEXTS)
    return _line("#EXT-X-STREAM-INF", values)


def _distinct_names(texts: Iterable[TextEntry]) -> list[str]:
    """What viewers choose by; no two of a group may be the same (RFC 8216 §4.3.4.1.1)."""
    names: list[str] = []
    for text in texts:
        wanted = text.label or text.language
        taken = wanted in names
        names.append(f"{wanted} ({text.name})" if taken else wanted)
    return names


# -- the playlists of tracks -------------------------------------------------------------------


def write_track(track: TrackEntry) -> str:
    """The segments of one track, as ranges of its file."""
    address = f"{track.name}.mp4?v={track.tag}"
    longest = max((seconds for seconds, _ in track.segments), default=0.0)
    lines = [
        *_opening(longest),
        "#EXT-X-INDEPENDENT-SEGMENTS",
        _line("#EXT-X-MAP", {"URI": _quoted(address), "BYTERANGE": _quoted(f"{track.head}@0")}),
    ]
    start = track.head
    for seconds, size in track.segments:
        lines += [f"#EXTINF:{seconds:.6f},", f"#EXT-X-BYTERANGE:{size}@{start}", address]
        start += size
    return _joined([*lines, "#EXT-X-ENDLIST"])


def write_text(text: TextEntry, *, duration: float) -> str:
    """A caption is one segment, as long as the film: seconds."""
    address = f"captions-{text.name}.vtt?v={text.tag}"
    return _joined([*_opening(duration), f"#EXTINF:{duration:.6f},", address, "#EXT-X-ENDLIST"])


def _opening(longest: float) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]


def _playlist_address(track: TrackEntry) -> str:
    return f"{track.name}.m3u8?v={track.tag}"


def _line(tag: str, attributes: Mapping[str, str]) -> str:
    return f"{tag}:{','.join(f'{name}={value}' for name, value in attributes.items())}"


def _quoted(text: str) -> str:
    """A quoted-string, which knows no escapes: quotes and line ends cannot be in it (§4.2)."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return '"{}"'.format(printable.replace('"', "'"))


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
