"""Captions as people have them (SubRip, WebVTT, in whatever encoding) become clean WebVTT.

Pure: bytes in, bytes out. Keeps times, words and the harmless marks of WebVTT; styles, regions,
comments and every other tag go. Nothing here is worth a sandbox: text is read by Python alone, in
time that grows with its length only.
"""

from __future__ import annotations

import codecs
import html
import io
import re
from collections.abc import Iterable, Iterator

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from apps.core.words import gettext_noop as _
from apps.media.exceptions import UnreadableCaptionError
from apps.media.processing.streamtypes import LEAD_SECONDS

MAX_BYTES = 2 * 1024 * 1024
MAX_CUES = 20_000
_CLOCK = 90_000  # of MPEG, per second
# Where the film begins on the clock of its tracks (RFC 8216 §3.5). Plain <track> elements skip this
# line (WebVTT §6.1).
_HEADER = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{round(LEAD_SECONDS * _CLOCK)},LOCAL:00:00:00.000\n"
_LONGEST = 100 * 3600  # seconds: hours of two digits
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF16_SHARE = 0.3  # of NULs among the first bytes; every second one in most languages

_TIME = r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:[.,:](\d{1,3}))?\d*"
_LOOSE_TIMING = re.compile(rf"\s{{0,8}}{_TIME}\s{{0,8}}-+\s?>\s{{0,8}}{_TIME}")
_ALIGNED = re.compile(r"\{\\[^{}]{0,64}\}")  # what SubStation leaves in SubRip: {\an8}
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
# Tags of WebVTT: classes, and for two of them an annotation (§4.2).
_TAG = re.compile(
    r"<(?:"
    r"(?P<end>/(?:c|i|b|u|v|lang|ruby|rt)\s{0,4})"
    r"|(?P<start>(?:c|i|b|u|ruby|rt)(?:\.[\w-]{1,32}){0,8}\s{0,4})"
    r"|(?P<said>(?:v|lang)(?:\.[\w-]{1,32}){0,8})[ \t](?P<note>[^<>\n]{1,200})"
    r"|(?P<time>(?:\d{2,4}:)?\d{2}:\d{2}\.\d{3})"
    r")>"
)
_ANY_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>|<!--|-->|<\d[\d:.]{0,16}>")
_SETTINGS = ("vertical", "line", "position", "size", "align")


def convert(data: bytes) -> bytes:
    """WebVTT of at most `MAX_CUES` cues, in order. Raises `UnreadableCaptionError`."""
    if len(data) > MAX_BYTES:
        raise UnreadableCaptionError(len(data), detail=_("The captions are too long."))
    cues = [cue for cue in map(_clean, _read(_decode(data))) if cue]
    if not cues:
        raise UnreadableCaptionError("no cue")
    if len(cues) > MAX_CUES:
        raise _too_many(len(cues))
    cues.sort(key=lambda cue: cue[0])
    return "\n".join([_HEADER, *(block for _, block in cues)]).encode()


def _too_many(count: int) -> UnreadableCaptionError:
    return UnreadableCaptionError(
        count, detail=_("At most %(most)s captions in a file."), values={"most": MAX_CUES}
    )


def _decode(data: bytes) -> str:
    text = data.decode(_encoding(data), "replace").removeprefix("\ufeff")
    if "\0" in text:
        raise UnreadableCaptionError("binary")
    if text.count("->") > 2 * MAX_CUES:  # far too many, seen before any work is done
        raise _too_many(text.count("->"))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _encoding(data: bytes) -> str:
    """By its mark, by its NULs, UTF-8 where it is that; else the code page of old programs."""
    marked = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    if marked:
        return marked
    head = data[:2048]
    if head.count(0) > len(head) * _UTF16_SHARE:
        return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


# -- reading -----------------------------------------------------------------------------------


def _read(text: str) -> Iterable[webvtt.Caption]:
    """Captions by what the text is, not by what it is called."""
    text = text.lstrip()
    try:
        found = webvtt.from_string(text).captions if text.startswith("WEBVTT") else []
        return found or webvtt.from_buffer(io.StringIO(_tidied(text)), format="srt").captions
    except (MalformedFileError, MalformedCaptionError) as error:
        raise UnreadableCaptionError(error) from error


def _tidied(text: str) -> str:
    """SubRip as it was meant: a number and full times before every cue, a line between cues."""
    lines: list[str] = []
    count = 0
    for line in text.split("\n"):
        timing = _LOOSE_TIMING.match(line) if ">" in line else None
        if timing is None:
            if count:
                lines.append(line)
            continue
        while lines and not lines[-1].strip():
            lines.pop()
        if lines and lines[-1].strip().isdecimal():
            lines.pop()
        count += 1
        lines += ["", str(count), f"{_subrip(timing, 0)} --> {_subrip(timing, 4)}"]
    return "\n".join(lines[1:])


def _subrip(timing: re.Match[str], first: int) -> str:
    hours, minutes, seconds, fraction = timing.groups(default="0")[first : first + 4]
    return f"{hours}:{minutes}:{seconds},{fraction.ljust(3, '0')}"


# -- one cue -----------------------------------------------------------------------------------


def _clean(cue: webvtt.Caption) -> tuple[int, str] | None:
    """When it starts, in milliseconds, and its block; None for what nobody would see."""
    start, end = cue.start_time.in_milliseconds(), cue.end_time.in_milliseconds()
    lines = [line for line in map(_clean_line, cue.lines) if line]
    if not lines or end <= start or end >= _LONGEST * 1000:
        return None
    timing = " ".join([f"{cue.start} --> {cue.end}", *_kept_settings(cue)])
    return start, "\n".join([timing, *lines, ""])


def _kept_settings(cue: webvtt.Caption) -> list[str]:
    found = ((name, getattr(cue.settings, name)) for name in _SETTINGS)
    return [f"{name}:{value}" for name, value in found if value]


def _clean_line(line: str) -> str:
    return "".join(_pieces(_UNSEEN.sub("", _ALIGNED.sub("", line)))).strip()


def _pieces(line: str) -> Iterator[str]:
    """Words escaped, WebVTT's own tags as they are, all others gone."""
    at = 0
    for tag in _ANY_TAG.finditer(line):
        yield _escaped(line[at : tag.start()])
        yield _kept_tag(tag[0])
        at = tag.end()
    yield _escaped(line[at:])


def _kept_tag(tag: str) -> str:
    known = _TAG.fullmatch(tag)
    if known is None:
        return ""
    if known["said"]:
        return f"<{known['said']} {_escaped(known['note']).strip()}>"
    return f"<{(known['end'] or known['start'] or known['time']).strip()}>"


def _escaped(text: str) -> str:
    """With `>` escaped too, no words can look like the times of a next cue."""
    words = _UNSEEN.sub("", html.unescape(text).replace("\n", " "))
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
