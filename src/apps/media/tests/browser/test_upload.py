"""Uploading as somebody does it: many files at once, with script and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.media.models import MediaFile
from apps.media.tests import samples

At = Callable[[str], str]


def test_files_by_the_dashboard(
    site: Page, at: At, two_files: list[Path], run_jobs: Callable[[], int]
) -> None:
    site.goto(at("/library/upload/"))
    site.get_by_label("Tags for all files").fill('holiday, "sea, salt"')
    site.locator(".uppy-Dashboard-input").first.set_input_files(two_files)
    site.get_by_role("button", name="Upload 2 files").click()
    expect(site.locator("[data-upload-status]")).to_have_text("2 uploaded.")
    expect(site.locator("#uploaded .card")).to_have_count(2)
    assert run_jobs() >= 2
    expect(site.locator("#uploaded img[src*='/r/']")).to_have_count(2)
    names = {media.original_name for media in MediaFile.objects.all()}
    assert names == {"first.jpg", "second.png"}
    tags = MediaFile.objects.earliest("pk").tags.values_list("name", flat=True)
    assert set(tags) == {"holiday", "sea, salt"}


def test_a_refusal_is_shown_with_its_reason_and_does_not_stop_the_other(
    site: Page, at: At, two_files: list[Path], complaints: list[str]
) -> None:
    two_files[1].write_bytes(samples.html_as_jpeg())
    bad = two_files[1].rename(two_files[1].with_name("page.jpg"))
    site.goto(at("/library/upload/"))
    site.locator(".uppy-Dashboard-input").first.set_input_files([two_files[0], bad])
    site.get_by_role("button", name="Upload 2 files").click()
    expect(site.locator("[data-upload-status]")).to_have_text("1 uploaded, 1 not.")
    refused = site.get_by_role("list", name="Not uploaded").get_by_role("listitem")
    expect(refused).to_contain_text("The content of the file is not what its name says.")
    assert MediaFile.objects.get().original_name == "first.jpg"
    assert all("422" in line or "[Uppy]" in line for line in complaints), complaints
    complaints.clear()


@pytest.fixture
def plain(browser: Browser, sign_in: Callable[[Any], None], context: Any, owner: Any) -> Any:
    """A page in a browser that runs no script."""
    sign_in(owner)
    bare = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    yield bare.new_page()
    bare.close()


def test_the_plain_form_judges_each_file_alone(plain: Page, at: At, two_files: list[Path]) -> None:
    two_files[1].write_bytes(samples.html_as_jpeg())
    bad = two_files[1].rename(two_files[1].with_name("page.jpg"))
    plain.goto(at("/library/upload/"))
    plain.get_by_label("Files", exact=True).set_input_files([two_files[0], bad])
    plain.get_by_role("button", name="Upload").click()
    outcomes = plain.locator(".outcome")
    expect(outcomes).to_have_count(2)
    expect(outcomes.nth(0)).to_contain_text("first.jpg")
    expect(outcomes.nth(0).get_by_role("link", name="Uploaded")).to_be_visible()
    expect(outcomes.nth(1)).to_contain_text("Not uploaded:")
    assert MediaFile.objects.count() == 1
