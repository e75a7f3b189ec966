"""Collections in a real browser: files are ticked, collected and put in order, also by keys."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.media import services
from apps.media.models import Collection, CollectionItem
from apps.media.tests.browser.test_accessibility import check, violations

SELECTION = "form.selection"


@pytest.fixture
def shelf(owner: Any, ready_photo: Any) -> Collection:
    """A collection in another one, with three photographs and a collection in it."""
    outer = services.create_collection(user=owner, title="Outside")
    found = services.create_collection(user=owner, title="Lake", parent=outer)
    services.create_collection(user=owner, title="Inside", parent=found)
    ids = [ready_photo(f"{name}.jpg").pk for name in "abc"]
    services.add_items(user=owner, collection=found, media_ids=ids)
    return found


def _order(collection: Collection) -> str:
    rows = CollectionItem.objects.filter(collection=collection).order_by("position")
    return "".join(name[0] for name in rows.values_list("media__original_name", flat=True))


def _wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_ticked_files_are_collected_and_downloaded(
    site: Page, at: Any, ready_photo: Any, tmp_path: Path
) -> None:
    for name in "ab":
        ready_photo(f"{name}.jpg")
    site.goto(at("/library/"))
    expect(site.locator(SELECTION)).to_be_hidden()
    for name in "ab":
        site.get_by_label(f"Select {name}.jpg").check()
    expect(site.locator(SELECTION)).to_be_visible()
    with site.expect_download() as found:
        site.get_by_role("button", name="Download").click()
    found.value.save_as(tmp_path / "a.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "a.zip").read_bytes())) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3
    site.get_by_role("button", name="Collect").click()
    site.get_by_label("Title of a new collection").fill("Lake")
    site.get_by_role("button", name="Add", exact=True).click()
    expect(site.get_by_role("heading", name="Lake")).to_be_visible()
    assert sorted(_order(Collection.objects.get())) == ["a", "b"]


def test_the_order_is_changed_by_keys(site: Page, at: Any, shelf: Collection) -> None:
    site.goto(at(f"/collections/{shelf.pk}/"))
    later = site.get_by_role("button", name="a.jpg: later")
    for expected in ("bac", "bca"):
        later.focus()
        site.keyboard.press("Enter")
        place = expected.index("a") + 1
        expect(site.locator(f".grid > :nth-child({place}) .card__caption")).to_have_text("a.jpg")
        assert _order(shelf) == expected
        expect(later).to_be_focused()
    site.get_by_label("Select b.jpg").check()
    site.get_by_role("button", name="Take out of the collection").click()
    expect(site.get_by_text("1 file taken out.")).to_be_visible()
    assert _order(shelf) == "ca"


def test_pages_of_collections_are_accessible(site: Page, at: Any, shelf: Collection) -> None:
    for path in ("/collections/", f"/collections/{shelf.pk}/"):
        assert check(site, at(path)) == []
    for summary in ("Edit", "New inside", "Move"):
        site.set_viewport_size({"width": 390, "height": 844})
        site.goto(at(f"/collections/{shelf.pk}/"))
        site.locator("summary", has_text=re.compile(summary)).click()
        assert violations(site) == []
        panel = site.locator(".unfold[open] .unfold__panel").bounding_box()
        assert panel is not None
        assert panel["x"] >= 0
        assert panel["x"] + panel["width"] <= 390


def test_a_collection_is_shared_from_its_page(
    site: Page, at: Any, shelf: Collection, stranger: Any, complaints: list[str]
) -> None:
    site.context.grant_permissions(["clipboard-read", "clipboard-write"])
    site.set_viewport_size({"width": 390, "height": 844})
    site.goto(at(f"/collections/{shelf.pk}/"))
    site.get_by_text("Share with a person or group").click()
    site.get_by_label("Name").fill("nobody")
    site.get_by_role("button", name="Give access").click()
    expect(site.get_by_text("There is nobody of this name")).to_be_visible()
    assert ["422" in line for line in complaints] == [True]  # as the browser calls a form refused
    complaints.clear()
    site.get_by_label("Name").fill("sam")
    site.get_by_role("button", name="Give access").click()
    expect(site.get_by_text("sam has access.")).to_be_visible()
    site.get_by_text("Make a link").click()
    site.get_by_label("Password").fill("open sesame")
    site.get_by_role("button", name="Make link").click()
    site.get_by_role("button", name="Copy").click()
    expect(site.get_by_role("button", name="Copied")).to_be_visible()
    address = site.evaluate("navigator.clipboard.readText()")
    assert address == at(shelf.share_links.get().get_absolute_url())
    assert check(site, at(f"/collections/{shelf.pk}/")) == []
    site.set_viewport_size({"width": 320, "height": 640})
    assert not _wide(site)
    site.get_by_role("button", name="Remove access of sam").click()
    expect(site.get_by_text("sam has no access any more.")).to_be_visible()
    site.get_by_role("button", name="Revoke").click()
    expect(site.get_by_text("The link opens nothing any more.")).to_be_visible()
    assert not shelf.share_links.exists()
    assert not shelf.grants.exists()


def test_pages_of_collections_fit_the_narrowest_screen(
    site: Page, at: Any, shelf: Collection
) -> None:
    site.set_viewport_size({"width": 320, "height": 640})
    for path in ("/collections/", f"/collections/{shelf.pk}/", "/library/"):
        site.goto(at(path))
        if site.locator(".card__pick").count():
            site.locator(".card__pick input").first.check()
            assert violations(site) == []
        assert not _wide(site)
