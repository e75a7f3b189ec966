"""Uploading as somebody does it: from any page, many files, on a line that breaks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, Route, expect

from apps.media.models import MediaFile, Upload
from apps.media.tests import samples

At = Callable[[str], str]
MIB = 1024 * 1024
UNDER_WAY = re.compile(r"[1-9]\d % · .* left")
SLOW_UPLOAD = {"offline": False, "latency": 0, "downloadThroughput": -1}
DROP = """
async (files) => {
  const transfer = new DataTransfer();
  for (const [name, type, text] of files) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type}));
  }
  const send = (kind) => document.querySelector("#main").dispatchEvent(
    new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer}));
  send("dragenter"); send("dragover");
  const shown = getComputedStyle(document.querySelector(".drop-target")).display;
  send("drop");
  return shown;
}
"""


def choose(page: Page, files: list[Path] | Path, button: str = "Choose files") -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(files)


def tray(page: Page) -> Locator:
    return page.get_by_role("region", name="Uploads")


def encoded(files: list[Path]) -> list[list[str]]:
    import base64

    return [
        [file.name, "image/jpeg", base64.b64encode(file.read_bytes()).decode()] for file in files
    ]


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A photograph of some megabytes: it goes on for a while on a slow line."""
    file = tmp_path / "large.jpg"
    picture = samples.photo_jpeg(640, 480)
    file.write_bytes(picture + b"\0" * (4 * MIB))
    return file


@pytest.fixture
def throttle(context: BrowserContext) -> Callable[..., None]:
    """Bytes per second that `page` may send; 0 for as fast as it goes."""

    def limit(page: Page, speed: int) -> None:
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions", {**SLOW_UPLOAD, "uploadThroughput": speed or -1}
        )

    return limit


def test_several_files_with_what_is_said_of_them(
    site: Page, at: At, two_files: list[Path], run_jobs: Callable[[], int]
) -> None:
    site.goto(at("/library/upload/"))
    site.get_by_label("Tags for all files").fill('holiday, "sea, salt"')
    site.get_by_label("Visibility").select_option("unlisted")
    choose(site, two_files)
    expect(tray(site)).to_contain_text("2 files uploaded")
    expect(site.locator("[data-uploads-status]")).to_have_text("2 uploaded.")
    expect(site.locator("#uploaded .card")).to_have_count(2)
    assert run_jobs() >= 2
    expect(site.locator("#uploaded img[src*='/r/']")).to_have_count(2)
    rows = {media.original_name: media for media in MediaFile.objects.all()}
    assert set(rows) == {"first.jpg", "second.png"}
    for file in two_files:
        media = rows[file.name]
        assert media.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert media.visibility == "unlisted"
        assert set(media.tags.values_list("name", flat=True)) == {"holiday", "sea, salt"}
    assert not Upload.objects.exclude(state=Upload.State.COMPLETED).exists()


def test_files_dropped_on_the_library(site: Page, at: At, two_files: list[Path]) -> None:
    site.goto(at("/library/"))
    assert site.evaluate(DROP, encoded(two_files)) == "grid"
    expect(tray(site)).to_contain_text("2 files uploaded")
    expect(site.locator("#grid .card")).to_have_count(2)
    assert site.locator("html.is-dropping").count() == 0
    assert MediaFile.objects.count() == 2


def test_a_picture_pasted_from_the_clipboard(site: Page, at: At, two_files: list[Path]) -> None:
    site.goto(at("/library/trash/"))
    paste = DROP.split("const send", maxsplit=1)[0] + (
        "document.querySelector('#main').dispatchEvent(new ClipboardEvent('paste',"
        "{bubbles: true, cancelable: true, clipboardData: transfer})); }"
    )
    [[_, _, text]] = encoded(two_files[1:])
    site.evaluate(paste, [["image.png", "image/png", text]])
    expect(tray(site)).to_contain_text("1 file uploaded")
    assert MediaFile.objects.get().original_name.startswith("Pasted 20")


def test_an_upload_goes_on_while_pages_are_looked_at(
    site: Page, at: At, large_file: Path, throttle: Any, ready_photo: Any
) -> None:
    old = ready_photo("old.jpg")
    site.goto(at("/library/upload/"))
    site.evaluate("window.isSameDocument = true")
    throttle(site, MIB)
    choose(site, large_file)
    expect(tray(site)).to_contain_text("Uploading 1 of 1")

    site.get_by_role("link", name="Library").first.click()
    expect(site).to_have_url(at("/library/"))
    expect(site).to_have_title("Library – Media App")
    expect(site.locator("#main")).to_be_focused()
    expect(site.locator("#arrived")).to_have_text("Library – Media App")
    site.locator(f"#card-{old.pk} a").click()
    expect(site.get_by_role("heading", level=1)).to_have_text("old.jpg")
    site.go_back()
    expect(site).to_have_title("Library – Media App")
    expect(tray(site)).to_contain_text("Uploading 1 of 1")

    throttle(site, 0)
    expect(tray(site)).to_contain_text("1 file uploaded", timeout=20_000)
    expect(site.locator("#grid .card")).to_have_count(2)
    assert site.evaluate("window.isSameDocument") is True
    assert len(Upload.objects.all()) == 1 + 1  # the old one's, and this


