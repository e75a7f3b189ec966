"""System checks: what would hurt later is said at the start."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.files.storage import storages

from apps.core.storage import ObjectStore
from apps.media.conf import options


@register("media")
def check_storage(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The media storage must offer the interface that objects are kept through."""
    alias = options().storage_alias
    if alias not in storages.backends:
        return [Error(f"STORAGES has no alias {alias!r}.", id="media.E001")]
    if not isinstance(storages[alias], ObjectStore):
        return [
            Error(
                f"The storage {alias!r} cannot keep media objects.",
                hint="Build it with apps.core.storage.storage_from_url.",
                id="media.E002",
            )
        ]
    return []
