"""What people show of themselves, chosen in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests.browser.test_accessibility import DESK, NARROWEST, violations
from apps.users import services

At = Callable[[str], str]


def test_a_picture_is_cropped_and_stands_in_the_navigation(
    site: Page, at: At, owner: Any, two_files: list[Path], run_jobs: Callable[[], int]
) -> None:
    site.goto(at("/settings/profile/"))
    with site.expect_file_chooser() as chooser:
        picture = site.get_by_role("group", name="Picture")
        picture.get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files(two_files[0])
    dialog = site.get_by_role("dialog", name="Crop first.jpg")
    dialog.get_by_label("Size").press("Home")
    dialog.get_by_label("From left to right").press("Home")
    dialog.get_by_role("button", name="Use this part").click()
    expect(picture.locator("canvas")).to_be_visible()
    site.get_by_role("button", name="Save changes").click()
    expect(site.get_by_text("Changes saved.")).to_be_visible()
    owner.refresh_from_db()
    assert owner.avatar_crop.left == 0
    assert owner.avatar_crop.width < 0.5

    run_jobs()
    site.reload()
    face = site.get_by_role("banner").locator("img.face__picture")
    assert f"square@{owner.avatar_crop}.webp" in str(face.get_attribute("src"))
    site.wait_for_function(
        "() => document.querySelector('.topbar .face__picture').naturalWidth > 0"
    )


def test_the_page_and_its_form_are_accessible(
    site: Page, at: At, owner: Any, ready_photo: Callable[..., MediaFile], run_jobs: Any
) -> None:
    item = AttachmentItem(ready_photo())
    services.update_profile(user=owner, about="Words", avatar=item, cover=item)
    run_jobs()
    for size in (NARROWEST, DESK):
        site.set_viewport_size(size)  # type: ignore[arg-type]
        for path in ("/users/olga/", "/settings/profile/", "/settings/security/"):
            site.goto(at(path))
            assert violations(site) == [], path
            width = site.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], path
