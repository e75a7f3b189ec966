"""The admin works and changes things only through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.media.models import Job, MediaFile

TEXT = b"A few plain words.\n"


@pytest.fixture
def client(staff: Any) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    made = upload(TEXT, "notes.txt", tags=["x"])
    run_jobs()
    return made


@pytest.mark.parametrize("model", ["mediafile", "job", "upload", "tombstone", "quota", "tag"])
def test_every_list_opens(client: Client, media: MediaFile, model: str) -> None:
    media.delete() if model == "tombstone" else None
    answer = client.get(reverse(f"admin:media_{model}_changelist"))
    assert answer.status_code == 200


def test_the_list_shows_a_preview_and_filters(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_changelist")
    assert b"icons/text" in client.get(url).content
    assert b"notes.txt" in client.get(url, {"q": "notes"}).content
    assert b"notes.txt" not in client.get(url, {"status__exact": "failed"}).content


def test_a_change_goes_through_the_service(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_change", args=[media.pk])
    form = {"title": "New", "caption": "", "alt_text": "", "visibility": "public"}
    inlines = {
        f"{prefix}-{part}_FORMS": "0"
        for prefix in ("versions", "renditions", "jobs")
        for part in ("TOTAL", "INITIAL")
    }
    answer = client.post(url, {**form, **inlines, "expires_at_0": "", "expires_at_1": ""})
    assert answer.status_code == 302, answer.content
    media.refresh_from_db()
    assert (media.title, media.visibility) == ("New", "public")
    assert "new" in media.search_text


@pytest.mark.parametrize("action", ["trash", "reprocess", "delete_permanently"])
def test_actions(client: Client, media: MediaFile, action: str) -> None:
    url = reverse("admin:media_mediafile_changelist")
    answer = client.post(url, {"action": action, "_selected_action": [str(media.pk)]}, follow=True)
    assert b"1 done." in answer.content
    found = MediaFile.objects.filter(pk=media.pk).first()
    if action == "trash":
        assert found is not None
        assert found.deleted_at
    elif action == "reprocess":
        assert Job.objects.filter(media=media, state="queued").exists()
    else:
        assert found is None


def test_a_failing_action_is_told_and_the_rest_goes_on(client: Client, media: MediaFile) -> None:
    url = reverse("admin:media_mediafile_changelist")
    answer = client.post(
        url, {"action": "restore", "_selected_action": [str(media.pk)]}, follow=True
    )
    assert b"not in the trash" in answer.content
    assert b"0 done." in answer.content
