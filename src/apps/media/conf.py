"""The app's options: the one Django setting `MEDIA_APP`, checked and typed.

Read them with `options()`. Sizes are bytes, times are seconds unless the name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from apps.core.filetypes import FILE_TYPES
from apps.media.processing.recipes import recipe_from_dict
from apps.media.processing.types import Recipe

MIB = 1024**2
GIB = 1024**3


_TEXTS = frozenset({"STORAGE_ALIAS", "FFMPEG", "SOFFICE", "CLAMD_URL"})


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
    trash_lifetime: int = 30 * 24 * 3600
    job_lease: int = 60
    job_attempts: int = 5
    job_retry_delay: int = 10  # doubled with each attempt
    job_resend_after: int = 30  # a queued job whose message may be lost
    storage_alias: str = "media"
    work_dir: Path = Path(gettempdir()) / "media-work"

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
    return Options(**{key.lower(): _convert(key, value) for key, value in given.items()})


def _convert(key: str, value: Any) -> Any:
    if key == "WORK_DIR":
        return Path(value)
    if key == "RECIPES":
        return _recipes(value)
    if key == "ACCEPTED_TYPES":
        return _accepted(value)
    if key == "MAX_SIZE":
        return _max_size(value)
    if key in _TEXTS:
        return str(value)
    return value if key == "ENCODER_THREADS" and value == 0 else _whole(key, value)


def _accepted(value: Any) -> frozenset[str]:
    if unknown := sorted(set(value) - set(FILE_TYPES)):
        raise ImproperlyConfigured(f"MEDIA_APP accepts unknown type {unknown[0]!r}.")
    return frozenset(value)


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


def _whole(key: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ImproperlyConfigured(f"MEDIA_APP option {key!r} must be a positive whole number.")
    return value


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "MEDIA_APP":
        options.cache_clear()


setting_changed.connect(_forget)