def accept(dialog: Dialog) -> None:
    dialog.accept()


def test_a_reload_in_the_middle_costs_nothing(
    site: Page, at: At, large_file: Path, throttle: Any, run_jobs: Callable[[], int]
) -> None:
    site.on("dialog", accept)
    site.goto(at("/library/upload/"))
    throttle(site, MIB)
    choose(site, large_file)
    expect(tray(site)).to_contain_text(UNDER_WAY)
    site.goto(at("/library/"))  # typed, not clicked: another document
    expect(tray(site)).to_contain_text("1 file uploaded", timeout=30_000)
    run_jobs()
    media = MediaFile.objects.get()
    assert media.sha256 == hashlib.sha256(large_file.read_bytes()).hexdigest()
    assert Upload.objects.count() == 1  # it went on, it did not begin again
    assert (
        site.evaluate(
            "localStorage.getItem(Object.keys(localStorage).find("
            "(name) => name.startsWith('uploads:pending')))"
        )
        is None
    )


def test_being_offline_is_said_and_passes(
    site: Page,
    at: At,
    large_file: Path,
    throttle: Any,
    context: BrowserContext,
    complaints: list[str],
    run_jobs: Callable[[], int],
) -> None:
    site.goto(at("/library/upload/"))
    throttle(site, MIB)
    choose(site, large_file)
    expect(tray(site)).to_contain_text(UNDER_WAY)
    context.set_offline(True)
    expect(tray(site)).to_contain_text("You are offline")
    context.set_offline(False)
    throttle(site, 0)
    expect(tray(site)).to_contain_text("1 file uploaded", timeout=30_000)
    run_jobs()
    assert MediaFile.objects.get().sha256 == hashlib.sha256(large_file.read_bytes()).hexdigest()
    complaints.clear()


def test_a_server_that_is_away_is_waited_for_in_words(
    site: Page, at: At, two_files: list[Path]
) -> None:
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)  # no byte goes, and nothing fails

    site.route("**/uploads/tus/*/", hold_first)
    site.goto(at("/library/upload/"))
    choose(site, two_files[0])
    expect(tray(site)).to_contain_text("0 % · Waits for the connection")
    held[0].continue_()
    expect(tray(site)).to_contain_text("1 file uploaded")


def test_a_refusal_is_explained_and_does_not_stop_the_other(
    site: Page, at: At, two_files: list[Path], complaints: list[str]
) -> None:
    two_files[1].write_bytes(samples.html_as_jpeg())
    bad = two_files[1].rename(two_files[1].with_name("page.jpg"))
    site.goto(at("/library/upload/"))
    choose(site, [two_files[0], bad])
    expect(tray(site)).to_contain_text("1 uploaded, 1 not")
    row = tray(site).get_by_role("listitem").filter(has_text="page.jpg")
    expect(row).to_contain_text("The content of the file is not what its name says.")
    expect(row).to_contain_text("Give it the name that fits what it is")
    row.get_by_role("button", name="Dismiss page.jpg").click()
    expect(tray(site)).to_contain_text("1 file uploaded")
    assert MediaFile.objects.get().original_name == "first.jpg"
    assert all("422" in line for line in complaints), complaints
    complaints.clear()


def test_an_empty_file_is_refused_before_it_is_sent(
    site: Page, at: At, two_files: list[Path]
) -> None:
    two_files[1].write_bytes(b"")
    site.goto(at("/library/upload/"))
    choose(site, two_files)
    expect(tray(site)).to_contain_text("1 uploaded, 1 not")
    row = tray(site).get_by_role("listitem").filter(has_text="second.png")
    expect(row).to_contain_text("The file is empty. It holds nothing.")
    row.get_by_role("button", name="Dismiss second.png").click()
    expect(tray(site)).to_contain_text("1 file uploaded")
    assert Upload.objects.count() == MediaFile.objects.count() == 1


def test_pause_and_go_on(
    site: Page, at: At, large_file: Path, throttle: Any, run_jobs: Callable[[], int]
) -> None:
    site.goto(at("/library/upload/"))
    throttle(site, MIB)
    choose(site, large_file)
    expect(tray(site)).to_contain_text(UNDER_WAY)
    tray(site).get_by_role("button", name="Pause all").click()
    expect(tray(site)).to_contain_text("Paused")
    throttle(site, 0)
    tray(site).get_by_role("button", name="Go on with large.jpg").click()
    expect(tray(site)).to_contain_text("1 file uploaded", timeout=20_000)
    run_jobs()
    assert MediaFile.objects.get().sha256 == hashlib.sha256(large_file.read_bytes()).hexdigest()


