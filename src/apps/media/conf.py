"""The app's options: the one Django setting `MEDIA_APP`, checked and typed.

Read them with `options()`. Sizes are bytes, times are seconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from apps.core.cdn import Cdn, cdn_from_url
from apps.core.filetypes import FILE_TYPES
from apps.media.processing.recipes import recipe_from_dict
from apps.media.processing.types import Recipe

MIB = 1024**2
GIB = 1024**3


_PATHS = frozenset({"WORK_DIR", "BODY_DIR"})
_MAY_BE_ZERO = frozenset({"ENCODER_THREADS", "UNUSED_GRACE"})
_TEXTS = frozenset(
    {
        "BYTES_ORIGIN",
        "CDN_KEY",
        "CDN_KEY_ID",
        "CDN_URL",
        "STORAGE_ALIAS",
        "FFMPEG",
        "SOFFICE",
        "CLAMD_URL",
    }
)


def _default_max_size() -> dict[str, int]:
    return {
        "image": 100 * MIB,
        "video": 10 * GIB,
        "audio": 2 * GIB,
        "document": 500 * MIB,
        "other": 2 * GIB,
    }


@dataclass(frozen=True)
class Options:
    """Field names in upper case are the keys of `MEDIA_APP`."""

    accepted_types: frozenset[str] = frozenset(FILE_TYPES)
    max_size: dict[str, int] = field(default_factory=_default_max_size)  # by media type
    quota_bytes: int = 50 * GIB  # per user
    quota_files: int = 100_000  # per user
    max_pixels: int = 50_000_000  # width × height
    max_total_pixels: int = 500_000_000  # × frames
    max_frames: int = 2_000
    max_pages: int = 10_000
    max_duration: int = 12 * 3600
    process_memory: int = 1_536 * MIB
    process_cpu_seconds: int = 120
    process_wall_seconds: int = 300
    film_memory: int = (
        6 * GIB
    )  # address space: an encoder of a whole ladder maps far more than it uses
    stretch_seconds: int = 300  # a film longer than twice this is encoded in parallel stretches
    encoder_threads: int = 0  # 0: as many as the encoder likes
    ffmpeg: str = ""  # empty: the one that came with the application, else the system's
    soffice: str = ""  # empty: the system's LibreOffice, if there is one
    clamd_url: str = ""  # empty: the embedded scanner
    recipes: tuple[Recipe, ...] = ()  # replaces the default image recipes
    upload_lifetime: int = 24 * 3600
    import_attempts: int = 8  # without progress worth the name between them
    import_max_seconds: int = 6 * 3600  # of one attempt
    trash_lifetime: int = 30 * 24 * 3600
    unclaimed_lifetime: int = 24 * 3600  # of a file that was uploaded for a use that never came
    unused_grace: int = 3600  # of a file that lived for its uses, after the last; 0: none
    versions_kept: int = 10  # per file, beside the current one
    version_lifetime: int = 90 * 24 * 3600  # since another one took its place
    job_lease: int = 60
    job_attempts: int = 5
    job_retry_delay: int = 10  # doubled with each attempt
    job_resend_after: int = 30  # a queued job whose message may be lost
    webhooks_per_user: int = 10
    webhook_patience: int = 3 * 24 * 3600  # without one message taken, before it is disabled
    webhook_overlap: int = 24 * 3600  # in which an old secret signs beside the new one
    delivery_lifetime: int = 30 * 24 * 3600  # since it was delivered or given up
    bandwidth: dict[str, int] = field(default_factory=dict)  # by role, per download and second
    downloads: dict[str, int] = field(default_factory=dict)  # by role, at the same time
    deletion: str = "owner"  # who may delete: owners and roles, or "staff": only roles
    # What becomes of the trail of a user who is erased: "pseudonymise" their names, or "remove" it.
    erased_trail: str = "pseudonymise"
    accel: str = "self"  # how bytes go out: "nginx", "redirect", or through this process
    cdn_url: str = ""  # what stands before the addresses of public renditions
    cdn_key_id: str = ""  # of the key by which a CDN that asks for it knows our addresses
    cdn_key: str = ""
    bytes_origin: str = ""  # of the host that gives out public bytes, if it is one of its own
    storage_alias: str = "media"
    body_dir: Path | None = None  # where the proxy in front leaves request bodies, if it does
    work_dir: Path = Path(gettempdir()) / "media-work"

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
