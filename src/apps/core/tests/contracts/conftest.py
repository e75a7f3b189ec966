"""The stores that every storage contract runs against."""

from __future__ import annotations

import pytest

from apps.core.storage import AppendingStore, Capability, DirectStore, ObjectStore, UnfinishedStore
from apps.core.tests.azurite import azure_server, azure_store
from apps.core.tests.gcs import gcs_credentials, gcs_server, gcs_store
from apps.core.tests.storages import (
    broken_server,
    local_store,
    memory_store,
    s3_bucket,
    s3_server,
    s3_store,
)
from apps.core.tests.swift import swift_server, swift_store

__all__ = [
    "appending_store",
    "azure_server",
    "azure_store",
    "broken_server",
    "direct_store",
    "gcs_credentials",
    "gcs_server",
    "gcs_store",
    "local_store",
    "memory_store",
    "s3_bucket",
    "s3_server",
    "s3_store",
    "store",
    "swift_server",
    "swift_store",
    "unfinished_store",
]

BUCKETS = ["s3_store", pytest.param("swift_store", marks=pytest.mark.swift)]

CLOUDS = [*BUCKETS, "gcs_store", "azure_store"]


@pytest.fixture(params=["local_store", "memory_store", *CLOUDS])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    found: ObjectStore = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def appending_store(store: ObjectStore) -> AppendingStore:
    assert Capability.APPEND in store.capabilities
    assert isinstance(store, AppendingStore)
    return store


@pytest.fixture(params=CLOUDS)
def direct_store(request: pytest.FixtureRequest) -> DirectStore:
    found = request.getfixturevalue(request.param)
    assert Capability.PRESIGNED_PARTS in found.capabilities
    assert isinstance(found, DirectStore)
    return found


@pytest.fixture(params=BUCKETS)
def unfinished_store(request: pytest.FixtureRequest) -> UnfinishedStore:
    found = request.getfixturevalue(request.param)
    assert Capability.UNFINISHED in found.capabilities
    assert isinstance(found, UnfinishedStore)
    return found
