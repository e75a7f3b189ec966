"""Rules for the names that clients give to their files.

A client's name is metadata to show, never a path, a key or a proof of type. Nothing here may touch
a file system.
"""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_LENGTH = 255  # characters: the width of the column that keeps the name
FALLBACK_NAME = "file"
_MAX_EXTENSION_LENGTH = 16

# Controls (Cc) break headers and logs; the bidirectional marks, embeddings, overrides and isolates
# make "gpj.exe" read as "exe.jpg"; lone surrogates cannot be stored as UTF-8; U+2028 and U+2029
# are line breaks to scripts and logs. Joiners (U+200C, U+200D) stay: emoji, Persian need them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SEPARATORS = re.compile(r"[/\\]")
_WHITESPACE = re.compile(r"\s")


def extension_of(name: str) -> str:
    """The extension that counts: lower case, no dot, "" when there is none.

    It is the *last* suffix of the last path component, after what file systems drop in silence
    (trailing dots, spaces, NUL) is dropped: `a.jpg.php` and `a.php...` are both `php`. A suffix
    with a space in it, or longer than 16 characters, is prose ("Mr. Smith to Ms. Jones").
    """
    _, dot, suffix = _last_component(name).rstrip(". ").rpartition(".")
    suffix = suffix.lower()
    if not dot or len(suffix) > _MAX_EXTENSION_LENGTH or _WHITESPACE.search(suffix):
        return ""
    return suffix


def clean_display_name(name: str) -> str:
    """The name to keep and show as `original_name`: 1 to 255 characters, on one line.

    Harmless names come back unchanged (in Unicode NFC). Of a path the last component is kept;
    controls and bidirectional overrides are removed; a name too long loses its middle, not its
    extension. Never empty: "file" stands for a name of which nothing remains.
    """
    cleaned = unicodedata.normalize("NFC", _last_component(name))
    if not cleaned.strip(". "):
        return FALLBACK_NAME
    return _shorten(cleaned)


def _last_component(name: str) -> str:
    return _SEPARATORS.split(_UNSAFE.sub("", name))[-1].strip()


def _shorten(name: str) -> str:
    if len(name) <= MAX_NAME_LENGTH:
        return name
    extension = extension_of(name)
    if not extension:
        return name[:MAX_NAME_LENGTH].rstrip()
    return name[: MAX_NAME_LENGTH - len(extension) - 1].rstrip() + "." + extension
