"""Sharing as people do it: an owner at the file's page, somebody else at the link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from apps.media import services
from apps.media.models import (
    Collection,
    CollectionItem,
    CollectionPlace,
    MediaFile,
    ShareLink,
)
from apps.media.tests import recordings
from apps.media.tests.browser.test_accessibility import DESK, PHONE, violations

At = Callable[[str], str]
Make = Callable[..., MediaFile]


@pytest.fixture
def guest(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A browser that nobody is signed in with; it goes nowhere but to the shared file."""
    asked: list[str] = []
    context = browser.new_context(accept_downloads=True)
    context.on("request", lambda request: asked.append(request.url))
    yield context.new_page()
    context.close()
    ours = tuple(f"{live_server.url}{path}" for path in ("/share/", "/static/"))
    assert [url for url in asked if not url.startswith((*ours, "data:", "blob:"))] == []


def test_a_link_with_a_password_from_making_to_the_end(
    site: Page, at: At, ready_photo: Make, guest: Page, tmp_path: Path
) -> None:
    media = ready_photo("beach.jpg", title="At the beach")
    site.context.grant_permissions(["clipboard-read", "clipboard-write"])
    site.goto(at(media.get_absolute_url()))
    site.get_by_text("Make a link").click()
    site.get_by_label("Password").fill("open sesame")
    site.get_by_label("Number of downloads").fill("1")
    site.get_by_role("button", name="Make link").click()
    expect(site.get_by_text("0 of 1 downloads")).to_be_visible()
    site.get_by_role("button", name="Copy").click()
    expect(site.get_by_role("button", name="Copied")).to_be_visible()
    address = site.evaluate("navigator.clipboard.readText()")
    assert address == at(ShareLink.objects.get().get_absolute_url())

    guest.goto(address)
    expect(guest.get_by_role("heading", name="This link needs a password")).to_be_visible()
    expect(guest.get_by_text("beach")).to_have_count(0)
    guest.get_by_label("Password").fill("wrong")
    guest.get_by_role("button", name="Open").click()
    expect(guest.get_by_text("This is not the password.")).to_be_visible()
    guest.get_by_label("Password").fill("open sesame")
    guest.get_by_role("button", name="Open").click()
    expect(guest.get_by_role("heading", name="At the beach")).to_be_visible()
    assert guest.evaluate("document.querySelector('.preview img').naturalWidth") > 0
    with guest.expect_download() as started:
        guest.get_by_role("link", name="Download").click()
    assert started.value.suggested_filename == "beach.jpg"
    saved = tmp_path / "saved"
    started.value.save_as(saved)
    assert saved.stat().st_size == media.size

    site.reload()
    expect(site.get_by_text("1 of 1 downloads")).to_be_visible()
    site.get_by_role("button", name="Revoke").click()
    expect(site.get_by_text("The link opens nothing any more.")).to_be_visible()
    guest.goto(address)
    expect(guest.get_by_role("heading", name="Page not found")).to_be_visible()


def test_people_come_and_go(
    site: Page, at: At, ready_photo: Make, stranger: Any, complaints: list[str]
) -> None:
    media = ready_photo("beach.jpg")
    site.goto(at(media.get_absolute_url()))
    site.get_by_text("Share with a person or group").click()
    site.get_by_label("Name").first.fill("nobody")
    site.get_by_role("button", name="Give access").click()
    expect(site.get_by_text("There is nobody of this name")).to_be_visible()
    assert ["422" in line for line in complaints] == [True]  # as the browser calls a form refused
    complaints.clear()
    site.get_by_label("Name").first.fill("sam")
    site.get_by_role("button", name="Give access").click()
    expect(site.get_by_text("sam has access.")).to_be_visible()
    expect(site.get_by_role("list").filter(has_text="sam")).to_contain_text("may view")
    site.get_by_role("button", name="Remove access of sam").click()
    expect(site.get_by_text("sam has no access any more.")).to_be_visible()


