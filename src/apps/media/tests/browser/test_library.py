"""The library as somebody uses it: finding, changing, throwing away, by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from apps.core.ids import first_id
from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import samples
from apps.media.tests.browser.test_accessibility import PHONE, check, violations
from apps.media.views import librarypages

At = Callable[[str], str]
Make = Callable[..., MediaFile]
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const {hadRecentInput, value} of list.getEntries()) if (!hadRecentInput) shift += value;
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def shelf(photos: Callable[[int], list[MediaFile]]) -> Callable[[int], list[MediaFile]]:
    """Files of every month of 2023 and 2024, of many shapes."""

    def make(count: int) -> list[MediaFile]:
        rows = photos(count)
        MediaFile.objects.all().delete()
        for number, media in enumerate(rows):
            month = number * 24 // count
            moment = datetime(2023 + month // 12, 1 + month % 12, 2, tzinfo=UTC)
            media.pk = UUID(int=first_id(moment).int + number)
            media.width = 300 + number * 97 % 500
        return MediaFile.objects.bulk_create(rows)

    return make


def _named(site: Page, name: str) -> Locator:
    return site.locator(".card__link").filter(has_text=name)


def _sizes(site: Page) -> dict[str, int]:
    return {"width": site.evaluate("document.documentElement.scrollWidth")}


def test_search_and_kind_narrow_the_list_without_leaving_the_page(
    site: Page, at: At, ready_photo: Make, upload: Make, run_jobs: Any
) -> None:
    ready_photo("beach.jpg")
    upload(b"plain words", "notes.txt")
    run_jobs()
    site.goto(at("/library/"))
    expect(site.locator(".card")).to_have_count(2)

    site.get_by_label("Search").fill("beach")
    expect(site.locator(".card")).to_have_count(1)
    expect(site).to_have_url(at("/library/?q=beach&ordering=-created_at"))
    expect(site.locator("#count")).to_contain_text("1 file shown")

    site.get_by_label("Search").fill("")
    site.get_by_label("Documents").check()
    expect(site.locator(".card")).to_have_text(["notes.txt"])

    site.get_by_label("Search").fill("beach")
    expect(site.get_by_role("heading", name="Nothing matches")).to_be_visible()
    site.get_by_role("link", name="Clear the filters").click()
    expect(site.locator(".card")).to_have_count(2)


def test_any_part_of_a_long_list_is_near(
    site: Page,
    at: At,
    shelf: Callable[[int], list[MediaFile]],
) -> None:
    """A few hundred files of two years: of all of them, only what is near the window is there."""
    shelf(400)
    site.set_viewport_size({"width": 900, "height": 600})
    site.goto(at("/library/"))
    scale = site.get_by_role("slider", name="Date")
    expect(scale).to_have_attribute("aria-valuetext", "December 2024")
    expect(site.locator(".card").first).to_have_attribute("aria-setsize", "400")
    expect(site.locator(".card").first).to_contain_text("399.jpg")
    assert site.locator(".card").count() < 120
    assert _sizes(site) == {"width": 900}  # nothing sticks out

    scale.press("End")
    expect(scale).to_have_attribute("aria-valuetext", "January 2023")
    expect(site.get_by_role("heading", name="January 2023")).to_be_in_viewport()
    expect(_named(site, "000.jpg")).to_be_visible()
    scale.press("PageUp")
    expect(scale).to_have_attribute("aria-valuetext", "December 2024")

    _named(site, "399.jpg").focus()
    site.keyboard.press("End")
    expect(_named(site, "000.jpg")).to_be_focused()
    site.keyboard.press("ArrowLeft")
    expect(_named(site, "001.jpg")).to_be_focused()
    site.keyboard.press("ArrowUp")
    site.keyboard.press("ArrowDown")
    site.keyboard.press("Home")
    expect(_named(site, "399.jpg")).to_be_focused()

    scale.press("End")
    expect(_named(site, "000.jpg")).to_be_visible()
    site.get_by_label("Photos").check(force=True)
    expect(site).to_have_url(re.compile("media_type=image"))
    expect(_named(site, "399.jpg")).to_be_in_viewport()  # what is found is seen from its beginning


# As if no element could be higher; the style is there before the list measures itself.
LOW = """
document.addEventListener("readystatechange", () => {
  document.documentElement.style.setProperty("--tallest", "6000px");
}, {once: true});
"""
IN_WINDOW = """() => [...document.querySelectorAll("#grid .card")].filter((card) => {
  const {top, bottom} = card.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}).map((card) => Number(card.getAttribute("aria-posinset")))"""


def test_a_list_higher_than_an_element_can_be_is_seen_whole(
    site: Page, at: At, shelf: Callable[[int], list[MediaFile]]
) -> None:
    """Of a million files the list is some 45 million pixels high, of which browsers draw 17."""
    shelf(400)
    site.add_init_script(LOW)
    site.set_viewport_size({"width": 900, "height": 600})
    site.goto(at("/library/"))
    scale = site.get_by_role("slider", name="Date")
    expect(site.locator(".card").first).to_have_attribute("aria-setsize", "400")
    height = "document.querySelector('#grid').clientHeight"
    assert site.evaluate(height) == 6000
    scale.press("End")
    expect(site.get_by_role("heading", name="January 2023")).to_be_in_viewport()
    site.evaluate("scrollTo(0, 3000)")  # as by the bar of the browser
    expect(scale).to_have_attribute("aria-valuetext", re.compile("(January|December|February) 202"))
    site.evaluate("scrollTo(0, 0)")
    expect(_named(site, "399.jpg")).to_be_in_viewport()

    seen: list[int] = []
    site.mouse.move(400, 300)
    while len(seen) < 400:
        expect(site.locator(".grid__waiting")).to_have_count(0)
        now = site.evaluate(IN_WINDOW)
        fresh = [number for number in now if number > max(seen, default=0)]
        assert fresh == list(range(len(seen) + 1, len(seen) + 1 + len(fresh)))  # none is left out
        seen += fresh
        site.mouse.wheel(0, 300)
    assert site.evaluate(height) == 6000
    expect(_named(site, "000.jpg")).to_be_in_viewport()


def test_what_arrives_stands_in_the_month_of_the_site(
    site: Page, at: At, shelf: Callable[[int], list[MediaFile]], settings: Any
) -> None:
    """Whatever the zone of whoever looks: as the outline will say."""
    settings.TIME_ZONE = "Asia/Tokyo"
    media = shelf(3)[2]
    MediaFile.objects.filter(pk=media.pk).delete()
    site.goto(at("/library/"))
    expect(site.locator(".grid__month")).to_have_text(["September 2023", "January 2023"])
    media.pk = first_id(datetime(2024, 10, 31, 22, tzinfo=UTC))
    media.save(force_insert=True)
    add = "path => document.querySelector('media-grid').add(path)"
    site.evaluate(add, media.get_absolute_url())
    months = ["November 2024", "September 2023", "January 2023"]
    expect(site.locator(".grid__month")).to_have_text(months)
    site.reload()
    expect(site.locator(".grid__month")).to_have_text(months)


def test_going_back_and_reloading_come_back_to_the_place(
    site: Page, at: At, shelf: Callable[[int], list[MediaFile]]
) -> None:
    shelf(300)
    site.goto(at("/library/"))
    scale = site.get_by_role("slider", name="Date")
    scale.press("End")
    card = _named(site, "020.jpg")
    card.scroll_into_view_if_needed()
    expect(card).to_be_in_viewport()
    site.get_by_role("link", name="Trash").click()
    expect(site.get_by_role("heading", name="The trash is empty")).to_be_visible()
    site.go_back()
    expect(_named(site, "020.jpg")).to_be_in_viewport()
    site.reload()
    expect(_named(site, "020.jpg")).to_be_in_viewport()


def test_nothing_jumps_while_a_list_is_scrolled(
    site: Page, at: At, shelf: Callable[[int], list[MediaFile]]
) -> None:
    shelf(300)
    site.add_init_script(SHIFTS)
    site.goto(at("/library/"))
    expect(site.get_by_role("slider", name="Date")).to_be_attached()
    for width in (1280, PHONE["width"]):
        site.set_viewport_size({"width": width, "height": 800})
        site.evaluate("window.shift = 0")
        for _ in range(8):
            site.mouse.wheel(0, 500)
            expect(site.locator(".grid__waiting")).to_have_count(0)
        site.evaluate("scrollTo(0, 9000)")
        expect(site.locator(".grid__waiting")).to_have_count(0)
        assert site.evaluate("window.shift") < 0.002


def test_a_list_that_cannot_go_on_says_so_and_tries_again(
    site: Page, at: At, shelf: Callable[[int], list[MediaFile]], complaints: list[str]
) -> None:
    shelf(200)
    site.route("**/library/cards/**", lambda route: route.fulfill(status=503, body=""))
    site.goto(at("/library/"))
    site.get_by_role("slider", name="Date").press("End")
    expect(site.get_by_role("alert")).to_have_text("The next files could not be loaded.")
    site.unroute("**/library/cards/**")
    site.get_by_role("button", name="Try again").click()
    expect(_named(site, "000.jpg")).to_be_visible()
    expect(site.get_by_role("alert")).to_have_count(0)
    assert all("503" in line for line in complaints)
    complaints.clear()


def test_filters_are_chips_that_go_at_a_press(
    site: Page, at: At, shelf: Callable[[int], list[MediaFile]]
) -> None:
    MediaFile.objects.filter(pk=shelf(3)[1].pk).update(swatch="teal", size=2_000_000)
    site.goto(at("/library/"))
    site.get_by_text("Filters", exact=True).click()
    site.get_by_label("Teal").check(force=True)
    expect(site.locator(".card")).to_have_count(1)
    site.get_by_label("Smallest size").select_option("1 MB or more")
    expect(site).to_have_url(re.compile("size_min=1000000.*color=teal"))
    site.get_by_label("To", exact=True).fill("2022-12-31")
    expect(site.get_by_role("heading", name="Nothing matches")).to_be_visible()
    site.get_by_role("link", name="Take off the filter: Until 31 Dec 2022").click()
    expect(site.locator(".card")).to_have_count(1)
    teal = site.get_by_role("link", name="Take off the filter: Teal")
    teal.click()
    expect(teal).to_have_count(0)
    site.get_by_role("link", name="Take off the filter: 1 MB or more").click()
    expect(site.locator(".card")).to_have_count(3)


def test_the_kind_that_is_chosen_is_in_sight_on_a_phone(site: Page, at: At) -> None:
    site.set_viewport_size(PHONE)
    site.goto(at("/library/"))
    assert site.locator(".chips").evaluate("row => row.scrollLeft") == 0
    site.goto(at("/library/?media_type=other"))
    assert site.locator(".chips").evaluate("row => row.scrollLeft") > 0


def test_suggestions_come_while_typing(site: Page, at: At, ready_photo: Make) -> None:
    ready_photo("harbour.jpg", tags=["Harbours"])
    ready_photo("beach.jpg")
    site.goto(at("/library/"))
    search = site.get_by_role("combobox", name="Search")
    search.press_sequentially("har")
    options = site.locator("#suggestions [role=option]")
    expect(options).to_have_count(2)
    desk = site.viewport_size
    site.set_viewport_size(PHONE)
    box = site.locator("#suggestions").bounding_box()
    assert box
    assert box["x"] + box["width"] <= PHONE["width"] < box["width"] * 1.1  # nearly all of it
    assert desk
    site.set_viewport_size(desk)
    search.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    search.press("Escape")
    expect(site.get_by_role("listbox", name="Suggestions")).to_be_hidden()
    expect(search).to_have_value("har")

    search.press_sequentially("b")
    expect(options.first).to_be_visible()
    search.press("ArrowDown")
    search.press("Enter")
    expect(site).to_have_url(re.compile(r"/library/\?(.*&)?tag=Harbours"))
    expect(site.locator(".card")).to_have_text(["harbour.jpg"])
    expect(site.get_by_role("link", name="Take off the filter: Harbours")).to_be_visible()
    expect(search).to_have_value("")

    search.press_sequentially("harb")
    options.filter(has_text="harbour.jpg").click()
    expect(site.get_by_role("heading", level=1)).to_have_text("harbour.jpg")
    site.go_back()
    expect(site.locator(".card")).to_have_text(["harbour.jpg"])


def test_a_card_follows_its_own_processing(
    site: Page, at: At, upload: Make, run_jobs: Callable[[], int], live_server: Any
) -> None:
    media = upload(samples.photo_jpeg(640, 480), "slow.jpg")
    site.goto(at("/library/"))
    card = site.locator(f"#card-{media.pk}")
    expect(card.get_by_role("progressbar")).to_be_attached()
    before = card.bounding_box()
    run_jobs()
    expect(card.locator("img[src*='/r/']")).to_be_visible()
    expect(card.get_by_role("progressbar")).to_have_count(0)
    assert card.bounding_box() == before  # nothing jumped


def test_edit_delete_undo_and_delete_for_good(site: Page, at: At, ready_photo: Make) -> None:
    media = ready_photo("raw.jpg", title="Draft")
    site.goto(at(f"/library/{media.pk}/"))
    site.get_by_role("link", name="Add alternative text").click()
    site.get_by_label("Alternative text").fill("Leaves on a path")
    site.get_by_label("Title", exact=True).fill("Autumn")
    site.get_by_label("Tags").fill("leaves, autumn")
    site.get_by_role("button", name="Save changes").click()
    expect(site.get_by_role("status").first).to_contain_text("Changes saved.")
    expect(site.get_by_role("heading", level=1)).to_have_text("Autumn")
    expect(site.get_by_alt_text("Leaves on a path")).to_be_visible()

    site.get_by_role("button", name="Delete").click()
    site.get_by_role("button", name="Move to trash").click()
    expect(site.get_by_role("heading", name="Your library is empty")).to_be_visible()
    site.get_by_role("button", name="Undo").click()
    expect(site.locator(".card")).to_have_count(1)

    site.locator(".card a").click()
    site.get_by_role("button", name="Delete").click()
    site.get_by_role("button", name="Move to trash").click()
    site.get_by_role("link", name="Trash").click()
    site.get_by_role("button", name="Restore Autumn").click()
    expect(site.get_by_role("heading", name="The trash is empty")).to_be_visible()

    site.goto(at(f"/library/{media.pk}/"))
    site.get_by_role("button", name="Delete").click()
    site.get_by_role("button", name="Move to trash").click()
    site.get_by_role("link", name="Trash").click()
    site.get_by_role("button", name="Delete for good: Autumn").click()
    site.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    expect(site.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert not MediaFile.objects.exists()


def test_by_keyboard_alone(site: Page, at: At, ready_photo: Make) -> None:
    media = ready_photo("keys.jpg")
    site.goto(at("/library/"))
    site.keyboard.press("Tab")
    expect(site.get_by_role("link", name="Skip to content")).to_be_focused()
    site.keyboard.press("Enter")
    card = site.locator(f"#open-{media.pk}")
    for _ in range(12):
        site.keyboard.press("Tab")
        if card.evaluate("element => element === document.activeElement"):
            break
    expect(card).to_be_focused()
    site.keyboard.press("Enter")
    expect(site).to_have_url(at(f"/library/{media.pk}/"))

    site.get_by_role("button", name="Delete").focus()
    site.keyboard.press("Enter")
    expect(site.get_by_role("button", name="Move to trash")).to_be_focused()
    site.keyboard.press("Escape")
    expect(site.get_by_role("dialog")).to_be_hidden()
    expect(site.get_by_role("button", name="Delete")).to_be_focused()


def _selected(site: Page, count: int) -> None:
    """So many cards are ticked, and that is said."""
    expect(site.locator(".card__pick input:checked")).to_have_count(count)
    words = f"{count} selected" if count else ""
    expect(site.locator(".selection [role=status]")).to_have_text(words)


def _middle(site: Page, number: int) -> tuple[float, float]:
    box = site.locator(".card").nth(number).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_many_are_selected_by_shift_and_keys(
    site: Page, at: At, photos: Callable[[int], list[MediaFile]]
) -> None:
    photos(8)
    site.goto(at("/library/"))
    boxes = site.locator(".card__pick input")
    boxes.nth(1).check(force=True)
    boxes.nth(4).click(modifiers=["Shift"], force=True)
    _selected(site, 4)
    site.locator(".card__link").nth(6).click(modifiers=["Shift"])
    _selected(site, 6)
    site.locator(".card__link").nth(0).click()  # selects, as some are
    _selected(site, 7)
    site.keyboard.press("Escape")
    _selected(site, 0)
    site.keyboard.press("Control+a")
    _selected(site, 8)
    site.get_by_label("Search").fill("00")  # what is found stays selected
    expect(site.locator(".card")).to_have_count(8)
    _selected(site, 8)
    site.get_by_role("button", name="Move to trash").click()
    expect(site.locator(".card")).to_have_count(0)
    assert MediaFile.objects.filter(deleted_at=None).count() == 0
    expect(site.get_by_text("8 files moved to the trash.")).to_be_visible()
    site.get_by_role("button", name="Undo").click()
    expect(site.locator(".card")).to_have_count(8)
    _selected(site, 0)


def _chosen(site: Page, count: int) -> None:
    """So many are selected, wherever their cards are."""
    expect(site.locator(".selection [data-count]")).to_have_text(f"{count} selected")


def test_what_is_not_loaded_is_selected_too(
    site: Page,
    at: At,
    shelf: Callable[[int], list[MediaFile]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From one end of the list to the other, of which the middle was never here."""
    monkeypatch.setattr(librarypages, "IDS_AT_ONCE", 150)
    rows = shelf(400)
    site.goto(at("/library/"))
    scale = site.get_by_role("slider", name="Date")
    site.get_by_label("Select 398.jpg").check(force=True)
    _chosen(site, 1)
    scale.press("End")
    _named(site, "001.jpg").click(modifiers=["Shift"])
    _chosen(site, 398)
    expect(site.get_by_label("Select 001.jpg")).to_be_checked()
    expect(site.get_by_label("Select 000.jpg")).not_to_be_checked()
    scale.press("Home")
    expect(scale).to_have_attribute("aria-valuetext", "December 2024")
    scale.press("PageDown")  # the newest of the year before
    expect(site.get_by_label("Select 199.jpg")).to_be_checked()
    site.get_by_label("Select 199.jpg").uncheck(force=True)
    _chosen(site, 397)
    site.get_by_role("button", name="Move to trash").click()
    expect(site.get_by_text("397 files moved to the trash.")).to_be_visible()
    kept = {rows[number].pk for number in (0, 199, 399)}
    assert set(MediaFile.objects.filter(deleted_at=None).values_list("pk", flat=True)) == kept


