"""What is thrown away in a real browser is gone from the storage: a post, a form, an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.core.storage import ObjectStore
from apps.media import services as media
from apps.media.models import Erasure, MediaFile, Tombstone
from apps.media.tests import samples
from apps.posts.models import Post

At = Callable[[str], str]
PASSWORD = "correct horse battery staple"


def sweep() -> None:
    """Days later: what is unused or deleted goes, and then its objects."""
    MediaFile.objects.exclude(expires_at=None).update(expires_at=timezone.now())
    media.expire_unused(limit=100)
    Tombstone.objects.update(due_at=timezone.now() - timedelta(days=1))
    while media.bury_tombstones():
        pass


def objects(store: ObjectStore) -> set[str]:
    return {item.key for item in store.walk()}


@pytest.fixture
def form(site: Page, at: At, tmp_path: Path) -> Page:
    """The form of a post with a photograph that has been uploaded."""
    (tmp_path / "hill.jpg").write_bytes(samples.photo_jpeg(320, 240))
    site.goto(at("/posts/new/"))
    with site.expect_file_chooser() as chooser:
        site.get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files(tmp_path / "hill.jpg")
    expect(site.get_by_text("hill.jpg uploaded.")).to_be_attached()
    return site


@pytest.fixture
def posted(form: Page, run_jobs: Callable[[], int]) -> Page:
    """The page of a post with a photograph."""
    form.get_by_label("What would you like to tell?").fill("A walk")
    form.get_by_role("button", name="Post", exact=True).click()
    expect(form.get_by_text("Posted.")).to_be_visible()
    run_jobs()
    return form


def test_a_form_is_abandoned(form: Page, at: At, own_storage: ObjectStore) -> None:
    assert objects(own_storage)
    form.goto(at("/posts/"))
    sweep()
    assert not MediaFile.objects.exists()
    assert objects(own_storage) == set()


def test_a_post_is_deleted(posted: Page, at: At, own_storage: ObjectStore) -> None:
    sweep()
    assert len(objects(own_storage)) > 1  # used: it stays
    posted.goto(at(Post.objects.get().get_absolute_url()))
    posted.get_by_role("button", name="Delete").click()
    posted.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(posted.get_by_text("deleted")).to_be_visible()
    sweep()
    assert not MediaFile.objects.exists()
    assert objects(own_storage) == set()


def test_an_account_is_erased(posted: Page, at: At, own_storage: ObjectStore, owner: Any) -> None:
    before = objects(own_storage)
    posted.goto(at("/settings/profile/"))
    posted.get_by_role("link", name="Delete your account").click()
    posted.get_by_label("Password").fill(PASSWORD)
    posted.get_by_role("button", name="Delete for good").click()
    expect(posted.get_by_text("Your account and all that was in it is deleted.")).to_be_visible()
    receipt = media.run_erasure(erasure_id=Erasure.objects.get().pk)
    assert receipt["removed"]["users.user"] == receipt["removed"]["posts.post"] == 1
    assert receipt["storages"]["media"]["objects"] == len(before)
    sweep()
    assert objects(own_storage) == set()
    assert media.receipt_of(Erasure.objects.get())["storages"]["media"]["pending"] == 0
