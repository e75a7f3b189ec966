"""Turns a storage URL into an entry for Django's `STORAGES`, and into a name for it.

Pure: reads no environment and opens no connection. Credentials never stand in the URL; each
provider's own variables carry them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_S3_OPTIONS = ("endpoint_url", "region_name", "conditional_writes", "spool_dir")
_GCS_OPTIONS = ("endpoint", "iam_sign_blob", "spool_dir")
_AZURE_OPTIONS = ("endpoint", "account_name", "spool_dir")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def storage_from_url(url: str) -> dict[str, object]:
    """The `STORAGES` entry (`BACKEND`, `OPTIONS`) for a storage URL.

    - `file:///absolute/directory`
    - `memory://`, for tests: gone with the process, and unknown to every other
    - `s3://bucket/prefix?endpoint_url=…&region_name=…&conditional_writes=true|false`; the last one
      says whether the server honours `If-None-Match: *` (default true).
    - `gs://bucket/prefix?endpoint=…&iam_sign_blob=true|false`; the last one lets Google's service
      sign where no private key is at hand (default false).

    - `azure://container/prefix?endpoint=…&account_name=…`

    `spool_dir=/absolute/directory`, for buckets, is where parts wait that are being sent.

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


def alias_of(url: str) -> str:
    """A name for `STORAGES` that always means the storage at `url`, such as `s3-1f0c…`."""
    return f"{urlsplit(url).scheme}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def _file_entry(parts: SplitResult) -> dict[str, object]:
    _options(parts, known=())
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise ValueError("A file:// storage URL names an absolute directory: file:///srv/media")
    return _entry("apps.core.storage.local.LocalStore", location=unquote(parts.path))


def _memory_entry(parts: SplitResult) -> dict[str, object]:
    _options(parts, known=())
    if parts.netloc or parts.path:
        raise ValueError("A memory:// storage URL names nothing")
    return _entry("apps.core.storage.memory.MemoryStore")


def _s3_entry(parts: SplitResult) -> dict[str, object]:
    given = _options(parts, known=_S3_OPTIONS)
    options: dict[str, object] = {
        **_bucket(parts, given),
        "conditional_writes": _boolean(given, "conditional_writes", default="true"),
    }
    if region := given.get("region_name"):
        options["region_name"] = region
    if endpoint := given.get("endpoint_url"):
        # Servers other than AWS rarely have a DNS name per bucket.
        url = _http_url(endpoint, "endpoint_url")
        options |= {"endpoint_url": url, "addressing_style": "path"}
    return _entry("apps.core.storage.s3.S3Store", **options)


def _gcs_entry(parts: SplitResult) -> dict[str, object]:
    given = _options(parts, known=_GCS_OPTIONS)
    options = _bucket(parts, given)
    if endpoint := given.get("endpoint"):
        options["endpoint"] = _http_url(endpoint, "endpoint")
    if _boolean(given, "iam_sign_blob", default="false"):
        options["iam_sign_blob"] = True
    return _entry("apps.core.storage.gcs.GcsStore", **options)


def _azure_entry(parts: SplitResult) -> dict[str, object]:
    given = _options(parts, known=_AZURE_OPTIONS)
    options = _bucket(parts, given)
    options["azure_container"] = options.pop("bucket_name")
    if account := given.get("account_name"):
        options["account_name"] = account
    if endpoint := given.get("endpoint"):
        options["endpoint"] = _http_url(endpoint, "endpoint")
    return _entry("apps.core.storage.azure.AzureStore", **options)


def _bucket(parts: SplitResult, given: dict[str, str]) -> dict[str, object]:
    """What the stores of all providers with buckets have in common."""
    if not parts.netloc or ":" in parts.netloc:
        scheme = parts.scheme
        raise ValueError(f"A {scheme}:// storage URL starts with the bucket: {scheme}://bucket/x")
    options: dict[str, object] = {"bucket_name": parts.netloc, "location": _location(parts)}
    if spool_dir := given.get("spool_dir"):
        if not spool_dir.startswith("/"):
            raise ValueError("spool_dir names an absolute directory")
        options["spool_dir"] = spool_dir
    return options


def browser_origins(url: str) -> list[str]:
    """The origins that a browser sends bytes to where the storage at `url` takes them directly.

    For the `connect-src` of a content security policy.
    """
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    option, own = _DIRECT.get(parts.scheme, ("", _no_origins))
    if endpoint := given.get(option):
        at = urlsplit(_http_url(endpoint, option))
        return [f"{at.scheme}://{at.netloc}"]
    return own(parts.netloc, given)


def _no_origins(bucket: str, given: dict[str, str]) -> list[str]:
    return []


def _s3_origins(bucket: str, given: dict[str, str]) -> list[str]:
    hosts = ["s3.amazonaws.com"]
    if region := given.get("region_name"):
        hosts.append(f"s3.{region}.amazonaws.com")
    return [f"https://{prefix}{host}" for host in hosts for prefix in (f"{bucket}.", "")]


def _gcs_origins(bucket: str, given: dict[str, str]) -> list[str]:
    return ["https://storage.googleapis.com"]


def _azure_origins(bucket: str, given: dict[str, str]) -> list[str]:
    account = given.get("account_name")
    return [f"https://{account}.blob.core.windows.net"] if account else []


# By scheme: the option that names another server, and the provider's own origins.
_DIRECT: dict[str, tuple[str, Callable[[str, dict[str, str]], list[str]]]] = {
    "s3": ("endpoint_url", _s3_origins),
    "gs": ("endpoint", _gcs_origins),
    "azure": ("endpoint", _azure_origins),
}


_SCHEMES: dict[str, Callable[[SplitResult], dict[str, object]]] = {
    "file": _file_entry,
    "s3": _s3_entry,
    "gs": _gcs_entry,
    "azure": _azure_entry,
    "memory": _memory_entry,
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


def _location(parts: SplitResult) -> str:
    location = unquote(parts.path).strip("/")
    if any(segment in {"", ".", ".."} for segment in location.split("/")) and location:
        raise ValueError(
            f"The prefix of a {parts.scheme}:// storage URL has an empty or dotted segment"
        )
    return location


def _http_url(endpoint: str, option: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{option} must be http(s)://host[:port], without credentials")
    return endpoint


def _boolean(given: dict[str, str], option: str, *, default: str) -> bool:
    text = given.get(option, default)
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"{option} is true or false, not {text!r}") from None
