"""Turns a storage URL into an entry for Django's `STORAGES`.

Pure: reads no environment and opens no connection. Credentials never stand in the URL; each
provider's own variables carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_S3_OPTIONS = ("endpoint_url", "region_name", "conditional_writes")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def storage_from_url(url: str) -> dict[str, object]:
    """The `STORAGES` entry (`BACKEND`, `OPTIONS`) for a storage URL.

    - `file:///absolute/directory`
    - `s3://bucket/prefix?endpoint_url=…&region_name=…&conditional_writes=true|false`; the last one
      says whether the server honours `If-None-Match: *` (default true).

    Raises ValueError, without repeating secrets, for anything else.
    """
    parts = urlsplit(url)
    read = _SCHEMES.get(parts.scheme)
    if read is None:
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise ValueError(f"Unknown storage scheme {parts.scheme!r}; known are {known}")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError(
            f"A {parts.scheme}:// storage URL takes neither credentials nor a fragment"
        )
    return read(parts)


def _file_entry(parts: SplitResult) -> dict[str, object]:
    _options(parts, known=())
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise ValueError("A file:// storage URL names an absolute directory: file:///srv/media")
    return _entry("apps.core.storage.local.LocalStore", location=unquote(parts.path))


def _s3_entry(parts: SplitResult) -> dict[str, object]:
    given = _options(parts, known=_S3_OPTIONS)
    if not parts.netloc or ":" in parts.netloc:
        raise ValueError("An s3:// storage URL starts with the bucket: s3://bucket/prefix")
    options: dict[str, object] = {
        "bucket_name": parts.netloc,
        "location": _location(parts.path),
        "conditional_writes": _boolean(given.get("conditional_writes", "true")),
    }
    if region := given.get("region_name"):
        options["region_name"] = region
    if endpoint := given.get("endpoint_url"):
        # Servers other than AWS rarely have a DNS name per bucket.
        options |= {"endpoint_url": _http_url(endpoint), "addressing_style": "path"}
    return _entry("apps.core.storage.s3.S3Store", **options)


_SCHEMES: dict[str, Callable[[SplitResult], dict[str, object]]] = {
    "file": _file_entry,
    "s3": _s3_entry,
}


def _entry(backend: str, **options: object) -> dict[str, object]:
    return {"BACKEND": backend, "OPTIONS": options}


def _options(parts: SplitResult, *, known: tuple[str, ...]) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    for name, _ in pairs:
        if name not in known:
            allowed = ", ".join(known) or "none"
            raise ValueError(f"Unknown option {name!r} of {parts.scheme}://; known are {allowed}")
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"An option of the {parts.scheme}:// storage URL is given twice")
    return dict(pairs)


def _location(path: str) -> str:
    location = unquote(path).strip("/")
    if any(segment in {"", ".", ".."} for segment in location.split("/")) and location:
        raise ValueError("The prefix of an s3:// storage URL has an empty or dotted segment")
    return location


def _http_url(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("endpoint_url must be http(s)://host[:port], without credentials")
    return endpoint


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"conditional_writes is true or false, not {text!r}") from None
