"""Sends stored bytes over HTTP: conditions, ranges, safe headers (RFC 9110 §13 to §15).

Who may have the bytes was decided before; nothing here looks at a user. Nothing here trusts the
type or the name further than its header reaches: every answer is locked, so that a file that is
not what it claims still cannot run in a browser.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from apps.core.errors import StorageUnavailableError
from apps.core.ranges import ByteRange, RangeNotSatisfiableError, if_range_matches, parse_range
from apps.core.storage.base import CHUNK_BYTES, ByteIterator, ObjectStore, PresigningStore

Response = TypeVar("Response", bound=HttpResponseBase)

# On every answer, errors included. The policy governs a document made of these bytes, not a page
# that shows them in <img> or <video>.
LOCKED_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


# Below these nginx has the files of the storages: see deploy/nginx/media.conf.
ACCEL_PART, ACCEL_WHOLE = "/_stored/part/", "/_stored/whole/"
PRESIGNED_SECONDS = 60  # an address of the storage is asked for at once, or not at all
# What every server reads as the same one range. Anything else is ours to judge.
_PLAIN_RANGE = re.compile(r"bytes=(?:[0-9]{1,18}-(?:[0-9]{1,18})?|-[0-9]{1,18})")
# Conditions that nginx judges anew, without knowing our validators; storages know none of ours.
_STATED = ("If-Match", "If-Unmodified-Since")
_CONDITIONS = (*_STATED, "If-None-Match", "If-Modified-Since", "If-Range")


class Way(enum.StrEnum):
    """How bytes get from their storage to whoever asked."""

    SELF = "self"  # through this process
    NGINX = "nginx"  # nginx in front of us is told which file: `X-Accel-Redirect`
    REDIRECT = "redirect"  # whoever asked is sent to the storage, with a signed address


@dataclass(frozen=True)
class ByteSource:
    """One representation: where its bytes are and what may be said about them.

    `size` in bytes; `etag` quoted and strong; `content_type` sniffed, never the client's word;
    `inline` only for types that are safe to show. `extra_headers` (such as `Vary`) win over the
    locked ones, so that a public file can open `Cross-Origin-Resource-Policy`. `alias` is what the
    store is called, for a `way` on which others fetch the bytes.
    """

    store: ObjectStore
    key: str
    size: int
    content_type: str
    etag: str
    last_modified: datetime
    filename: str
    inline: bool
    cache_control: str
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    alias: str = ""
    way: Way = Way.SELF


def serve_bytes(request: HttpRequest, source: ByteSource) -> HttpResponseBase:
    """Answer a GET or HEAD with 200, 206, 304, 412 or 416.

    The object is opened before anything is sent, so ObjectMissingError and
    StorageUnavailableError reach the caller as long as an honest status is still possible.
    HEAD never opens it. The order is that of RFC 9110 §13.2.2: conditions, `If-Range`, `Range`.
    All of that is decided here, whichever way the bytes then go; with a redirect the answer is 302.
    """
    refused = _evaluate_conditions(request, source)
    if refused is not None:
        return refused
    try:
        part = _wanted_part(request, source)
    except RangeNotSatisfiableError:
        return _refuse_range(source)
    if request.method == "HEAD":
        return _describe(HttpResponse(), source, part=None)
    if source.way is Way.NGINX and _is_plain(request, part, without=_STATED):
        return _hand_to_nginx(source, part)
    ignored = part is None and "Range" in request.headers
    if source.way is Way.REDIRECT and _is_plain(request, part, without=_CONDITIONS) and not ignored:
        return _send_away(source)
    return _stream(source, part)


def carries_part(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a good answer of `serve_bytes` leads to one part of the bytes and not to all."""
    if response.status_code == HTTPStatus.FOUND:  # a range that is ignored is not sent away
        return "Range" in request.headers
    is_left_to_nginx = response.get("X-Accel-Redirect", "").startswith(ACCEL_PART)
    return response.status_code == HTTPStatus.PARTIAL_CONTENT or is_left_to_nginx


def _is_plain(request: HttpRequest, part: ByteRange | None, *, without: tuple[str, ...]) -> bool:
    """Whether another server that gets the same request comes to the same answer as we did."""
    if any(name in request.headers for name in without):
        return False
    return part is None or _PLAIN_RANGE.fullmatch(request.headers["Range"]) is not None


def _hand_to_nginx(source: ByteSource, part: ByteRange | None) -> HttpResponse:
    """nginx takes the headers of this answer for its own, and the length from the file.

    That it is there is seen first: nginx would say "not found" with headers that let it be kept.
    """
    source.store.size_of(source.key)
    response = _describe(HttpResponse(), source, part=None)
    place = ACCEL_PART if part else ACCEL_WHOLE
    response.headers["X-Accel-Redirect"] = f"{place}{source.alias}/{source.key}"
    for name in ("Content-Length", "Accept-Ranges"):  # nginx says these itself
        del response.headers[name]
    return response


