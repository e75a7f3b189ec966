"""Whole uploads whose client never came back: the sweep finishes them, whatever others do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.errors import StorageUnavailableError
from apps.media import services
from apps.media.exceptions import NotVisibleError
from apps.media.models import MediaFile, Upload
from apps.media.services import resumable
from apps.media.tests.views.tus_client import TEXT, TusClient

LIMIT = 2


@pytest.fixture
def tus(api: APIClient) -> TusClient:
    return TusClient(api)


def leave_whole(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """As after a crash behind the last byte."""
    with monkeypatch.context() as patch:
        patch.setattr(services, "finish_upload", lambda *, upload: None)
        tus.patch(tus.create(), TEXT)
    return Upload.objects.latest("pk")


def wait_an_hour() -> None:
    for upload in Upload.objects.all():
        earlier = upload.updated_at - timedelta(hours=1)
        Upload.objects.filter(pk=upload.pk).update(updated_at=earlier)


def test_empty_ones_stand_in_nobodys_way(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(LIMIT + 1):
        tus.create(length=0)
    leave_whole(tus, monkeypatch)
    wait_an_hour()
    assert services.finish_whole_uploads(limit=LIMIT) == 1
    assert MediaFile.objects.get().size == len(TEXT)


def test_a_file_that_is_deleted_at_once_is_gone(
    tus: TusClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = leave_whole(tus, monkeypatch)
    finalize = resumable.finalize_upload

    def finalize_and_delete(*, upload: Upload) -> MediaFile:
        media = finalize(upload=upload)
        services.delete_media(user=media.owner, media=media, permanent=True)
        return media

    monkeypatch.setattr(resumable, "finalize_upload", finalize_and_delete)
    with pytest.raises(NotVisibleError):
        services.finish_upload(upload=whole)
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    "error", [StorageUnavailableError("away"), RuntimeError("a fault of ours")]
)
def test_one_that_fails_goes_behind_the_others(
    tus: TusClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing = {leave_whole(tus, monkeypatch).pk for _ in range(LIMIT)}
    good = leave_whole(tus, monkeypatch)
    finalize = resumable.finalize_upload

    def finalize_some(*, upload: Upload) -> Any:
        if upload.pk in failing:
            raise error
        return finalize(upload=upload)

    monkeypatch.setattr(resumable, "finalize_upload", finalize_some)
    wait_an_hour()
    assert services.finish_whole_uploads(limit=LIMIT) == 0
    assert services.finish_whole_uploads(limit=LIMIT) == 1
    good.refresh_from_db()
    assert good.state == "completed"
    failing.clear()
    assert services.finish_whole_uploads(limit=LIMIT) == 0  # just tried
    wait_an_hour()
    assert services.finish_whole_uploads(limit=LIMIT) == LIMIT
