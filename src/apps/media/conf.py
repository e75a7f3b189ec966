"""The app's options: the one Django setting `MEDIA_APP`, checked and typed.

Read them with `options()`. Sizes are bytes, times are seconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from apps.core.cdn import Cdn, cdn_from_url
from apps.core.daemons import daemon_address
from apps.core.filetypes import FILE_TYPES
from apps.media.processing.recipes import recipe_from_dict
from apps.media.processing.types import Recipe

MIB = 1024**2
GIB = 1024**3
HOUR = 3600
DAY = 24 * HOUR


_PATHS = frozenset({"WORK_DIR", "BODY_DIR"})
_MAY_BE_ZERO = frozenset({"DELETED_LIFETIME", "ENCODER_THREADS", "UNUSED_GRACE"})
_TEXTS = frozenset(
    {
        "BYTES_ORIGIN",
        "CDN_KEY",
        "CDN_KEY_ID",
        "CDN_URL",
        "STORAGE_ALIAS",
        "FFMPEG",
        "SOFFICE",
    }
)


@dataclass(frozen=True)
class Shown:
    """How a default reads to people, where its value says too little."""

    text: str


def _default_max_size() -> dict[str, int]:
    return {
        "image": 100 * MIB,
        "video": 10 * GIB,
        "audio": 2 * GIB,
        "document": 500 * MIB,
        "other": 2 * GIB,
    }


# Units, and what `docs/settings.md` says of each option: `make reference` writes it there.
Bytes = Annotated[int, "bytes"]
Seconds = Annotated[int, "seconds"]


@dataclass(frozen=True)
class Options:
    """Field names in upper case are the keys of `MEDIA_APP`."""

    accepted_types: Annotated[
        frozenset[str],
        Shown("every type of `apps.core.filetypes`"),
        "the MIME types that are accepted, as sniffed; can only narrow the table",
    ] = frozenset(FILE_TYPES)
    max_size: Annotated[dict[str, Bytes], "by media type; what you leave out keeps its default"] = (
        field(default_factory=_default_max_size)
    )
    quota_bytes: Annotated[Bytes, "per user; a `Quota` row can give one user another limit"] = (
        50 * GIB
    )
    quota_files: Annotated[int, "per user, likewise"] = 100_000
    max_pixels: Annotated[int, "width × height of an image"] = 50_000_000
    max_total_pixels: Annotated[int, "the same × frames"] = 500_000_000
    max_frames: Annotated[int, "of an animation"] = 2_000
    max_pages: Annotated[int, "of a document"] = 10_000
    max_duration: Annotated[Seconds, "of a recording"] = 12 * HOUR

    recipes: Annotated[
        tuple[Recipe, ...],
        Shown("`()`: the built-in set"),
        "replaces the image recipes, see [below](#recipes)",
    ] = ()
    process_memory: Annotated[Bytes, "address space of the child that decodes"] = 1_536 * MIB
    process_cpu_seconds: Annotated[Seconds, "its CPU time"] = 120
    process_wall_seconds: Annotated[Seconds, "its time by the clock"] = 300
    film_memory: Annotated[
        Bytes,
        "address space of the child that works on a recording; an encoder maps far more than it "
        "uses",
    ] = 6 * GIB
    stretch_seconds: Annotated[
        Seconds,
        "a film longer than twice this is encoded in parallel stretches, each a job",
    ] = 300
    encoder_threads: Annotated[
        int,
        Shown("0: as many as the encoder likes"),
        "per job; lower it where several workers share a machine",
    ] = 0
    ffmpeg: Annotated[
        str,
        Shown("empty: the one that came with the application, else the system's"),
        "path of the program",
    ] = ""
    soffice: Annotated[
        str,
        Shown("empty: the system's LibreOffice, if there is one"),
        "path of the program; without it office documents get no preview",
    ] = ""
    clamd_url: Annotated[
        str, Shown("empty: the embedded scanner"), "`tcp://host:port` or `unix:///path` of clamd"
    ] = ""
    body_dir: Annotated[
        Path | None,
        "where the proxy in front leaves the bodies of uploads for the app to move; a header that "
        "names a file anywhere else is refused",
    ] = None
    work_dir: Annotated[
        Path,
        Shown("`media-work` in the system's temporary directory"),
        "private copies while a job runs. On the same file system as local storage a copy is a "
        "hard link; this project sets `DATA_DIR/work`",
    ] = Path(gettempdir()) / "media-work"

    job_lease: Annotated[Seconds, "how long a silent worker keeps a job"] = 60
    job_attempts: Annotated[int, "after which a file is `failed`"] = 5
    job_retry_delay: Annotated[Seconds, "before the second attempt; doubles with each"] = 10
    job_resend_after: Annotated[
        Seconds,
        "a queued job whose message may be lost is sent again after this; one that is due for "
        "long, after an eighth of that time, 15 minutes at most",
    ] = 30
    job_lifetime: Annotated[
        Seconds,
        "jobs are forgotten so long after they ended; those that a failed file has failed for stay",
    ] = 30 * DAY
    upload_lifetime: Annotated[Seconds, "an unfinished upload is dropped after this"] = DAY
    import_attempts: Annotated[
        int,
        "after which an import by address is `failed`; 16 MiB of progress count as a fresh start",
    ] = 8
    import_max_seconds: Annotated[Seconds, "of one attempt to fetch a file"] = 6 * HOUR
    webhooks_per_user: Annotated[int, "webhooks that a user may have"] = 10
    webhook_patience: Annotated[
        Seconds,
        "a webhook that has taken nothing for so long is turned off when a message to it is given "
        "up",
    ] = 3 * DAY
    webhook_overlap: Annotated[Seconds, "an old secret signs beside the new one"] = DAY
    delivery_lifetime: Annotated[
        Seconds, "messages to webhooks are forgotten so long after they ended"
    ] = 30 * DAY
    trash_lifetime: Annotated[Seconds, "the trash is emptied of what is older"] = 30 * DAY
    deleted_lifetime: Annotated[
        Seconds,
        "bytes of originals and captions that are gone for good stay for so long, so that a "
        "[backup](operations.md#backup) of the objects has all that the dump names; those of "
        "erased users go at once",
    ] = 0
    unclaimed_lifetime: Annotated[
        Seconds, "a file that was uploaded for a use is deleted after this if none came"
    ] = DAY
    unused_grace: Annotated[
        Seconds, "such a file is deleted this long after its last use went; 0: at once"
    ] = HOUR
    versions_kept: Annotated[int, "old versions of a file that are kept beside the current one"] = (
        10
    )
    version_lifetime: Annotated[
        Seconds, "old versions are deleted that another one took the place of longer ago"
    ] = 90 * DAY

    accel: Annotated[
        str,
        "who sends the bytes: `self`, `nginx` or `redirect`; where a storage cannot do it, the app "
        "does",
    ] = "self"
    cdn_url: Annotated[
        str, Shown("empty: none"), "what stands before the addresses of public renditions"
    ] = ""
    cdn_key_id: Annotated[
        str, Shown("empty"), "of the key by which a CDN that asks for it knows our addresses"
    ] = ""
    cdn_key: Annotated[
        str,
        Shown("empty"),
        "the key itself: a private RSA key in PEM for CloudFront, 128 bits in base64url for Google",
    ] = ""
    bytes_origin: Annotated[
        str,
        Shown("empty: that of the pages"),
        "scheme and host before the addresses of public bytes; keep that host apart with "
        "`apps.core.hosts.BytesHostMiddleware`",
    ] = ""
    storage_alias: Annotated[str, "the entry of `STORAGES` that new objects go to"] = "media"
    deletion: Annotated[str, "who may delete: `owner` and roles, or `staff`: roles alone"] = "owner"
    erased_trail: Annotated[
        str,
        "what becomes of the audit trail of a user who is erased: `pseudonymise` their names, or "
        "`remove` their lines, and those of their files",
    ] = "pseudonymise"

    bandwidth: Annotated[
        dict[str, Bytes],
        Shown("`{}`: as fast as the line"),
        'per second and answer, by role, in bytes, such as `{"anonymous": 2_000_000}`',
    ] = field(default_factory=dict)
    downloads: Annotated[
        dict[str, int],
        Shown("`{}`: any number"),
        "answers of 1 MiB or more, and parts of ZIPs, at the same time, by role, such as "
        '`{"anonymous": 4, "user": 16}`; players ask for several. One more is 429 '
        "`too_many_downloads`",
    ] = field(default_factory=dict)

    @property
    def cdn(self) -> Cdn:
        """The CDN of public bytes; false where there is none."""
        return cdn_from_url(self.cdn_url, key_id=self.cdn_key_id, key=self.cdn_key)

    def size_limit(self, media_type: str) -> int:
        return self.max_size[media_type]

    @property
    def largest_size(self) -> int:
        return max(self.max_size.values())


@lru_cache(maxsize=1)
def options() -> Options:
    """Return the options in force; raise `ImproperlyConfigured` for an unknown or wrong one."""
    given = dict(getattr(settings, "MEDIA_APP", {}))
    known = {item.name.upper(): item for item in fields(Options)}
    if unknown := sorted(set(given) - set(known)):
        raise ImproperlyConfigured(
            f"Unknown MEDIA_APP option {unknown[0]!r}; known: {', '.join(sorted(known))}."
        )
    found = Options(**{key.lower(): _convert(key, value) for key, value in given.items()})
    try:
        _ = found.cdn
    except ValueError as error:
        raise ImproperlyConfigured(f"MEDIA_APP option 'CDN_URL': {error}.") from error
    return found


def _convert(key: str, value: Any) -> Any:
    if key in _PATHS:
        return Path(value).resolve() if value else None
    if key in _CONVERTERS:
        return _CONVERTERS[key](value)
    if key in _TEXTS:
        return str(value)
    return value if key in _MAY_BE_ZERO and value == 0 else _whole(key, value)


def _accepted(value: Any) -> frozenset[str]:
    if unknown := sorted(set(value) - set(FILE_TYPES)):
        raise ImproperlyConfigured(f"MEDIA_APP accepts unknown type {unknown[0]!r}.")
    return frozenset(value)


def _deletion(value: Any) -> str:
    if value not in {"owner", "staff"}:
        raise ImproperlyConfigured("MEDIA_APP option 'DELETION' must be 'owner' or 'staff'.")
    return str(value)


def _erased_trail(value: Any) -> str:
    if value not in {"pseudonymise", "remove"}:
        raise ImproperlyConfigured(
            "MEDIA_APP option 'ERASED_TRAIL' must be 'pseudonymise' or 'remove'."
        )
    return str(value)


def _accel(value: Any) -> str:
    if value not in {"", "self", "nginx", "redirect"}:
        raise ImproperlyConfigured("MEDIA_APP option 'ACCEL' must be 'nginx' or 'redirect'.")
    return str(value) or "self"


def _clamd_url(value: Any) -> str:
    try:
        _ = value and daemon_address(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"MEDIA_APP option 'CLAMD_URL': {error}.") from error
    return str(value)


def _recipes(value: Any) -> tuple[Recipe, ...]:
    try:
        return tuple(recipe_from_dict(recipe) for recipe in value)
    except ValueError as error:
        raise ImproperlyConfigured(f"MEDIA_APP option 'RECIPES': {error}") from error


def _max_size(value: Any) -> dict[str, int]:
    sizes = _default_max_size()
    if wrong := sorted(set(value) - set(sizes)):
        raise ImproperlyConfigured(f"MEDIA_APP option 'MAX_SIZE' has unknown kind {wrong[0]!r}.")
    return {**sizes, **{kind: _whole("MAX_SIZE", size) for kind, size in value.items()}}


def _by_role(key: str) -> Callable[[Any], dict[str, int]]:
    return lambda value: {str(role): _whole(key, limit) for role, limit in dict(value).items()}


def _whole(key: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ImproperlyConfigured(f"MEDIA_APP option {key!r} must be a positive whole number.")
    return value


_CONVERTERS = {
    "ACCEL": _accel,
    "ACCEPTED_TYPES": _accepted,
    "BANDWIDTH": _by_role("BANDWIDTH"),
    "CLAMD_URL": _clamd_url,
    "DELETION": _deletion,
    "DOWNLOADS": _by_role("DOWNLOADS"),
    "ERASED_TRAIL": _erased_trail,
    "MAX_SIZE": _max_size,
    "RECIPES": _recipes,
}


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "MEDIA_APP":
        options.cache_clear()


setting_changed.connect(_forget)