def test_cancelling_leaves_nothing(site: Page, at: At, large_file: Path, throttle: Any) -> None:
    site.goto(at("/library/upload/"))
    throttle(site, MIB)
    choose(site, large_file)
    expect(tray(site)).to_contain_text(UNDER_WAY)
    with site.expect_response(lambda answer: answer.request.method == "DELETE"):
        tray(site).get_by_role("button", name="Cancel large.jpg").click()
    expect(tray(site)).to_have_count(0)
    assert not Upload.objects.filter(state=Upload.State.RECEIVING).exists()
    assert not MediaFile.objects.exists()


def test_what_is_there_already_is_said(
    site: Page, at: At, two_files: list[Path], ready_photo: Any
) -> None:
    twin = ready_photo("twin.jpg")
    site.goto(at("/library/upload/"))

    def claim(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "duplicate_of": str(twin.pk)})

    site.route("**/api/v1/media/*/", claim)
    choose(site, two_files[0])
    row = tray(site).get_by_role("listitem")
    expect(row).to_contain_text("You have this already")
    expect(row.get_by_role("link", name="the same file")).to_have_attribute(
        "href", f"/library/{twin.pk}/"
    )


def test_by_keyboard_alone(site: Page, at: At, two_files: list[Path]) -> None:
    site.goto(at("/library/upload/"))
    button = site.get_by_role("button", name="Choose files")
    button.hover()  # keys typed before the page is painted are dropped
    button.focus()
    with site.expect_file_chooser() as chooser:
        site.keyboard.press("Enter")
    chooser.value.set_files(two_files)
    expect(tray(site)).to_contain_text("2 files uploaded")
    summary = tray(site).get_by_role("button", name="2 files uploaded")
    expect(summary).to_have_attribute("aria-expanded", "true")
    summary.focus()
    site.keyboard.press("Escape")
    expect(summary).to_have_attribute("aria-expanded", "false")
    site.keyboard.press("Enter")
    expect(summary).to_have_attribute("aria-expanded", "true")
    site.keyboard.press("Tab")
    expect(tray(site).get_by_role("button", name="Close the list of uploads")).to_be_focused()
    site.keyboard.press("Enter")
    expect(tray(site)).to_have_count(0)
    expect(site.locator("#main")).to_be_focused()


def test_the_camera_takes_a_photograph(site: Page, at: At) -> None:
    site.goto(at("/library/upload/"))
    site.get_by_role("button", name="Use the camera").click()
    camera = site.get_by_role("dialog", name="Camera")
    camera.get_by_role("button", name="Take a photograph").click()
    camera.get_by_role("button", name="Upload it").click()
    expect(tray(site)).to_contain_text("1 file uploaded")
    expect(camera).to_have_count(0)
    assert MediaFile.objects.get().media_type == "image"


def test_the_first_load_stays_small(site: Page, at: At) -> None:
    sent: dict[str, int] = {}
    site.on("response", lambda answer: _weigh(answer, sent))
    site.goto(at("/library/"), wait_until="networkidle")
    assert sent
    assert sum(sent.values()) < 200 * 1024, json.dumps(sent, indent=1)
    assert not [name for name in sent if "start-" in name]  # comes when there are files


def _weigh(answer: Any, sent: dict[str, int]) -> None:
    import zlib

    if answer.request.resource_type in {"script", "stylesheet"}:
        sent[answer.url] = len(zlib.compress(answer.body(), 9))


@pytest.fixture
def plain(
    browser: Browser, sign_in: Callable[[Any], None], context: Any, owner: Any
) -> Iterator[Any]:
    """A page in a browser that runs no script."""
    sign_in(owner)
    bare = browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    yield bare.new_page()
    bare.close()


def test_the_plain_form_judges_each_file_alone(plain: Page, at: At, two_files: list[Path]) -> None:
    two_files[1].write_bytes(samples.html_as_jpeg())
    bad = two_files[1].rename(two_files[1].with_name("page.jpg"))
    plain.goto(at("/library/upload/"))
    expect(plain.get_by_role("button", name="Choose files")).to_be_hidden()
    plain.get_by_label("Files", exact=True).set_input_files([two_files[0], bad])
    plain.get_by_role("button", name="Upload").click()
    outcomes = plain.locator(".outcome")
    expect(outcomes).to_have_count(2)
    expect(outcomes.nth(0)).to_contain_text("first.jpg")
    expect(outcomes.nth(0).get_by_role("link", name="Uploaded")).to_be_visible()
    expect(outcomes.nth(1)).to_contain_text("Not uploaded:")
    assert MediaFile.objects.count() == 1
