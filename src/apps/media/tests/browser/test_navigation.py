"""Going from page to page: in place, and yet as if each were loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from apps.media.models import MediaFile

At = Callable[[str], str]
Make = Callable[..., MediaFile]
MARK = "window.isSameDocument = true"
IS_SAME = "window.isSameDocument === true"


def test_what_works_on_a_page_works_on_the_next(site: Page, at: At, ready_photo: Make) -> None:
    ready_photo("beach.jpg")
    site.goto(at("/library/trash/"))
    site.evaluate(MARK)
    site.get_by_role("link", name="Library").first.click()
    site.get_by_label("Search").fill("nothing of that name")
    expect(site.get_by_role("heading", name="Nothing matches")).to_be_visible()
    toggle = site.get_by_role("button", name="Dark colours")
    before = toggle.get_attribute("aria-pressed")
    toggle.click()
    expect(toggle).not_to_have_attribute("aria-pressed", str(before))
    site.get_by_label("Account of").click()
    expect(site.get_by_role("button", name="Sign out")).to_be_visible()
    site.keyboard.press("Escape")
    expect(site.get_by_role("button", name="Sign out")).to_be_hidden()
    site.go_back()
    site.go_back()
    expect(site.get_by_role("heading", level=1)).to_have_text("Trash")
    assert site.evaluate(IS_SAME)


def test_a_page_that_is_gone_is_explained_in_its_place(
    site: Page, at: At, ready_photo: Make, complaints: list[str]
) -> None:
    media = ready_photo("gone.jpg")
    site.goto(at("/library/"))
    site.evaluate(MARK)
    expect(site.locator(f"#card-{media.pk}")).to_be_visible()
    MediaFile.objects.all().delete()
    site.locator(f"#card-{media.pk} a").click()
    expect(site.locator(".notice-page__code")).to_have_text("404")
    expect(site).to_have_url(at(f"/library/{media.pk}/"))
    site.get_by_role("link", name="Go to the start page").click()
    expect(site.get_by_role("heading", name="Your library is empty")).to_be_visible()
    assert site.evaluate(IS_SAME)
    assert all("404" in line for line in complaints)
    complaints.clear()


def test_a_refused_form_is_gone_on_with_where_it_is_wrong(
    site: Page, at: At, ready_photo: Make, complaints: list[str]
) -> None:
    media = ready_photo("beach.jpg")
    site.goto(at(media.get_absolute_url()))
    site.get_by_text("Make a link").click()
    form = site.locator("form[action$='/links/']")
    form.locator("[name=expires_at]").fill("2001-01-01T00:00")
    form.get_by_role("button", name="Make link").click()
    wrong = form.locator("[name=expires_at][aria-invalid=true]")
    expect(wrong).to_be_focused()
    expect(wrong).to_be_in_viewport()
    site.reload()
    expect(site).to_have_url(at(media.get_absolute_url()))
    expect(site.get_by_role("heading", level=1)).to_have_text("beach.jpg")
    assert all("422" in line for line in complaints)
    complaints.clear()


def test_what_is_no_page_of_ours_is_opened_by_the_browser(
    page: Page, at: At, staff: Any, sign_in: Callable[[Any], None], ready_photo: Make
) -> None:
    media = ready_photo("load.jpg", user=staff)
    sign_in(staff)
    page.goto(at(f"/library/{media.pk}/"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    assert download.value.suggested_filename == "load.jpg"
    page.evaluate(MARK)
    page.get_by_label("Account of").click()
    page.get_by_role("link", name="Administration").click()
    expect(page).to_have_url(at("/admin/"))
    assert not page.evaluate(IS_SAME)


def test_signing_out_leaves_nothing_in_the_browser(site: Page, at: At) -> None:
    site.goto(at("/library/"))
    site.evaluate(
        "localStorage.setItem('uploads:pending:1', '1'), localStorage.setItem('theme', 'dark')"
    )
    site.get_by_label("Account of").click()
    site.get_by_role("button", name="Sign out").click()
    expect(site.get_by_role("link", name="Sign in").first).to_be_visible()
    assert site.evaluate("Object.keys(localStorage)") == ["theme"]
    assert site.locator("#uploads").count() == 0
