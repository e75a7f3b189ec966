"""The stores that every storage contract runs against."""

from __future__ import annotations

import pytest

from apps.core.storage import ObjectStore
from apps.core.tests.storages import local_store, s3_bucket, s3_server, s3_store

__all__ = ["local_store", "s3_bucket", "s3_server", "s3_store", "store"]


@pytest.fixture(params=["local_store", "s3_store"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    found: ObjectStore = request.getfixturevalue(request.param)
    return found
