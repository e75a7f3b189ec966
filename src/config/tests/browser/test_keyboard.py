"""Without a mouse: from an upload to the trash, by nothing but keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from apps.media.models import MediaFile
from apps.media.tests import samples

STEPS = 90  # more than any page has
HAS_FOCUS = "element => element === document.activeElement"


def _tab_to(page: Page, target: Locator) -> None:
    expect(target).to_be_visible()
    for _ in range(STEPS):
        if target.evaluate(HAS_FOCUS):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no number of Tabs leads to {target}")


def _press(page: Page, target: Locator) -> None:
    _tab_to(page, target)
    page.keyboard.press("Enter")


def test_upload_edit_share_delete(site: Page, at: Callable[[str], str], tmp_path: Path) -> None:
    photo = tmp_path / "keys.jpg"
    photo.write_bytes(samples.photo_jpeg(640, 480))
    site.goto(at("/library/upload/"))
    with site.expect_file_chooser() as chooser:
        _press(site, site.get_by_role("button", name="Choose files"))
    chooser.value.set_files(photo)
    _press(site, site.locator("#uploaded .card__link"))

    _tab_to(site, site.get_by_label("Alternative text"))
    site.keyboard.type("Keys on a table")
    _press(site, site.get_by_role("button", name="Save changes"))
    expect(site.get_by_text("saved")).to_be_visible()
    media = MediaFile.objects.get()
    assert media.alt_text == "Keys on a table"

    _press(site, site.locator("summary", has_text="Make a link"))
    _press(site, site.get_by_role("button", name="Make link"))
    expect(site.get_by_label("Link", exact=True)).to_be_visible()
    assert media.share_links.count() == 1

    _press(site, site.get_by_role("button", name="Delete", exact=True))
    expect(site.get_by_role("button", name="Move to trash")).to_be_focused()
    site.keyboard.press("Enter")
    expect(site.get_by_text("is in the trash")).to_be_visible()
    _press(site, site.get_by_role("button", name="Undo"))
    expect(site.get_by_text("is back in your library")).to_be_visible()
