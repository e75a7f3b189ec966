"""What host projects test with: it makes what uploading makes, and finds what is left over."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from apps.core.storage import ObjectStore, new_key
from apps.media import services
from apps.media.models import Job, MediaFile
from apps.media.storage import current_alias, store_of
from apps.media.testing import PIXEL, assert_no_orphans, make_media, own_storage


def test_a_file_is_ready_and_served(owner: Any, browser_of: Any) -> None:
    media = make_media(owner=owner, title="A pixel")
    assert not Job.objects.exists()
    client = browser_of(owner)
    for place in ("original", "r/thumb.webp"):
        answer = client.get(f"/media/{media.pk}/{place}")
        assert answer.status_code == 200
        assert b"".join(answer) == PIXEL
    assert "A pixel" in client.get("/library/").content.decode()


def test_a_file_leaves_nothing(owner: Any, own_storage: ObjectStore) -> None:
    media = make_media(owner=owner)
    assert_no_orphans()
    services.delete_media(user=owner, media=media, permanent=True)
    assert_no_orphans()
    assert list(own_storage.walk()) == []


def test_an_orphan_is_found(owner: Any, own_storage: ObjectStore) -> None:
    key = new_key("original")
    with own_storage.writer(key) as writer:
        writer.write(b"x")
    with pytest.raises(AssertionError, match=key):
        assert_no_orphans()


def test_a_lost_object_is_found(owner: Any, own_storage: ObjectStore) -> None:
    media = make_media(owner=owner)
    own_storage.remove(media.current.key)
    with pytest.raises(AssertionError, match="I3"):
        assert_no_orphans()


def test_a_wrong_account_is_found(owner: Any) -> None:
    media = make_media(owner=owner)
    MediaFile.objects.filter(pk=media.pk).update(owner=owner)
    owner.media_quota.bytes_used = 1
    owner.media_quota.save()
    with pytest.raises(AssertionError, match="I5"):
        assert_no_orphans()


def test_a_storage_of_ones_own_is_gone_afterwards(owner: Any) -> None:
    before = store_of(current_alias())
    with own_storage() as store:
        media = make_media(owner=owner)
        assert store.exists(media.current.key)
        folder = Path(store.location)  # type: ignore[attr-defined]
    assert store_of(current_alias()) is not store
    assert list(before.walk()) == []
    del store, media
    gc.collect()
    assert not folder.exists()
