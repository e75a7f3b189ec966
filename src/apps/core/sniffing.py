"""Says what a file is by its first bytes, and whether its name agrees.

A closed list: what is not recognised is not taken. Pure: no Django, no settings, no storage. What
this module answers chooses the decoder, so it prefers None to a guess; content appended behind
a sound beginning is not noticed here (see the processing engines, which re-encode).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from apps.core.archives import zip_type
from apps.core.filenames import extension_of
from apps.core.filetypes import CONTAINER_FAMILIES, FILE_TYPES, TEXT_TYPES, types_for_extension
from apps.core.signatures import SIGNATURES
from apps.core.texts import text_type

SNIFF_BYTES = 65536  # how much of a file `sniff` looks at

_SHORTEST = 12  # bytes: below this no binary signature can be sound
_PDF = re.compile(rb"%PDF-[12]\.\d")
_PDF_SEARCH = 1024  # bytes before the header that viewers accept (ISO 32000-1, Annex H.3 note 13)
# Before a late PDF header only printer or mail lines are harmless: markup and scripts run, and a
# NUL betrays a second, binary format around the PDF.
_NOT_JUNK = re.compile(rb"<[!?/a-z%]|#!|%!|\0", re.IGNORECASE)
_RTF = re.compile(rb"\{\\rtf\d")
_BLANK = b"\xef\xbb\xbf\t\n\x0c\r "


class TypeRefusedError(ValueError):
    """A file whose type is not taken. `detected` is what the bytes are; None: unrecognised."""

    def __init__(self, *, extension: str, detected: str | None) -> None:
        super().__init__(f"extension {extension!r}, content {detected!r}")
        self.extension = extension
        self.detected = detected


class UnknownTypeError(TypeRefusedError):
    """Neither the name nor the content is of an allowed type."""


class DisagreeingTypeError(TypeRefusedError):
    """The name claims an allowed type, and the content is something else."""


def sniff(head: bytes) -> str | None:
    """The mime of a file from its first bytes (at most 64 KiB are looked at).

    A mime of `FILE_TYPES`; or the name of a known type that is never taken (`text/html`,
    `application/vnd.rar`), so that a refusal can say it; or None. Never raises.
    """
    head = head[:SNIFF_BYTES]
    if len(head) < _SHORTEST:
        return text_type(head) if head else None
    for recognise in SIGNATURES:
        if mime := recognise(head):
            return mime
    return zip_type(head) or _document_type(head) or text_type(head) or _late_pdf(head)


def judge(head: bytes, *, name: str, allowed: Collection[str]) -> str:
    """The mime of a file, where content, name and allow-list agree.

    `head` is the first bytes (64 KiB suffice), `name` the client's, `allowed` mimes of
    `FILE_TYPES`. Raises `UnknownTypeError` where the extension or, lacking one, the content is of
    no allowed type; `DisagreeingTypeError` where the content is not what the extension says.
    """
    extension = extension_of(name)
    detected = sniff(head)
    if not extension:
        return _allowed_or_refused(detected, extension=extension, allowed=allowed)
    claimed = types_for_extension(extension)
    if claimed.isdisjoint(allowed):
        raise UnknownTypeError(extension=extension, detected=detected)
    mime = _agreed_type(detected, claimed)
    if mime is None:
        raise DisagreeingTypeError(extension=extension, detected=detected)
    return _allowed_or_refused(mime, extension=extension, allowed=allowed)


def _allowed_or_refused(mime: str | None, *, extension: str, allowed: Collection[str]) -> str:
    if mime is None or mime not in FILE_TYPES or mime not in allowed:
        raise UnknownTypeError(extension=extension, detected=mime)
    return mime


def _agreed_type(detected: str | None, claimed: frozenset[str]) -> str | None:
    """What the file is, if the extension's types and the content agree on it; else None."""
    if detected is None:
        return None
    if detected == "text/plain":
        return next(iter(claimed & TEXT_TYPES), None)  # a text extension has exactly one type
    if detected in claimed:
        return detected
    if detected == "video/mp4" and "audio/mp4" in claimed:
        return "audio/mp4"  # the common brands name the container; what is in it, the name
    related = any(detected in family and claimed & family for family in CONTAINER_FAMILIES)
    return detected if related else None


def _document_type(head: bytes) -> str | None:
    if _PDF.match(head[:_PDF_SEARCH].lstrip(_BLANK)):
        return "application/pdf"
    return "application/rtf" if _RTF.match(head) else None


def _late_pdf(head: bytes) -> str | None:
    """A PDF behind junk that nothing else claims, and that no browser would run."""
    header = _PDF.search(head, 0, _PDF_SEARCH)
    if header is None or _NOT_JUNK.search(head, 0, header.start()):
        return None
    return "application/pdf"