def _send_away(source: ByteSource) -> HttpResponse:
    """A redirect that nobody keeps: who may have the bytes is asked every time."""
    store = cast("PresigningStore", source.store)
    response = HttpResponse(status=302)
    response.headers["Location"] = store.presigned_get(
        source.key,
        expires_in=PRESIGNED_SECONDS,
        content_type=_with_charset(source.content_type),
        content_disposition=disposition_of(source.filename, inline=source.inline) or "inline",
    )
    for name, value in {**LOCKED_HEADERS, **source.extra_headers}.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Length"] = "0"
    del response.headers["Content-Type"]
    return response


def _evaluate_conditions(request: HttpRequest, source: ByteSource) -> HttpResponseBase | None:
    modified = int(source.last_modified.timestamp())
    if _unmodified_since_epoch(request):
        return _refuse(source, status=412)
    answer = get_conditional_response(request, etag=source.etag, last_modified=modified)
    if answer is None:
        return None
    if answer.status_code == HTTPStatus.NOT_MODIFIED:
        return _not_modified(source)
    return _refuse(source, status=answer.status_code)


def _unmodified_since_epoch(request: HttpRequest) -> bool:
    # Django takes the first second of 1970 for "no date", because it is 0. Nothing is that old.
    given = request.headers.get("If-Unmodified-Since", "")
    return "If-Match" not in request.headers and parse_http_date_safe(given) == 0


def _wanted_part(request: HttpRequest, source: ByteSource) -> ByteRange | None:
    if request.method != "GET":  # ranges are defined for GET only (§14.2)
        return None
    same = if_range_matches(
        request.headers.get("If-Range"), etag=source.etag, last_modified=source.last_modified
    )
    return parse_range(request.headers.get("Range"), source.size) if same else None


def _stream(source: ByteSource, part: ByteRange | None) -> StreamingHttpResponse:
    start, length = (part.start, part.length) if part else (0, source.size)
    pieces = source.store.read_range(source.key, start, length, chunk_size=CHUNK_BYTES)
    response = StreamingHttpResponse(ExactBytes(pieces, length), status=206 if part else 200)
    return _describe(response, source, part=part)


class ExactBytes:
    """Passes on exactly `length` bytes, or breaks off.

    A stored object that is shorter than its row says must end the connection: after a silent end
    the client of a kept-alive connection would wait for the missing bytes.
    """

    def __init__(self, pieces: ByteIterator, length: int) -> None:
        self._pieces = pieces
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            if self._left:
                raise StorageUnavailableError("object ends early", self._left) from None
            raise
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Called by Django when the response ends or the client has gone."""
        self._left = 0
        self._pieces.close()


def _describe(response: Response, source: ByteSource, *, part: ByteRange | None) -> Response:
    """Give a 200 or 206 all its headers."""
    _identify(response, source)
    response.headers["Content-Type"] = _with_charset(source.content_type)
    response.headers["Content-Length"] = str(part.length if part else source.size)
    if part:
        response.headers["Content-Range"] = part.content_range(source.size)
    if disposition := disposition_of(source.filename, inline=source.inline):
        response.headers["Content-Disposition"] = disposition
    return response


def _identify(response: HttpResponseBase, source: ByteSource) -> None:
    """The headers that every answer about this representation carries."""
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = source.etag
    response.headers["Last-Modified"] = http_date(source.last_modified.timestamp())
    response.headers["Cache-Control"] = source.cache_control
    for name, value in {**LOCKED_HEADERS, **source.extra_headers}.items():
        response.headers[name] = value


def _not_modified(source: ByteSource) -> StreamingHttpResponse:
    # A streaming response, because Django's CommonMiddleware gives every other one a
    # Content-Length, and a 304 may only state that of the full answer (§8.6).
    response = StreamingHttpResponse([], status=304)
    _identify(response, source)
    del response.headers["Content-Type"]
    return response


def _refuse_range(source: ByteSource) -> HttpResponse:
    response = _refuse(source, status=416)
    response.headers["Content-Range"] = f"bytes */{source.size}"
    return response


def _refuse(source: ByteSource, *, status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    _identify(response, source)
    # A shared cache must never keep one client's failed request in the place of a public file.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Length"] = "0"
    del response.headers["Content-Type"]
    return response


def disposition_of(filename: str, *, inline: bool) -> str | None:
    """`Content-Disposition` (RFC 6266) for a name that a user chose; None if there is none to say.

    Control characters would end or split the header, lone surrogates cannot be encoded.
    """
    printable = "".join(c for c in filename if unicodedata.category(c) != "Cc")
    encodable = printable.encode("utf-8", "replace").decode("utf-8")
    return content_disposition_header(as_attachment=not inline, filename=encodable)


def _with_charset(content_type: str) -> str:
    if content_type.startswith("text/") and "charset=" not in content_type:
        return f"{content_type}; charset=utf-8"
    return content_type
