"""The page of one file: along the list, into the picture, its edits."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.media.models import MediaFile
from apps.media.tests import samples

At = Callable[[str], str]
Make = Callable[..., MediaFile]
Run = Callable[[], int]


@pytest.fixture
def made(live_server: Any, upload: Make, run_jobs: Run) -> Make:
    """A processed file of the owner."""

    def make(data: bytes, name: str, **fields: Any) -> MediaFile:
        media = upload(data, name, **fields)
        run_jobs()
        media.refresh_from_db()
        return media

    return make


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
    expect(site.locator("media-beside:defined")).to_be_attached()  # the script has come
    site.keyboard.press("ArrowRight")
    expect(site).to_have_url(at(f"/library/{a.pk}/?tag=kept"))
    expect(site.get_by_role("heading", level=1)).to_have_text("a.jpg")
    expect(site.locator("[rel=next]")).to_have_count(0)
    site.get_by_label("Title", exact=True).press("ArrowLeft")  # who writes moves in the text
    site.get_by_label("Title", exact=True).blur()
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


def until(page: Page, condition: Callable[[], bool], *, tries: int = 200) -> None:
    """What the browser cannot wait for by itself."""
    for _ in range(tries):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to that")


def _left(page: Page) -> float:
    box = page.locator(".zoom img").bounding_box()
    assert box
    return box["x"]


def _scale(page: Page) -> float:
    sheet = page.locator(".zoom__sheet")
    return float(sheet.evaluate("sheet => new DOMMatrix(getComputedStyle(sheet).transform).a"))


def test_somebody_looks_into_a_picture(site: Page, at: At, made: Make, run_jobs: Run) -> None:
    file = io.BytesIO()
    samples.corners(2700, 1800).save(file, "JPEG")
    media = made(file.getvalue(), "wide.jpg")
    made(samples.photo_jpeg(64, 64), "newer.jpg")
    answered: list[str] = []
    site.on("response", lambda answer: answered.append(answer.url))
    site.goto(at(media.get_absolute_url()))
    view, scale = site.locator(".zoom__view"), site.locator("[data-part=scale]")
    site.get_by_role("button", name="Zoom in").click()
    expect(scale).to_have_text("150 %")
    site.get_by_role("button", name="Show the whole picture").click()
    expect(scale).to_have_text("100 %")
    view.dblclick()
    expect(scale).to_have_text("250 %")
    box = view.bounding_box()
    assert box
    site.mouse.move(box["x"] + 400, box["y"] + 300)
    site.mouse.down()
    site.mouse.move(box["x"] + 9000, box["y"] + 300, steps=3)  # no further than its edge
    site.mouse.up()
    until(site, lambda: round(_left(site)) == 0)
    site.keyboard.press("ArrowRight")  # moves the picture, and not along the list
    until(site, lambda: _left(site) < -10)
    expect(site).to_have_url(at(media.get_absolute_url()))
    site.keyboard.press("0")
    expect(scale).to_have_text("100 %")
    assert not any("w2560" in url for url in answered)  # only for those who look closer
    site.mouse.move(box["x"] + 400, box["y"] + 300)
    for _ in range(3):
        site.mouse.wheel(0, -100)
    expect(scale).not_to_have_text("100 %")
    site.keyboard.press("+")
    site.keyboard.press("+")
    until(site, lambda: any("w2560" in url for url in answered))
    run_jobs()
    expect(site.locator(".zoom img")).to_have_attribute("src", re.compile("^blob:"))


def test_two_fingers_spread_a_picture(phone: Page, at: At, ready_photo: Make) -> None:
    media = ready_photo("lake.jpg")
    ready_photo("newer.jpg")
    phone.goto(at(media.get_absolute_url()))
    box = phone.locator(".zoom__view").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    line = phone.context.new_cdp_session(phone)
    for kind, apart in (("touchStart", 40), ("touchMove", 80), ("touchMove", 140), ("touchEnd", 0)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        told = points if apart else []
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})
    expect(phone.locator("picture-zoom.is-zoomed")).to_be_visible()
    assert _scale(phone) > 1.2
    swipe(phone, ".zoom__view", -160)  # moves the picture
    expect(phone).to_have_url(at(media.get_absolute_url()))


def test_a_picture_is_turned_cut_and_pointed_at(
    site: Page, at: At, made: Make, run_jobs: Run
) -> None:
    media = made(samples.oriented_jpeg(6), "corners.jpg")
    site.goto(at(f"{media.get_absolute_url()}?ordering=size"))
    site.get_by_role("button", name="Turn right").click()
    expect(site.get_by_text("A new version is being made.")).to_be_visible()
    expect(site.get_by_role("button", name="Turn right")).to_be_disabled()
    run_jobs()
    expect(site.locator(".preview img")).to_have_attribute("height", "640")  # by itself
    expect(site.get_by_text("edited from version 1, without loss")).to_be_visible()
    expect(site.locator("#detail-measures")).to_contain_text("480 × 640")

    site.get_by_role("button", name="Crop").click()
    dialog = site.get_by_role("dialog")
    dialog.get_by_label("Size").fill("50")
    dialog.get_by_role("button", name="Use this part").click()
    expect(site.get_by_role("button", name="Crop")).to_be_disabled()
    run_jobs()
    expect(site.locator("#detail-measures")).to_contain_text("240 × 320")
    media.refresh_from_db()
    assert (media.version, media.width, media.height) == (3, 240, 320)
    expect(site.get_by_role("link", name="Version 1")).to_be_visible()

    site.get_by_text("Point to keep in view").click()
    picture = site.locator(".focal img")
    box = picture.bounding_box()
    assert box
    assert site.locator(".focal__mark").bounding_box() == box
    picture.click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    expect(site.get_by_label("From left to right")).to_have_value(re.compile(r"^2[45]"))
    site.get_by_label("From top to bottom").fill("75")
    site.get_by_role("button", name="Save this point").click()
    expect(site.get_by_text("Changes saved.")).to_be_visible()
    expect(site).to_have_url(at(f"{media.get_absolute_url()}?ordering=size"))
    media.refresh_from_db()
    assert (round(media.focal_x, 2), media.focal_y) == (0.25, 0.75)


def test_the_last_tag_is_completed_from_ones_own(site: Page, at: At, ready_photo: Make) -> None:
    ready_photo("a.jpg", tags=["Harbours", "hat, straw", "beach"])
    media = ready_photo("b.jpg", tags=["beach"])
    site.goto(at(media.get_absolute_url()))
    field = site.get_by_role("combobox", name="Tags")
    options = site.locator("tag-names [role=option]")
    field.press("End")
    field.press_sequentially(", ha")
    expect(options).to_have_text(["Harbours", "hat, straw"])
    field.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", re.compile("-0$"))
    field.press("ArrowDown")
    field.press("Enter")  # chooses, and sends nothing
    expect(field).to_have_value('beach, "hat, straw", ')
    field.press_sequentially("ha")
    expect(options).to_have_text(["Harbours"])  # the other is there
    options.click()
    expect(field).to_have_value('beach, "hat, straw", Harbours, ')
    field.press_sequentially("ha")
    expect(options).to_have_count(0)
    field.fill('beach, "hat, straw", ')
    field.press("Enter")
    expect(site.get_by_text("Changes saved.")).to_be_visible()
    assert {tag.name for tag in media.tags.all()} == {"beach", "hat, straw"}
