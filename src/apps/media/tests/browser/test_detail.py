"""The page of one file: along the list, into the picture, its edits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.media.models import MediaFile

At = Callable[[str], str]
Make = Callable[..., MediaFile]


def test_arrows_lead_along_the_list_somebody_comes_from(
    site: Page, at: At, ready_photo: Make
) -> None:
    a, _other, c = (
        ready_photo(f"{name}.jpg", tags=tags)
        for name, tags in (("a", ["kept"]), ("b", []), ("c", ["kept"]))
    )
    site.goto(at("/library/?tag=kept"))
    site.get_by_role("link", name="c.jpg").click()
    expect(site).to_have_url(at(f"/library/{c.pk}/?tag=kept"))
    # What is fetched ahead is what the next page shows.
    expect(site.locator("[rel=next]")).to_have_attribute(
        "data-srcset", re.compile(f"{a.pk}/r/w640")
    )
    site.keyboard.press("ArrowRight")
    expect(site).to_have_url(at(f"/library/{a.pk}/?tag=kept"))
    expect(site.get_by_role("heading", level=1)).to_have_text("a.jpg")
    expect(site.locator("[rel=next]")).to_have_count(0)
    site.get_by_label("Title").press("ArrowLeft")  # who writes moves in the text
    site.get_by_label("Title").blur()
    site.keyboard.press("ArrowLeft")
    expect(site).to_have_url(at(f"/library/{c.pk}/?tag=kept"))
    site.locator(".detail__back").click()
    expect(site).to_have_url(at("/library/?tag=kept"))


@pytest.fixture
def phone(browser: Browser, context: BrowserContext, site: Page) -> Iterator[Page]:
    """The owner's telephone."""
    held = browser.new_context(
        storage_state=context.storage_state(),
        viewport={"width": 390, "height": 780},
        has_touch=True,
        is_mobile=True,
    )
    yield held.new_page()
    held.close()


def swipe(page: Page, selector: str, across: int) -> None:
    box = page.locator(selector).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2 - across / 2, box["y"] + box["height"] / 2
    line = page.context.new_cdp_session(page)
    steps = [(x + across * part / 4, y) for part in range(5)]
    for kind, points in [("touchStart", steps[:1]), *(("touchMove", [one]) for one in steps)]:
        told = [{"x": left, "y": top} for left, top in points]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})
    line.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_pulls_the_next_file_in(phone: Page, at: At, ready_photo: Make) -> None:
    older, newer = ready_photo("older.jpg"), ready_photo("newer.jpg")
    phone.goto(at(newer.get_absolute_url()))
    expect(phone.locator(".preview img")).to_be_visible()
    swipe(phone, ".preview img", -160)
    expect(phone).to_have_url(at(older.get_absolute_url()))
    swipe(phone, ".preview img", 160)
    expect(phone).to_have_url(at(newer.get_absolute_url()))