def test_all_of_a_long_list_are_done_in_pieces(
    site: Page,
    at: At,
    shelf: Callable[[int], list[MediaFile]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "MOST_SELECTED", 150)
    shelf(400)
    site.goto(at("/library/?media_type=image"))
    expect(site.locator(".card").first).to_have_attribute("aria-setsize", "400")
    site.keyboard.press("Control+a")
    _chosen(site, 400)
    site.get_by_role("button", name="Download").click()
    expect(site.get_by_role("alert")).to_have_text(
        "At most 150 files at once; a collection is downloaded whole."
    )
    pieces: list[int] = []
    site.on("request", lambda request: pieces.append(1) if request.method == "POST" else None)
    site.get_by_role("button", name="Move to trash").click()
    expect(site.get_by_text("400 files moved to the trash.")).to_be_visible()
    assert len(pieces) == 3
    assert not MediaFile.objects.filter(deleted_at=None).exists()
    site.get_by_role("button", name="Undo").click()
    expect(site.get_by_text("400 files back in your library.")).to_be_visible()
    assert MediaFile.objects.filter(deleted_at=None).count() == 400


def test_an_act_in_pieces_is_stopped_and_gone_on_with(
    site: Page,
    at: At,
    shelf: Callable[[int], list[MediaFile]],
    monkeypatch: pytest.MonkeyPatch,
    complaints: list[str],
) -> None:
    monkeypatch.setattr(services, "MOST_SELECTED", 150)
    shelf(400)
    site.goto(at("/library/"))
    expect(site.locator(".card").first).to_have_attribute("aria-setsize", "400")
    site.keyboard.press("Control+a")
    _chosen(site, 400)
    held: list[Route] = []
    hold = lambda route: held.append(route)  # noqa: E731, PLW0108 - playwright marks what it gets
    site.route("**/library/selection/", hold, times=3)
    site.get_by_role("button", name="Tags").click()
    site.get_by_role("combobox", name="Tags").fill("lake")
    site.keyboard.press("Enter")
    expect(site.get_by_text("0 of 400 done")).to_be_visible()
    assert violations(site) == []
    held.pop().continue_()
    expect(site.get_by_text("150 of 400 done")).to_be_visible()
    held.pop().abort()
    expect(site.get_by_role("alert")).to_contain_text("What is not done is still selected.")
    _chosen(site, 250)
    complaints.clear()  # the browser's own words about the connection

    site.get_by_role("button", name="Tags").click()
    site.get_by_role("button", name="Add tags").click()
    expect(site.get_by_text("0 of 250 done")).to_be_visible()
    site.get_by_role("button", name="Stop").click()
    held.pop().continue_()
    expect(site.get_by_text("150 files tagged.")).to_be_visible()
    assert MediaFile.objects.filter(tags__name="lake").count() == 300
    _selected(site, 0)


def test_many_are_selected_by_a_frame(
    site: Page, at: At, photos: Callable[[int], list[MediaFile]]
) -> None:
    photos(12)
    site.goto(at("/library/"))
    site.mouse.move(*_middle(site, 0))
    site.mouse.down()
    site.mouse.move(*_middle(site, 1))
    site.mouse.move(*_middle(site, 2))
    expect(site.locator(".selection-frame")).to_be_visible()
    _selected(site, 3)
    site.mouse.move(*_middle(site, 1))
    site.mouse.up()
    _selected(site, 2)
    expect(site).to_have_url(at("/library/"))  # nothing was opened
    site.keyboard.down("Shift")
    site.mouse.move(*_middle(site, 3))
    site.mouse.down()
    site.mouse.move(*_middle(site, 2), steps=3)
    site.mouse.up()
    site.keyboard.up("Shift")
    _selected(site, 4)


@pytest.mark.browser_context_args(has_touch=True, is_mobile=True, viewport=PHONE)
def test_many_are_selected_by_a_long_touch(
    site: Page, at: At, photos: Callable[[int], list[MediaFile]]
) -> None:
    photos(8)
    site.goto(at("/library/"))
    finger = site.context.new_cdp_session(site)

    def touch(kind: str, *number: int) -> None:
        points = [dict(zip("xy", _middle(site, one), strict=True)) for one in number]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 1)
    _selected(site, 1)
    touch("touchMove", 4)
    _selected(site, 4)
    touch("touchMove", 3)
    _selected(site, 3)
    touch("touchEnd")
    expect(site).to_have_url(at("/library/"))
    assert violations(site) == []
    assert site.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_is_selected_is_tagged_shown_and_shared(site: Page, at: At, ready_photo: Make) -> None:
    media = [ready_photo(f"{name}.jpg") for name in "ab"]
    site.goto(at("/library/"))
    site.keyboard.press("Control+a")
    site.get_by_role("button", name="Tags").click()
    expect(site.get_by_label("Tags", exact=True)).to_be_focused()
    assert violations(site) == []
    site.keyboard.type("lake, 2024")
    site.keyboard.press("Enter")
    expect(site.get_by_text("2 files tagged.")).to_be_visible()
    assert {tag.name for tag in media[0].tags.all()} == {"lake", "2024"}

    site.keyboard.press("Control+a")
    site.get_by_role("button", name="Visibility").click()
    selected = site.get_by_role("form", name="Selected files")
    selected.get_by_label("Visibility", exact=True).select_option("unlisted")
    site.get_by_role("button", name="Change").click()
    expect(site.get_by_text("Visibility of 2 files changed.")).to_be_visible()
    expect(site.locator(".card__badge")).to_have_text(["Unlisted", "Unlisted"])

    site.keyboard.press("Control+a")
    site.get_by_role("button", name="Share").click()
    site.get_by_label("Title of the collection").fill("For you")
    site.get_by_role("button", name="Make link").click()
    expect(site.get_by_role("heading", name="For you")).to_be_visible()
    expect(site.get_by_text("The link is made.")).to_be_visible()
    expect(site.get_by_role("button", name="Copy")).to_be_visible()

    site.keyboard.press("Control+a")
    site.get_by_role("button", name="Take out of the collection").click()
    expect(site.get_by_text("2 files taken out.")).to_be_visible()


