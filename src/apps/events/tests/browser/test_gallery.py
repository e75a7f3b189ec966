"""An event with a gallery of 60 in a real browser: looked at large, put in order, deleted."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from whitenoise.compress import Compressor

from apps.core.storage import ObjectStore
from apps.events import services
from apps.events.models import Event, EventPhoto
from apps.events.tests.conftest import names
from apps.media import services as media_services
from apps.media.models import MediaFile
from apps.media.tests.browser.test_accessibility import check, violations

SHOTS = os.environ.get("SHOTS", "")  # a folder for pictures of the pages, to be looked at
COUNT = 60
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LOAD = 100 * 1024  # bytes that a first visit may cost but for pictures, compressed


@pytest.fixture
def party(live_server: Any, owner: Any, ready: Callable[..., MediaFile]) -> Event:
    """An event with a banner and 60 small photos, all of them uploaded for it."""
    event = services.create_event(
        user=owner,
        title="Summer on the lake",
        text="Bring something to eat.\n\nThe boats are ready from noon on.",
        place="Boathouse, north shore",
        starts_at=timezone.now() + timedelta(days=3),
    )
    made = [ready(f"{n:02}.jpg", size=_size(n), for_use=True) for n in range(COUNT)]
    services.add_photos(user=owner, event=event, media_ids=[one.pk for one in made])
    return services.update_event(user=owner, event=event, banner=made[3])


def _size(number: int) -> tuple[int, int]:
    return [(480, 320), (320, 480), (400, 400), (600, 200)][number % 4]


def _shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def _photograph(page: Page, address: str, name: str) -> None:
    for scheme in ("light", "dark"):
        for size, kind in ((PHONE, "phone"), (DESK, "desk")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.goto(address)
            page.wait_for_load_state("networkidle")
            _shot(page, f"{name}-{scheme}-{kind}")


def _wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_a_gallery_of_sixty(site: Page, at: Any, party: Event, own_storage: ObjectStore) -> None:
    site.set_viewport_size(DESK)  # type: ignore[arg-type]
    site.goto(at(f"/events/{party.pk}/"))
    cards = site.locator(".card")
    expect(cards).to_have_count(COUNT)
    _look_large(site)
    _put_in_order(site, party)
    _delete(site, own_storage)


def _look_large(site: Page) -> None:
    dialog = site.get_by_role("dialog", name="Photos of Summer on the lake")
    site.locator(".card__link").nth(2).focus()
    site.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog).to_be_focused()
    expect(dialog.locator(".pswp__counter")).to_have_text("3 / 60")
    site.keyboard.press("ArrowRight")
    expect(dialog.locator(".pswp__counter")).to_have_text("4 / 60")
    expect(dialog.get_by_role("status")).to_contain_text("4 of 60: 03.jpg")
    _shot(site, "lightbox")
    for _ in range(8):
        site.keyboard.press("Tab")
        inside = "document.querySelector('.pswp').contains(document.activeElement)"
        assert site.evaluate(inside)
    assert violations(site) == []
    site.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(site.locator(".card__link").nth(3)).to_be_focused()


def _put_in_order(site: Page, party: Event) -> None:
    handle = site.get_by_role("button", name="Move 00.jpg")
    handle.focus()
    with site.expect_response(re.compile(r"/photos/$")) as sent:
        site.keyboard.press("ArrowRight")
        site.keyboard.press("ArrowRight")
    assert sent.value.status == 204
    expect(handle).to_be_focused()
    expect(site.locator("[data-told]")).to_have_text("Place 3 of 60.")
    assert names(party)[:4] == ["01.jpg", "02.jpg", "00.jpg", "03.jpg"]
    moved, target = site.locator(".card").nth(5), site.locator(".card").nth(1)
    moved.hover()
    start = moved.locator("[data-handle]").bounding_box()
    end = target.bounding_box()
    assert start
    assert end
    with site.expect_response(re.compile(r"/photos/$")) as sent:
        site.mouse.move(start["x"] + 10, start["y"] + 10)
        site.mouse.down()
        site.mouse.move(end["x"] + 8, end["y"] + 30, steps=8)
        site.mouse.up()
    assert sent.value.status == 204
    assert names(party)[:4] == ["01.jpg", "05.jpg", "02.jpg", "00.jpg"]
    site.reload()
    expect(site.locator(".card__caption").nth(1)).to_have_text("05.jpg")


def _delete(site: Page, own_storage: ObjectStore) -> None:
    assert len(list(own_storage.walk())) > COUNT
    site.get_by_role("link", name="Edit").click()
    site.get_by_role("button", name="Delete the event").click()
    site.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(site.get_by_text("“Summer on the lake” is deleted.")).to_be_visible()
    assert not EventPhoto.objects.exists()
    MediaFile.objects.update(expires_at=timezone.now())
    media_services.expire_unused(limit=2 * COUNT)
    media_services.bury_tombstones()
    assert not MediaFile.objects.exists()
    assert list(own_storage.walk()) == []


def test_pages_are_accessible_and_fit(
    site: Page, at: Any, party: Event, owner: Any, guest: Any
) -> None:
    services.invite_guest(user=owner, event=party, name="gina")
    services.update_event(user=owner, event=party, visibility="public")
    paths = {
        "list": "/events/",
        "event": f"/events/{party.pk}/",
        "new": "/events/new/",
        "edit": f"/events/{party.pk}/edit/",
        "words": f"/events/{party.pk}/photos/words/?ids={party.banner_id}",
    }
    for name, path in paths.items():
        assert check(site, at(path)) == [], path
        if SHOTS:
            _photograph(site, at(path), name)
        site.set_viewport_size({"width": 320, "height": 640})
        assert not _wide(site), path
    site.set_viewport_size(PHONE)  # type: ignore[arg-type]
    site.goto(at(paths["event"]))
    for summary in ("Invitations", "Add photos"):
        site.locator("summary", has_text=summary).click()
        assert violations(site) == []
    _shot(site, "event-unfolded-phone")


def test_a_first_visit_costs_little(site: Page, at: Any, party: Event) -> None:
    sizes: list[int] = []

    def weigh(response: Any) -> None:
        if "/static/" in response.url:
            sizes.append(len(Compressor.compress_gzip(response.body())))

    site.on("response", weigh)
    site.goto(at(f"/events/{party.pk}/"))
    site.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) < LOAD
    assert not site.evaluate("Boolean(document.querySelector('.pswp'))")
