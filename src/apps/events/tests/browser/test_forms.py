"""The form of an event, with the field for its banner."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from apps.media.tests.browser.test_accessibility import check


def test_the_form_is_accessible(site: Page, at: Any) -> None:
    assert check(site, at("/events/new/")) == []
    site.set_viewport_size({"width": 320, "height": 640})
    assert site.evaluate("document.documentElement.scrollWidth") <= 320