def _tags(media: MediaFile) -> set[str]:
    return {tag.name for tag in media.tags.all()}


def test_tags_of_a_selection_are_completed_and_new_ones_kept(
    site: Page, at: At, ready_photo: Make
) -> None:
    ready_photo("harbour.jpg", tags=["Harbours", "Night, late"])
    media = ready_photo("ferry.jpg")
    site.goto(at("/library/"))
    site.get_by_label("Select ferry.jpg").check(force=True)
    site.get_by_role("button", name="Tags").click()
    field = site.get_by_role("combobox", name="Tags")
    field.press_sequentially("ferries, har")
    options = site.locator("#selection [role=option]")
    expect(options).to_have_text(["Harbours"])
    field.press("ArrowDown")
    field.press("Enter")  # completes, and sends nothing yet
    expect(field).to_have_value("ferries, Harbours, ")
    field.press_sequentially("nig")
    options.filter(has_text="Night, late").click()
    expect(field).to_have_value('ferries, Harbours, "Night, late", ')
    field.press_sequentially("fog")
    field.press("Enter")
    expect(site.get_by_text("1 file tagged.")).to_be_visible()
    assert _tags(media) == {"ferries", "Harbours", "Night, late", "fog"}

    site.keyboard.press("Control+a")
    site.get_by_role("button", name="Tags").click()
    field.press_sequentially("rain,")
    site.get_by_role("button", name="Add tags").click()
    expect(site.get_by_text("2 files tagged.")).to_be_visible()
    assert _tags(media) >= {"rain", "fog"}

    site.get_by_label("Select ferry.jpg").check(force=True)
    site.get_by_role("button", name="Tags").click()
    field.press_sequentially("Fog, rain")
    site.get_by_role("button", name="Remove tags").click()
    expect(site.get_by_text("Tags removed from 1 file.")).to_be_visible()
    assert _tags(media) == {"ferries", "Harbours", "Night, late"}


