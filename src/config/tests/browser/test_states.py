"""States that pages are seldom seen in: failing, empty, with files in trouble, from the right, on
paper."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from apps.events.models import Event
from apps.events.services import add_photos
from apps.media import services
from apps.media.models import MediaFile
from apps.media.services import AttachmentItem
from apps.media.tests import samples
from apps.media.tests.browser.test_accessibility import DESK, PHONE, violations
from apps.posts.services import create_post
from config.tests.browser.failing import FAILURES, INSIDE

At = Callable[[str], str]
EMPTY = {
    "media:library": "Your library is empty",
    "media:trash": "The trash is empty",
    "media:storage": "Nothing is stored yet.",
    "media:copies": "No copies",
    "media:lookalikes": "No pictures that look the same",
    "media:unused": "Nothing to clear",
    "media:collections": "No collections yet",
    "media:webhooks-page": "New webhook",
    "posts:feed": "Nothing to see yet",
    "events:events": "Nothing is coming up",
    "users:security": "No program has access.",
    "notifications:list": "Nothing new",
}
FROM_THE_RIGHT = ["media:library", "media:upload", "media:storage", "posts:feed", "events:new"]


def check(page: Page, address: str) -> list[str]:
    """What is wrong on a telephone and a desk, in light and dark."""
    found = []
    for scheme, size in product(("light", "dark"), (PHONE, DESK)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(address)
        found += [f"{scheme} {size['width']}: {rule}" for rule in violations(page)]
        if is_too_wide(page):
            found.append(f"{size['width']}: wider than the screen")
    return found


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize("who", ["nobody", "owner"])
def test_failures(
    status: int,
    who: str,
    page: Page,
    at: At,
    owner: Any,
    sign_in: Callable[[Any], None],
    complaints: list[str],
    settings: Any,
) -> None:
    settings.ROOT_URLCONF = "config.tests.browser.failing"
    if who == "owner":
        sign_in(owner)
    assert check(page, at(f"/fails/{status}/")) == []
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Go to the start page")).to_be_visible()
    assert INSIDE not in page.content()
    told = [one for one in complaints if f"status of {status}" in one]
    assert complaints == told  # the browser tells of the page's own status, and of nothing else
    complaints.clear()


def test_a_form_without_its_cookie(page: Page, at: At, db: None, complaints: list[str]) -> None:
    page.goto(at("/accounts/login/"))
    page.context.clear_cookies()
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("anything")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="This form is out of date")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="Open the page again").click()
    expect(page.get_by_label("Username")).to_be_visible()
    complaints.clear()  # the browser tells of the 403


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_there(name: str, site: Page, at: At) -> None:
    assert check(site, at(reverse(name))) == []
    expect(site.get_by_text(EMPTY[name], exact=True)).to_be_visible()


@pytest.mark.parametrize("trouble", ["failed", "held", "waiting"])
def test_files_in_trouble(
    trouble: str,
    site: Page,
    at: At,
    staff: Any,
    upload: Callable[..., MediaFile],
    run_jobs: Callable[[], int],
) -> None:
    broken = trouble == "failed"
    media = upload(samples.truncated_jpeg() if broken else samples.photo_jpeg(640, 480), "a.jpg")
    if trouble != "waiting":
        run_jobs()
    if trouble == "held":
        services.hold_media(user=staff, media=media)
    assert check(site, at(media.get_absolute_url())) == []
    assert check(site, at(reverse("media:library"))) == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", FROM_THE_RIGHT)
def test_from_the_right(
    name: str, size: Any, site: Page, at: At, ready: Callable[..., MediaFile]
) -> None:
    ready("Boats.jpg")
    site.set_viewport_size(size)
    site.goto(at(reverse(name)))
    site.evaluate("document.documentElement.dir = 'rtl'")
    assert not is_too_wide(site)
    brand, end = site.locator(".brand").bounding_box(), site.locator(".topbar__end").bounding_box()
    assert brand
    assert end
    assert brand["x"] > end["x"]


@pytest.mark.parametrize("what", ["file", "collection", "post", "event"])
def test_on_paper(
    what: str, site: Page, at: At, owner: Any, event: Event, ready: Callable[..., MediaFile]
) -> None:
    media = ready("Boats.jpg", alt_text="Boats in a harbour")
    shelf = services.create_collection(user=owner, title="Summer")
    services.add_items(user=owner, collection=shelf, media_ids=[media.pk])
    add_photos(user=owner, event=event, media_ids=[media.pk])
    post = create_post(author=owner, text="Here we were", attachments=[AttachmentItem(media)])
    one = {"file": media, "collection": shelf, "post": post, "event": event}[what]
    site.goto(at(one.get_absolute_url()))
    site.emulate_media(media="print")
    expect(site.locator("main img").first).to_be_visible()
    for pressed in ("button", ".button", "input", "summary", "nav"):
        expect(site.locator(pressed).locator("visible=true")).to_have_count(0)
