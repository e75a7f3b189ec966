"""Tells plain text from text that a browser, a shell or a media library would act upon.

Works on the head of a file only. Active text gets a mime of its own, which is in no allow-list
(except SVG, whose engine checks what is in it), so that the refusal can name it. Must not judge by
file names.
"""

from __future__ import annotations

import codecs
import re

_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")  # tab, LF, FF, CR, ESC are text
# Collections of odd strings, logs and dumps of terminals hold a few; a binary format holds many,
# and NUL, long before its 500th character.
_CHARACTERS_PER_CONTROL = 500
# Not possessive, which Python before 3.11.5 mismatches; nothing follows, so nothing is tried again.
_PREAMBLE = re.compile(r"(?:\s|<!--.{0,4096}?-->)*", re.DOTALL)
_FIRST_BEYOND_ASCII = 0x80
_LEAST_ASCII_PART = 0.75
_LOOK_AT = 16_384  # characters in which the root element of an XML document has to appear

_TAG_END = r"(?=[\s>/])"
_ACTIVE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), mime)
    for pattern, mime in (
        (r"<!doctype\s+svg", "text/xml"),
        (r"<!(?:doctype|--)", "text/html"),  # a comment that does not end hides what follows
        (
            r"<(?:html|head|body|script|iframe|frameset|style|title|meta|base|link|object|embed"
            r"|form)" + _TAG_END,
            "text/html",
        ),
        (r"<(?:\w+:)?svg" + _TAG_END, "text/xml"),
        (r"<\?xml(?=[\s-])", "text/xml"),
        (r"<!(?:entity|element|attlist|notation|\[cdata)", "text/xml"),
        (r"<(?:mpd|smil|xsl:\w+)" + _TAG_END, "text/xml"),
        (r"<\?", "text/x-php"),
        (r"<%", "text/x-asp"),
        (r"#!", "text/x-shellscript"),
        (r"%!PS", "application/postscript"),
        (r"#EXTM3U", "application/vnd.apple.mpegurl"),
        (r"ffconcat version", "text/x-ffconcat"),
        (r"\[playlist\]", "audio/x-scpls"),
        (r"v=0\r?\no=", "application/sdp"),
    )
)
# One part of what may stand before the root element; matched part by part, so that nothing is ever
# tried again. A document type may have a subset in brackets.
_PROLOG_PART = re.compile(
    r"\s+|<!--.{0,4096}?-->|<\?.{0,4096}?\?>|<!doctype[^>\[]{0,1024}(?:\[.{0,4096}?\]\s*)?>",
    re.DOTALL | re.IGNORECASE,
)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[\s/>]")
_ROOT_TYPES = {"svg": "image/svg+xml", "html": "text/html"}
_HTML_DOCTYPE = re.compile(r"<!doctype\s+html", re.IGNORECASE)


def text_type(head: bytes) -> str | None:
    """`text/plain`, the name of an active text type, or None for what is not text.

    Text is UTF-8 or UTF-16 with a byte order mark, with hardly a control character and no NUL; or
    a legacy code page with none. A character that the end of the head cuts in two is no fault.
    """
    text = _decode(head)
    if text is None or _looks_binary(text):
        return None
    return active_type(text) or "text/plain"


def _looks_binary(text: str) -> bool:
    controls = sum(1 for _ in _CONTROLS.finditer(text))
    return "\0" in text or controls * _CHARACTERS_PER_CONTROL > len(text)


def active_type(text: str) -> str | None:
    """The name of what would be executed, looking behind white space and comments; else None."""
    preamble = _PREAMBLE.match(text)
    start = preamble.end() if preamble else 0
    for pattern, mime in _ACTIVE:
        if pattern.match(text, start):
            return _root_type(text[: start + _LOOK_AT], start) if mime == "text/xml" else mime
    return None


def _root_type(text: str, start: int) -> str:
    """By the root element: an SVG deeper inside is part of something else."""
    while part := _PROLOG_PART.match(text, start):
        start = part.end()
    root = _ELEMENT.match(text, start)
    if root:
        return _ROOT_TYPES.get(root[1].lower(), "text/xml")
    return "text/html" if _HTML_DOCTYPE.search(text) else "text/xml"


def _decode(head: bytes) -> str | None:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_as("utf-16", head)
    text = _decode_as("utf-8", head)
    return _decode_legacy(head) if text is None else text


def _decode_legacy(head: bytes) -> str | None:
    """Spreadsheets still write the code page of their country: mostly ASCII, no controls."""
    ascii_part = sum(byte < _FIRST_BEYOND_ASCII for byte in head) / len(head)
    if ascii_part < _LEAST_ASCII_PART or b"%PDF-" in head:
        return None
    text = head.decode("latin-1")
    return None if _CONTROLS.search(text) else text


def _decode_as(encoding: str, head: bytes) -> str | None:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    return text.removeprefix("\ufeff")
