"""The words of the tus 1.0.0 protocol: its headers, read and written. Knows no storage and no rows.

Source: the tus resumable upload protocol, version 1.0.0. Every `parse_…` raises `HeaderError`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from apps.core.words import gettext_noop

VERSION = "1.0.0"
EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "expiration",
    "checksum",
    "termination",
    "concatenation",
)
CONTENT_TYPE = "application/offset+octet-stream"
CHECKSUM_ALGORITHMS = ("sha1", "sha256", "md5")
# What clients send, and read, beside the headers that all of HTTP has.
REQUEST_HEADERS = (
    *("tus-resumable", "upload-length", "upload-defer-length", "upload-offset", "upload-metadata"),
    *("upload-checksum", "upload-concat", "x-http-method-override"),
)
ANSWER_HEADERS = (
    *("Location", "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size"),
    *("Tus-Checksum-Algorithm", "Upload-Offset", "Upload-Length", "Upload-Defer-Length"),
    *("Upload-Metadata", "Upload-Expires", "Upload-Concat"),
)
MAX_METADATA = 8 * 1024  # characters
MAX_PARTS = 1000
_LARGEST_NUMBER = 2**63 - 1
_KEY = re.compile(r"[!-+\--~]+")  # visible ASCII without the comma


class HeaderError(ValueError):
    """A header of the client's is not what the protocol says; the text may be shown."""


def parse_number(name: str, text: str) -> int:
    """A number of bytes: decimal digits only."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > _LARGEST_NUMBER:
        raise HeaderError(f"{name} must be a whole number of bytes.")
    return int(text)


def parse_metadata(text: str) -> dict[str, str]:
    """Pairs of a key and base64, with commas between; an empty header has none (tuspy sends it).

    What is no UTF-8 is replaced: it is text for people.
    """
    if len(text) > MAX_METADATA:
        raise HeaderError(gettext_noop("Upload-Metadata is too long."))
    found: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else []:
        key, _, encoded = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise HeaderError(gettext_noop("Upload-Metadata has an empty, odd or repeated key."))
        found[key] = _decode(encoded).decode("utf-8", errors="replace")
    return found


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request shall hash to."""

    algorithm: str
    digest: bytes

    def start(self) -> Any:
        return hashlib.new(self.algorithm, usedforsecurity=False)


def parse_checksum(text: str) -> Checksum:
    algorithm, _, encoded = text.strip().partition(" ")
    if algorithm not in CHECKSUM_ALGORITHMS:
        known = ", ".join(CHECKSUM_ALGORITHMS)
        raise HeaderError(f"Upload-Checksum must be of one of these algorithms: {known}.")
    digest = _decode(encoded)
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise HeaderError(gettext_noop("Upload-Checksum has the wrong length."))
    return Checksum(algorithm, digest)


@dataclass(frozen=True)
class Concat:
    """A partial upload, or a final one and the last path segments of its parts, in order."""

    is_final: bool
    parts: tuple[str, ...] = ()


def parse_concat(text: str, *, base: str) -> Concat:
    """`base` is the path below which uploads live; parts elsewhere are none."""
    if text.strip() == "partial":
        return Concat(is_final=False)
    kind, _, urls = text.strip().partition(";")
    parts = urls.split()
    if kind != "final" or not 0 < len(parts) <= MAX_PARTS:
        raise HeaderError(gettext_noop("Upload-Concat is neither partial nor a list of parts."))
    return Concat(is_final=True, parts=tuple(_part(url, base=base) for url in parts))


def _part(url: str, *, base: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    name = path.removeprefix(base).strip("/")
    if not path.startswith(base) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise HeaderError(
            gettext_noop("Upload-Concat names a part that is no upload of this server.")
        )
    return name


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise HeaderError(gettext_noop("A value is not base64.")) from None
