"""Pages in another language, and from the right to the left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.media.models import MediaFile
from apps.media.tests import samples
from apps.media.tests.browser.test_upload import choose

At = Callable[[str], str]


@pytest.mark.browser_context_args(locale="de-DE")
def test_an_upload_in_german(site: Page, at: At, tmp_path: Path) -> None:
    photo = tmp_path / "urlaub.jpg"
    photo.write_bytes(samples.photo_jpeg(320, 240))
    site.goto(at("/library/upload/"))
    choose(site, photo, "Dateien auswählen")
    tray = site.get_by_role("region", name="Uploads")
    expect(tray).to_contain_text("1 Datei hochgeladen")
    expect(site.locator("[data-uploads-status]")).to_have_text("1 hochgeladen.")
    assert MediaFile.objects.get().original_name == "urlaub.jpg"


def test_a_language_is_chosen_by_the_keyboard_and_the_page_stays(site: Page, at: At) -> None:
    site.goto(at("/library/upload/"))
    site.locator("summary.avatar").focus()
    site.keyboard.press("Enter")
    choice = site.get_by_role("button", name="Deutsch")
    choice.focus()
    site.keyboard.press("Enter")
    expect(site.locator("html")).to_have_attribute("lang", "de")
    expect(site).to_have_title("Hochladen – Media App")
    site.locator("summary.avatar").click()
    expect(choice).to_have_attribute("aria-current", "true")


@pytest.mark.browser_context_args(locale="ar", viewport={"width": 360, "height": 740})
def test_pages_fit_where_lines_begin_at_the_right(
    site: Page, at: At, settings: Any, ready_photo: Callable[..., MediaFile]
) -> None:
    settings.LANGUAGES = [("en", "English"), ("ar", "العربية")]
    media = ready_photo()
    for path in ("/library/", "/library/upload/", media.get_absolute_url()):
        site.goto(at(path))
        expect(site.locator("html")).to_have_attribute("dir", "rtl")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert site.evaluate(wide) == 0, path
        mark = site.locator(".brand").bounding_box()
        assert mark is not None
        assert mark["x"] > 180, "the brand stands where lines begin"