def test_rights_are_changed_on_a_telephone(
    site: Page, at: At, ready_photo: Make, stranger: Any, complaints: list[str]
) -> None:
    media = ready_photo("beach.jpg")
    services.grant_access(user=media.owner, media=media, to=stranger)
    for scheme, size in product(("light", "dark"), (DESK, PHONE)):
        site.set_viewport_size(size)  # type: ignore[arg-type]
        site.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        site.goto(at(media.get_absolute_url()))
        site.get_by_label("Change access of sam").click()
        assert violations(site) == []
        assert site.evaluate("document.documentElement.scrollWidth") == size["width"]
    row = site.get_by_role("listitem").filter(has_text="sam")
    row.get_by_label("Until").fill("2001-01-02T03:04")
    row.get_by_role("button", name="Save").click()
    expect(row.get_by_label("Until")).to_have_attribute("aria-invalid", "true")
    expect(row.get_by_text("in the future")).to_be_visible()
    assert ["422" in line for line in complaints] == [True]
    complaints.clear()
    row.get_by_label("Until").fill("2999-01-02T03:04")
    row.get_by_label("May").select_option("Edit")
    row.get_by_role("button", name="Save").click()
    expect(site.get_by_text("The access of sam is changed.")).to_be_visible()
    expect(row).to_contain_text("may edit")
    expect(row).to_contain_text("until 2 January 2999, 03:04")
    site.get_by_text("Activity", exact=True).click()
    expect(site.get_by_text("Access of sam changed")).to_be_visible()
    expect(site).to_have_url(at(media.get_absolute_url()))
    assert violations(site) == []
    row.get_by_role("button", name="Remove access of sam").click()
    expect(site.get_by_text("sam has no access any more.")).to_be_visible()


def test_a_film_plays_until_the_link_is_taken_back(
    live_server: Any, at: At, upload: Make, run_jobs: Callable[[], int], guest: Page
) -> None:
    """By the adaptive stream, under the token; then not one segment more."""
    media = upload(recordings.film(size=(320, 240), rate="15", seconds=8), "walk.mp4")
    run_jobs()
    link = services.create_share_link(user=media.owner, media=media)
    segments: dict[str, int] = {}
    guest.on("response", lambda answer: segments.update({answer.url: answer.status}))
    guest.goto(at(link.get_absolute_url()))
    guest.get_by_role("button", name="Play walk.mp4").click()
    guest.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    played = [url for url in segments if "/hls/" in url and ".mp4" in url]
    assert played
    assert {segments[url] for url in played} <= {200, 206}
    services.revoke_share_link(user=media.owner, link=link)
    ask = "url => fetch(url, {cache: 'reload'}).then(answer => answer.status)"
    assert [guest.evaluate(ask, url) for url in played] == [404] * len(played)


def test_a_text_is_read_through_the_link(
    live_server: Any, at: At, upload: Make, run_jobs: Callable[[], int], guest: Page
) -> None:
    media = upload(b"# Plans\n\n- sow\n- reap\n", "plans.md")
    run_jobs()
    link = services.create_share_link(user=media.owner, media=media)
    guest.goto(at(link.get_absolute_url()))
    expect(guest.frame_locator("iframe").get_by_role("heading", name="Plans")).to_be_visible()


def test_a_shared_collection_is_walked_through(
    live_server: Any, at: At, owner: Any, ready_photo: Make, guest: Page
) -> None:
    album = Collection.objects.create(owner=owner, title="Summer", description="By the sea")
    inner = Collection.objects.create(owner=owner, title="Harbour", parent=album)
    for above, below, depth in ((album, album, 0), (inner, inner, 0), (album, inner, 1)):
        CollectionPlace.objects.create(ancestor=above, descendant=below, depth=depth)
    for position, title in enumerate(("Beach", "Dunes")):
        media = ready_photo(f"{title}.jpg", title=title)
        CollectionItem.objects.create(
            collection=album, media=media, position=position, added_by=owner
        )
    link = services.create_share_link(user=owner, media=album)
    guest.goto(at(link.get_absolute_url()))
    expect(guest.get_by_role("list", name="Files").locator(".card__caption")).to_have_text(
        ["Beach", "Dunes"]
    )
    guest.get_by_role("link", name="Harbour").click()
    expect(guest.get_by_text("There is nothing in it.")).to_be_visible()
    guest.get_by_role("link", name="Summer").click()
    guest.get_by_role("link", name="Dunes").click()
    expect(guest.get_by_role("heading", name="Dunes")).to_be_visible()
    guest.locator(".preview img").evaluate("(picture) => picture.decode()")
    guest.get_by_role("link", name="Summer").click()
    expect(guest.get_by_role("heading", name="Summer")).to_be_visible()
