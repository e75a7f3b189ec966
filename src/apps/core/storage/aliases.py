"""Finds the configured store behind an alias of Django's `STORAGES`."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages

from apps.core.storage.base import ObjectStore


def object_store(alias: str = "media") -> ObjectStore:
    """The store configured as `alias`; Django keeps one instance per process.

    Raises ImproperlyConfigured when the alias is unknown or names a storage without our interface.
    """
    storage = storages[alias]
    if not isinstance(storage, ObjectStore):
        raise ImproperlyConfigured(f"STORAGES[{alias!r}] is not an ObjectStore: {type(storage)}")
    return storage
