"""A post written in a real browser: files chosen, put in order, described, and seen by others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests import recordings, samples
from apps.media.tests.browser.test_accessibility import DESK, NARROWEST, violations
from apps.posts import services
from apps.posts.models import PostMedia

At = Callable[[str], str]


@pytest.fixture
def three_files(tmp_path: Path) -> list[Path]:
    made = {
        "hill.jpg": samples.photo_jpeg(320, 240),
        "lake.jpg": samples.photo_jpeg(240, 320),
        "walk.mp4": recordings.film(size=(160, 120), rate="15", seconds=2),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in made]


def test_two_photos_and_a_film(
    site: Page, at: At, three_files: list[Path], run_jobs: Callable[[], int]
) -> None:
    site.goto(at("/posts/new/"))
    site.get_by_label("What would you like to tell?").fill("A walk")
    with site.expect_file_chooser() as chooser:
        site.get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files(three_files)
    for name, words in (("hill.jpg", "a hill"), ("lake.jpg", "a lake"), ("walk.mp4", "we walk")):
        site.get_by_label(f"Alternative text for {name}").fill(words)
    site.get_by_label("Caption for lake.jpg").fill("Cold water")
    site.get_by_role("button", name="Move hill.jpg", exact=True).press("ArrowRight")
    site.get_by_label("Who sees it").select_option("public")
    site.get_by_role("button", name="Post", exact=True).click()
    expect(site.get_by_text("Posted.")).to_be_visible()
    rows = PostMedia.objects.order_by("position").values_list("media__original_name", "alt_text")
    assert list(rows) == [("lake.jpg", "a lake"), ("hill.jpg", "a hill"), ("walk.mp4", "we walk")]

    run_jobs()
    site.reload()
    shown = site.get_by_role("article", name="olga")
    described = shown.get_by_role("listitem").get_by_role("img").all()
    assert [one.get_attribute("alt") for one in described] == ["a lake", "a hill"]
    expect(shown.get_by_text("Cold water")).to_be_visible()
    shown.get_by_role("button", name="Play we walk").click()
    site.wait_for_function("() => document.querySelector('.post video').currentTime > 0.3")


def test_the_form_and_the_feed_are_accessible(
    site: Page, at: At, owner: Any, ready_photo: Callable[..., MediaFile]
) -> None:
    items = [AttachmentItem(ready_photo("a.jpg"), caption="One"), AttachmentItem(ready_photo())]
    post = services.create_post(author=owner, text="Words", attachments=items)
    for size in (NARROWEST, DESK):
        site.set_viewport_size(size)  # type: ignore[arg-type]
        for path in (f"/posts/{post.pk}/edit/", "/posts/", post.get_absolute_url()):
            site.goto(at(path))
            assert violations(site) == [], path
            width = site.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], path
