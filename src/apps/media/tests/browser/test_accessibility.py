"""No page breaks a rule of WCAG 2.2 AA that a program can check, in light and in dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page

from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests import recordings, samples

AXE = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REPORT = """
axe.run(document, {runOnly: %s, preload: false}).then(
  (found) => JSON.stringify(found.violations.map(
    (rule) => `${rule.id}: ${rule.nodes.map((node) => node.target.join(" ")).join(", ")}`)))
"""
NARROWEST = {"width": 320, "height": 640}  # what is 1280 wide at 400 % (WCAG 2.2, 1.4.10)
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


def violations(page: Page) -> list[str]:
    """What axe-core finds. It comes in by the debugger: the page's policy lets no stranger in."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8") + ";0"})
    answer = session.send(
        "Runtime.evaluate",
        {"expression": REPORT % json.dumps(RULES), "awaitPromise": True, "returnByValue": True},
    )
    found: list[str] = json.loads(answer["result"]["value"])
    return found


@pytest.fixture(autouse=True)
def needs_axe() -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run bin/setup")


def check(page: Page, address: str) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        for size in (PHONE, DESK):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.goto(address)
            found += [f"{scheme} {size['width']}: {rule}" for rule in violations(page)]
    return found


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/"])
def test_pages_of_strangers(
    path: str, page: Page, at: Any, complaints: list[str], ready_photo: Any
) -> None:
    ready_photo(visibility="public")
    assert check(page, at(path)) == []


@pytest.mark.parametrize(
    "path",
    [
        "/library/",
        "/library/upload/",
        "/library/storage/",
        "/library/copies/",
        "/library/copies/alike/",
        "/library/storage/unused/",
        "/library/trash/",
        "/webhooks/",
    ],
)
def test_pages_of_lists(
    path: str,
    site: Page,
    at: Any,
    owner: Any,
    ready_photo: Callable[..., MediaFile],
    upload: Callable[..., MediaFile],
) -> None:
    ready_photo("seen.jpg")
    services.delete_media(user=owner, media=ready_photo("thrown away.jpg"))
    upload(b"words", "waiting.txt")
    assert check(site, at(path)) == []


@pytest.mark.parametrize("kind", ["photo", "pdf", "text", "film", "sound", "broken"])
def test_pages_of_one_file(
    kind: str, site: Page, at: Any, upload: Callable[..., MediaFile], run_jobs: Any
) -> None:
    data, name = {
        "photo": (samples.photo_jpeg(640, 480), "a.jpg"),
        "pdf": (samples.pdf(pages=2), "a.pdf"),
        "film": (recordings.film(), "a.mp4"),
        "sound": (recordings.sound("a.mp3"), "a.mp3"),
        "text": (b"words", "a.txt"),
        "broken": (samples.truncated_jpeg(), "b.jpg"),
    }[kind]
    media = upload(data, name)
    run_jobs()
    assert check(site, at(f"/library/{media.pk}/")) == []


@pytest.mark.parametrize("password", ["", "open sesame"], ids=["open", "locked"])
def test_pages_of_a_share_link(
    password: str, page: Page, at: Any, complaints: list[str], ready_photo: Any, owner: Any
) -> None:
    link = services.create_share_link(user=owner, media=ready_photo(), password=password)
    assert check(page, at(link.get_absolute_url())) == []


@pytest.mark.parametrize("size", [NARROWEST, DESK], ids=["narrow", "desk"])
def test_the_section_of_sharing_unfolded(
    size: Any, site: Page, at: Any, ready_photo: Any, owner: Any, stranger: Any
) -> None:
    media = ready_photo()
    services.grant_access(user=owner, media=media, to=stranger)
    services.create_share_link(user=owner, media=media, password="open sesame", max_downloads=3)
    site.set_viewport_size(size)
    site.goto(at(media.get_absolute_url()))
    for summary in site.locator(".sharing summary").all():
        summary.click()
    assert violations(site) == []
    assert site.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_tray_with_a_refused_file_and_the_camera(
    size: Any, site: Page, at: Any, two_files: list[Path], complaints: list[str]
) -> None:
    two_files[1].write_bytes(samples.html_as_jpeg())
    site.set_viewport_size(size)
    for scheme in ("light", "dark"):
        site.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        site.goto(at("/library/upload/"))
        with site.expect_file_chooser() as chooser:
            site.get_by_role("button", name="Choose files").click()
        chooser.value.set_files(two_files)
        site.get_by_text("1 uploaded, 1 not").first.wait_for()
        site.locator("#uploaded .card__link").wait_for()
        assert violations(site) == []
        site.get_by_role("button", name="show or hide the list").click()
        assert violations(site) == []
        assert site.evaluate("document.documentElement.scrollWidth") <= size["width"]
        site.get_by_role("button", name="Close the list of uploads").click()
        site.get_by_role("button", name="Use the camera").click()
        site.get_by_role("button", name="Take a photograph").wait_for()
        assert violations(site) == []
        site.get_by_role("button", name="Close the camera").click()
    complaints.clear()


@pytest.mark.parametrize(
    "path",
    [
        "/library/",
        "/library/upload/",
        "/library/storage/",
        "/library/copies/",
        "/library/copies/alike/",
        "/library/storage/unused/",
        "/library/trash/",
        "/webhooks/",
        "detail",
    ],
)
def test_nothing_is_wider_than_a_narrow_screen(
    path: str, site: Page, at: Any, owner: Any, ready_photo: Callable[..., MediaFile]
) -> None:
    media = ready_photo("a-name-without-any-blank-" * 6 + ".jpg", tags=["long " * 12])
    if path == "/library/trash/":
        services.delete_media(user=owner, media=media)
    site.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
    site.goto(at(media.get_absolute_url() if path == "detail" else path))
    assert site.evaluate("document.documentElement.scrollWidth") <= NARROWEST["width"]
