"""Documents and texts as somebody reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from apps.media.models import MediaFile, Rendition
from apps.media.tests import samples

At = Callable[[str], str]
Make = Callable[..., MediaFile]


def test_pages_are_made_when_somebody_turns_to_them(
    site: Page, at: At, upload: Make, run_jobs: Callable[[], int], live_server: Any
) -> None:
    media = upload(samples.pdf(pages=3), "report.pdf")
    run_jobs()
    site.goto(at(media.get_absolute_url()))
    picture = site.locator(".pages__sheet img")
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    with site.expect_response(lambda answer: "page-2.jpg" in answer.url) as asked:
        site.get_by_role("button", name="Next page").click()
    assert asked.value.status == 202
    expect(site.get_by_text("Loading page 2")).to_be_visible()
    run_jobs()
    expect(site.get_by_alt_text("Page 2")).to_be_visible()
    expect(site.get_by_text("Loading page 2")).to_be_hidden()
    assert picture.bounding_box() == before  # nothing jumped
    assert not Rendition.objects.filter(media=media, name="page-3.jpg").exists()

    site.get_by_role("spinbutton").fill("99")
    with site.expect_response(lambda answer: "page-3.jpg" in answer.url):
        site.keyboard.press("Enter")
    run_jobs()
    expect(site.get_by_alt_text("Page 3")).to_be_visible()
    expect(site.get_by_role("button", name="Next page")).to_be_disabled()


def test_a_text_is_read_in_a_frame_that_can_do_nothing(
    site: Page, at: At, upload: Make, run_jobs: Callable[[], int], live_server: Any
) -> None:
    media = upload(b"# Plans\n\n<script>top.location = '/'</script>\n\n- sow\n- reap\n", "plans.md")
    run_jobs()
    site.goto(at(media.get_absolute_url()))
    text = site.frame_locator("iframe")
    expect(text.get_by_role("heading", name="Plans")).to_be_visible()
    expect(text.get_by_role("listitem")).to_have_text(["sow", "reap"])
    expect(site.locator("iframe")).to_have_attribute("sandbox", "")
    expect(site).to_have_url(at(media.get_absolute_url()))
