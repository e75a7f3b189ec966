"""Where bytes live: one small interface over local disks and S3-compatible servers.

Callers ask a store for its capabilities and never for its type. Nothing in here knows what the
objects mean, and nothing builds a key from what a client sent.
"""

from apps.core.storage.aliases import object_store
from apps.core.storage.base import (
    Capability,
    ObjectStore,
    PresigningStore,
    StoredObject,
    Writer,
)
from apps.core.storage.growing import (
    Appender,
    AppendingStore,
    DirectStore,
    PartRules,
    SignedPart,
    State,
    StoredPart,
    Unfinished,
    UnfinishedStore,
)
from apps.core.storage.keys import check_key, new_key
from apps.core.storage.urls import alias_of, storage_from_url

__all__ = [
    "Appender",
    "AppendingStore",
    "Capability",
    "DirectStore",
    "ObjectStore",
    "PartRules",
    "PresigningStore",
    "SignedPart",
    "State",
    "StoredObject",
    "StoredPart",
    "Unfinished",
    "UnfinishedStore",
    "Writer",
    "alias_of",
    "check_key",
    "new_key",
    "object_store",
    "storage_from_url",
]
