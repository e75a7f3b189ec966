"""What the tests of the media app share: signals heard, and the promise that nothing happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.storage import ObjectStore
from apps.media import services, signals
from apps.media.models import Job, MediaFile, MediaVersion, Quota, Tombstone, Upload


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The outgoing signals sent during the test, as (name, arguments)."""
    calls: list[tuple[str, dict[str, Any]]] = []
    names = ("media_ready", "media_rejected", "media_not_remade", "media_deleted")
    listeners = []
    for name in names:

        def listen(sender: Any, name: str = name, **kwargs: Any) -> None:
            calls.append((name, kwargs))

        getattr(signals, name).connect(listen, weak=False)
        listeners.append((name, listen))
    yield calls
    for name, listen in listeners:
        getattr(signals, name).disconnect(listen)


@pytest.fixture
def nothing_happened(db: None, own_storage: ObjectStore, heard: list[Any]) -> Callable[[], None]:
    """Assert that a refusal left no row, object, job, reservation or signal behind."""

    def check() -> None:
        # Objects that could not be removed at once are the tombstones' business.
        Tombstone.objects.update(due_at="2000-01-01T00:00:00Z")
        services.bury_tombstones()
        assert not MediaFile.objects.exists()
        assert not MediaVersion.objects.exists()
        assert not Upload.objects.exists()
        assert not Job.objects.exists()
        assert not Tombstone.objects.exists()
        assert not Quota.objects.exclude(bytes_reserved=0, bytes_used=0, files_used=0).exists()
        assert list(own_storage.walk()) == []
        assert heard == []

    return check