def test_pictures_that_look_the_same_are_compared_and_settled(
    site: Page, at: At, upload: Make, run_jobs: Any
) -> None:
    for quality in (90, 60, 40):
        upload(samples.photo_jpeg(640, 480, quality=quality), f"beach {quality}.jpg")
    run_jobs()
    assert check(site, at("/library/copies/alike/")) == []
    group = site.get_by_role("group", name="3 pictures")
    expect(group.get_by_role("radio", name="beach 90.jpg")).to_be_checked()  # the best
    group.locator("label", has_text="beach 60.jpg").click()
    group.get_by_role("button", name="Keep the chosen one").click()
    expect(site.get_by_text("2 files moved to the trash.")).to_be_visible()
    expect(site.get_by_role("heading", name="No pictures that look the same")).to_be_visible()
    assert MediaFile.objects.get(deleted_at=None).original_name == "beach 60.jpg"
    site.get_by_role("button", name="Undo").click()
    expect(site.get_by_role("group", name="3 pictures")).to_be_visible()


GROUND = "(element) => getComputedStyle(element).backgroundColor"
TOGGLE = "document.querySelector('[data-theme-toggle]')"


def test_the_theme_is_remembered(site: Page, at: At, owner: Any) -> None:
    site.emulate_media(color_scheme="light")
    site.goto(at("/library/"))
    toggle = site.get_by_role("button", name="Dark colours")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    button = site.locator(".button").first
    light = button.evaluate(GROUND)
    dark = button.evaluate(f"(element) => {{ {TOGGLE}.click(); return ({GROUND})(element) }}")
    assert dark != light  # nothing fades: what is seen next is whole
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(site.locator("meta[name=theme-color]").first).not_to_have_attribute("content", "#ffffff")
    assert button.evaluate(GROUND) == dark
    site.reload()
    expect(site.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.fixture
def plain(browser: Browser, sign_in: Callable[[Any], None], context: Any, owner: Any) -> Any:
    """A page in a browser that runs no script."""
    sign_in(owner)
    bare = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    yield bare.new_page()
    bare.close()


def test_without_script(plain: Page, at: At, ready_photo: Make) -> None:
    media = ready_photo("bare.jpg", tags=["kept"])
    plain.goto(at("/library/"))
    plain.get_by_text("Filters", exact=True).click()
    plain.get_by_label("Tag", exact=True).select_option("kept")
    plain.get_by_role("button", name="Apply").first.click()
    expect(plain.locator(".card")).to_have_count(1)
    plain.locator(".card a").click()
    plain.get_by_label("Caption").fill("No script at all")
    plain.get_by_role("button", name="Save changes").click()
    expect(plain.get_by_text("Changes saved.")).to_be_visible()
    plain.get_by_role("button", name="Delete").click()
    plain.get_by_role("button", name="Move to trash").click()
    plain.get_by_role("button", name="Undo").click()
    media.refresh_from_db()
    assert (media.caption, media.deleted_at) == ("No script at all", None)
