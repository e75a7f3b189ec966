"""What the header of an answer means for whoever fetches a file. RFC 9110.

Pure: no connection. Text of the other side never gets into an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import unquote

from apps.core.errors import SourceChangedError, SourceRefusedError, SourceUnavailableError
from apps.core.filenames import clean_display_name, extension_of
from apps.core.filetypes import types_for_extension
from apps.core.words import gettext_noop as _

Headers = dict[str, str]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_LATER = frozenset({408, 425, 429})
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{1,250}"')


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Names in lower case; of a repeated one, the first counts."""
    headers: Headers = {}
    for name, value in raw:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())
    return headers


def check_status(status: int, headers: Headers, *, asked_from: int) -> None:
    """Raise unless a whole file, or the rest of it from byte `asked_from`, follows.

    `SourceUnavailableError` where later may be better, `SourceRefusedError` where not,
    `SourceChangedError` where the rest is not of what was there before.
    """
    if status in _FOR_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceUnavailableError("status", status)
    if asked_from and status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise SourceChangedError("range", asked_from)
    expected = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT} if asked_from else {HTTPStatus.OK}
    if status not in expected:
        raise SourceRefusedError("status", status)
    if headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        raise SourceRefusedError(
            "encoding",
            detail=_("The source sends the file in a packed form, which is not accepted."),
        )


def whole_size(headers: Headers) -> int | None:
    """Bytes of a whole answer, where it says so."""
    text = headers.get("content-length", "")
    return int(text) if text.isdecimal() else None


def resumed_size(headers: Headers, *, asked_from: int, validator: str) -> int | None:
    """Bytes of the whole of which a 206 brings the rest; None if it does not say.

    Raises `SourceChangedError` when it begins elsewhere, or belongs to something else.
    """
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if found is None or int(found[1]) != asked_from:
        raise SourceChangedError("other range")
    tag = headers.get("etag", "")
    if validator.startswith('"') and tag and tag != validator:
        raise SourceChangedError("other tag")
    if found[3] == "*":
        return None
    if int(found[2]) != int(found[3]) - 1:
        raise SourceChangedError("not to the end")
    return int(found[3])


def validator_of(headers: Headers) -> str:
    """What If-Range may name (§13.1.5): a strong tag, or a date that is as good; else "".

    Plain ASCII, since it is sent back.
    """
    tag = headers.get("etag", "")
    if _STRONG_TAG.fullmatch(tag):
        return tag
    modified = headers.get("last-modified", "")
    is_good = modified.isascii() and _is_strong_date(modified, headers.get("date", ""))
    return modified if is_good else ""


def _is_strong_date(modified: str, date: str) -> bool:
    """§8.8.2.2: a second or more before the answer, so that it cannot have changed unseen."""
    then, now = _moment(modified), _moment(date)
    return then is not None and now is not None and now - then >= timedelta(seconds=1)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else None


def suggested_name(headers: Headers, *, path: str) -> str:
    """A name for the file, cleaned: the header's (RFC 6266), else the end of the address.

    A suffix in an address that is none of a known type ("get.php") says nothing of the file.
    """
    if name := _disposition_name(headers.get("content-disposition", "")):
        return clean_display_name(name)
    name = clean_display_name(unquote(path.partition("?")[0]))
    suffix = extension_of(name)
    return name if not suffix or types_for_extension(suffix) else name.rpartition(".")[0]


def _disposition_name(header: str) -> str:
    message = Message()
    try:
        message["Content-Disposition"] = header
        return message.get_filename("") or ""
    except (ValueError, LookupError, TypeError):  # its parser knows no other way out
        return ""
