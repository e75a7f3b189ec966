"""Choosing files in a form: upload, library, crop, order, words, removal, undo; by keyboard too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.media import services
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests.browser.test_accessibility import DESK, NARROWEST, violations
from apps.media.tests.hosts.models import Member, Note, NoteAttachment

pytestmark = pytest.mark.urls("apps.media.tests.hosts.urls")
At = Callable[[str], str]
SAVED = re.compile(r"/\d+/$")


def field(page: Page) -> Locator:
    return page.locator("media-field")


def upload(page: Page, files: Any) -> None:
    with page.expect_file_chooser() as chooser:
        field(page).get_by_role("button", name="Upload", exact=True).click()
    chooser.value.set_files(files)


def item(page: Page, name: str) -> Locator:
    return field(page).locator("[data-item]").filter(has_text=name)


def order(page: Page) -> list[str]:
    return [text.strip() for text in field(page).locator(".media-item__name").all_inner_texts()]


def attached() -> list[str]:
    rows = NoteAttachment.objects.order_by("position").select_related("media")
    return [row.media.original_name for row in rows]


def save(page: Page) -> None:
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Save").click()
    page.wait_for_url(SAVED)


def test_uploads_are_described_and_saved(site: Page, at: At, two_files: list[Path]) -> None:
    site.goto(at("/notes/new/"))
    site.get_by_label("Text", exact=True).fill("words")
    upload(site, two_files)
    expect(site.locator("[data-part=nudge]")).to_contain_text("2 pictures without")
    item(site, "first.jpg").get_by_label("Alternative text").fill("a hill")
    item(site, "second.png").get_by_label("Alternative text").fill("a lake")
    expect(site.locator("[data-part=nudge]")).to_be_hidden()
    save(site)
    assert attached() == ["first.jpg", "second.png"]
    assert set(NoteAttachment.objects.values_list("alt_text", flat=True)) == {"a hill", "a lake"}
    expect(item(site, "first.jpg").get_by_label("Alternative text")).to_have_value("a hill")


def test_what_earlier_visits_left_does_not_stop_an_upload(
    site: Page, at: At, two_files: list[Path]
) -> None:
    for file in two_files:  # what a tab remembers is read while the second is under way
        site.goto(at("/notes/new/"))
        upload(site, file)
        expect(site.locator("[data-part=state]")).to_have_text(f"{file.name} uploaded.")


def test_the_form_waits_for_what_is_under_way(site: Page, at: At, two_files: list[Path]) -> None:
    site.goto(at("/notes/new/"))
    site.get_by_label("Text", exact=True).fill("words")
    held: list[Any] = []
    is_slow = [True]

    def hold(route: Any) -> None:
        if is_slow:
            held.append(route)
        else:
            route.continue_()

    site.route("**/uploads/**", hold)
    upload(site, two_files)
    expect(field(site).locator("[data-item]")).to_have_count(2)
    site.get_by_role("button", name="Save").click()
    expect(site.locator("[data-part=state]")).to_contain_text("Waits for 2 uploads")
    assert not Note.objects.exists()
    is_slow.clear()
    for route in held:
        route.continue_()
    site.wait_for_url(SAVED)
    assert sorted(attached()) == ["first.jpg", "second.png"]


@pytest.mark.browser_context_args(locale="de-DE")
def test_what_is_under_way_is_said_in_german(site: Page, at: At, two_files: list[Path]) -> None:
    site.route("**/uploads/tus/**", lambda _: None)  # no answer comes
    site.goto(at("/notes/new/"))
    with site.expect_file_chooser() as chooser:
        field(site).get_by_role("button", name="Hochladen", exact=True).click()
    chooser.value.set_files(two_files)
    expect(item(site, "first.jpg")).to_contain_text("Lädt hoch")


def test_a_refused_file_says_so_and_the_form_is_not_sent_without_it(
    site: Page, at: At, two_files: list[Path], complaints: list[str]
) -> None:
    two_files[1].write_bytes(b"<html>no picture</html>")
    site.goto(at("/notes/new/"))
    site.get_by_label("Text", exact=True).fill("words")
    upload(site, two_files)
    expect(item(site, "second.png")).to_contain_text("Give it the name that fits")
    expect(item(site, "second.png").locator("img")).to_have_count(0)  # rather than a broken one
    site.get_by_role("button", name="Save").click()
    expect(site.locator("[data-part=trouble]")).to_contain_text("second.png was not uploaded")
    assert not Note.objects.exists()
    item(site, "second.png").get_by_role("button", name="Remove").click()
    save(site)
    assert attached() == ["first.jpg"]
    complaints.clear()


def test_the_library_shows_what_fits_and_the_keyboard_chooses(
    site: Page, at: At, ready_photo: Callable[..., MediaFile], photos: Any
) -> None:
    photos(70)
    ready_photo("a hill.jpg")
    site.goto(at("/notes/new/"))
    site.get_by_label("Text", exact=True).fill("words")
    site.get_by_role("button", name="Choose from library").focus()
    site.keyboard.press("Enter")
    dialog = site.get_by_role("dialog")
    expect(dialog.locator(".choice")).not_to_have_count(0)
    expect(dialog.get_by_label("Search your library")).to_be_focused()
    site.keyboard.type("hill")
    expect(dialog.locator(".choice")).to_have_count(1)
    site.keyboard.press("Tab")
    dialog.get_by_role("button", name="a hill.jpg").focus()
    site.keyboard.press("Enter")
    dialog.get_by_role("button", name="Add 1 file").focus()
    site.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert order(site) == ["a hill.jpg"]
    expect(site.get_by_role("button", name="Choose from library")).to_be_focused()
    save(site)
    assert attached() == ["a hill.jpg"]


@pytest.fixture
def note(owner: Any, ready_photo: Callable[..., MediaFile]) -> Note:
    note = Note.objects.create(text="words")
    items = [AttachmentItem(ready_photo(f"{n}.jpg")) for n in (1, 2, 3)]
    services.set_attachments(user=owner, to=note, through=NoteAttachment, items=items)
    return note


def test_order_by_keyboard_and_by_pointer_and_undo(site: Page, at: At, note: Note) -> None:
    site.goto(at(f"/notes/{note.pk}/"))
    grip = site.get_by_role("button", name="Move 1.jpg", exact=True)
    grip.focus()
    site.keyboard.press("End")
    assert order(site) == ["2.jpg", "3.jpg", "1.jpg"]
    expect(site.locator("[data-part=state]")).to_have_text("1.jpg: position 3 of 3.")
    expect(grip).to_be_focused()
    site.keyboard.press("ArrowLeft")
    assert order(site) == ["2.jpg", "1.jpg", "3.jpg"]
    site.get_by_role("button", name="Move 3.jpg", exact=True).hover()
    site.mouse.down()
    target = item(site, "2.jpg").bounding_box()
    assert target
    site.mouse.move(target["x"] + 60, target["y"] + 60, steps=5)
    expect(field(site).locator("[data-item]").first).to_contain_text("3.jpg")
    site.mouse.up()
    assert order(site) == ["3.jpg", "2.jpg", "1.jpg"]
    site.get_by_role("button", name="Undo").click()
    assert order(site) == ["2.jpg", "1.jpg", "3.jpg"]
    item(site, "1.jpg").get_by_role("button", name="Remove").click()
    assert order(site) == ["2.jpg", "3.jpg"]
    site.get_by_role("button", name="Undo").click()
    assert order(site) == ["2.jpg", "1.jpg", "3.jpg"]
    save(site)
    expect(field(site).locator("[data-item]")).to_have_count(3)
    assert attached() == ["2.jpg", "1.jpg", "3.jpg"]


def test_one_picture_is_cropped_by_keyboard(site: Page, at: At, two_files: list[Path]) -> None:
    site.goto(at("/members/new/"))
    site.get_by_label("Name", exact=True).fill("M")
    upload(site, two_files[0])
    dialog = site.get_by_role("dialog", name="Crop first.jpg")
    size = dialog.get_by_label("Size")
    expect(size).to_be_focused()
    for _ in range(50):
        site.keyboard.press("ArrowLeft")
    dialog.get_by_label("From left to right").focus()
    site.keyboard.press("Home")
    dialog.get_by_role("button", name="Use this part").focus()
    site.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(item(site, "first.jpg").locator("canvas")).to_be_visible()
    site.get_by_role("button", name="Save").click()
    site.wait_for_url(SAVED)
    crop = Member.objects.get().avatar_crop
    assert crop is not None
    assert crop.left == 0
    assert crop.width == pytest.approx(0.375, abs=0.01)
    assert crop.height == pytest.approx(0.5, abs=0.01)
    assert MediaFile.objects.get().version == 1  # the file stays as it is


@pytest.mark.parametrize("size", [NARROWEST, DESK], ids=["narrow", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_it_breaks_a_rule(
    scheme: Any, size: Any, site: Page, at: At, note: Note, ready_photo: Any
) -> None:
    ready_photo("another.jpg")
    site.set_viewport_size(size)
    site.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    site.goto(at(f"/notes/{note.pk}/"))
    item(site, "3.jpg").get_by_role("button", name="Remove").click()
    expect(site.get_by_role("button", name="Undo")).to_be_visible()
    assert violations(site) == []
    assert site.evaluate("document.documentElement.scrollWidth") <= size["width"]
    site.get_by_role("button", name="Choose from library").click()
    site.get_by_role("button", name="another.jpg").click()
    assert violations(site) == []
    site.keyboard.press("Escape")
    site.get_by_role("button", name="Crop 1.jpg").click()
    site.get_by_label("Size").wait_for()
    assert violations(site) == []
    site.keyboard.press("Escape")
    site.get_by_role("button", name="Point to keep in view of 1.jpg").click()
    assert violations(site) == []


def test_without_script_a_plain_input_takes_files(
    browser: Any, at: At, sign_in: Any, owner: Any, context: Any, two_files: list[Path]
) -> None:
    sign_in(owner)
    plain = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto(at("/notes/new/"))
    page.get_by_label("Text", exact=True).fill("words")
    page.get_by_label("Add photos and documents").set_input_files(two_files)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(SAVED)
    assert attached() == ["first.jpg", "second.png"]
    item(page, "first.jpg").get_by_label("Alternative text").fill("a hill")
    item(page, "second.png").get_by_role("checkbox").check()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Save").click()
    assert [row.alt_text for row in NoteAttachment.objects.all()] == ["a hill"]
    plain.close()
