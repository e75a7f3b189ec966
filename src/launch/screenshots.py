"""`bin/screenshots`: pictures of every page, in both colours, on a telephone and a desk.

Starts the project with sample media that it draws itself, fetches nothing, and needs a Chromium.
With `--keep` the pictures that the documentation shows are replaced as well.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from rich.console import Console

from launch import scenes
from launch.carry import CREDENTIALS, Carrier, carry_all, log_in
from launch.errors import LaunchError
from launch.place import ROOT
from launch.session import Session, read_settings, serving, stop_on_signals

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
KEPT = {"library-desk-light": ROOT / "docs/images/library.webp"}
QUALITY = 86  # of a kept picture, as WebP
# Pictures within sight; those further down come when somebody scrolls.
SEEN = """() => [...document.images].every((image) =>
  image.complete || image.getBoundingClientRect().top > innerHeight)"""
PATIENCE = 900.0  # seconds without any progress of a file
# Name of a photograph → its width and height in pixels, and the turn of its colours (0 to 255).
PHOTOS = {
    "harbour-in-fog": (1500, 1000, 0),
    "first-light": (1000, 1500, 8),
    "far-hills": (1600, 900, 245),
    "after-the-rain": (1500, 1000, 12),
    "the-long-shore": (2000, 900, 250),
    "north-bay": (1200, 1200, 4),
    "heather": (1500, 1000, 240),
    "still-water": (1000, 1400, 16),
    "copper-evening": (1600, 1067, 0),
    "green-valley": (1500, 1000, 248),
    "island": (1400, 933, 10),
    "late-summer": (1000, 1250, 236),
    "blue-hour": (1800, 1000, 6),
    "ridge": (1500, 1000, 252),
    "marsh": (1300, 1000, 14),
    "last-ferry": (1500, 1000, 0),
}


@dataclass(frozen=True)
class Shown:
    """What has a page of its own: the end of the addresses, by what it is."""

    photo: str
    film: str
    sound: str
    report: str
    shelf: str


def pages(shown: Shown) -> dict[str, str]:
    """Name of each picture → the address of the page, for somebody who is signed in."""
    return {
        "library": "/library/",
        "library-nothing-found": "/library/?q=nowhere",
        "upload": "/library/upload/",
        "photo": f"/library/{shown.photo}/",
        "film": f"/library/{shown.film}/",
        "activity": f"/library/{shown.photo}/activity/",
        "sound": f"/library/{shown.sound}/",
        "report": f"/library/{shown.report}/",
        "trash": "/library/trash/",
        "storage": "/library/storage/",
        "copies": "/library/copies/",
        "collections": "/collections/",
        "collection": f"/collections/{shown.shelf}/",
        "posts": "/posts/",
        "events": "/events/",
        "event-new": "/events/new/",
        "profile": f"/users/{CREDENTIALS['username']}/",
        "profile-edit": "/settings/profile/",
        "security": "/settings/security/",
        "account-delete": "/settings/account/delete/",
        "notifications": "/notifications/",
        "preferences": "/notifications/preferences/",
        "webhooks": "/webhooks/",
        "not-found": "/nowhere/",
        "offline": "/offline/",
    }


STRANGERS = {"home": "/", "login": "/accounts/login/", "signup": "/accounts/signup/"}


def draw_photos(directory: Path) -> list[Path]:
    """Return the photographs, drawn where they were missing."""
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for seed, (name, (width, height, turn)) in enumerate(PHOTOS.items(), start=10):
        file = directory / f"{name}.jpg"
        if not file.exists():
            hue, *others = scenes.landscape(width, height, seed=seed).convert("HSV").split()
            turned = hue.point(lambda value, turn=turn: (value + turn) % 256)
            Image.merge("HSV", (turned, *others)).convert("RGB").save(file, quality=85)
        files.append(file)
    return files


def populate(session: Session, console: Console) -> Shown:
    """Upload what is missing, and put some of it into a collection and a post."""
    with log_in(session.address) as client:
        known = {media["original_name"]: media["id"] for media in _all_media(client)}
        files = [*draw_photos(session.place.samples), *sorted(session.place.samples.iterdir())]
        missing = [file for file in dict.fromkeys(files) if file.name not in known]
        carry_all(missing, Carrier(client=client, seconds=PATIENCE), console)
        known = {media["original_name"]: media["id"] for media in _all_media(client)}
        return Shown(
            photo=known["still-water.jpg"],
            film=known["tide-720p.mp4"],
            sound=known["surf.wav"],
            report=known["report.pdf"],
            shelf=_ensure_shelf(client, [known[f"{name}.jpg"] for name in list(PHOTOS)[:7]]),
        )


def _all_media(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("media/?page_size=200").json()["results"]
    return found


def _ensure_shelf(client: httpx.Client, media: list[str]) -> str:
    for shelf in client.get("collections/").json()["results"]:
        return str(shelf["id"])
    made = client.post("collections/", json={"title": "By the water"}).raise_for_status().json()
    client.post(f"collections/{made['id']}/items/", json={"media": media}).raise_for_status()
    client.post("posts/", json={"text": "Three days along the lake."}).raise_for_status()
    return str(made["id"])


@contextmanager
def browsing() -> Iterator[Any]:
    """Yield a Chromium; raise `LaunchError` where there is none."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only developers have it

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        raise LaunchError("There is no Chromium: install it, or name it in CHROMIUM")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def photograph(
    browser: Any, address: str, shown: Shown, *, wanted: set[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the PNG of each page in each size and both colours."""
    for size, (width, height) in SIZES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        page = context.new_page()
        yield from _photograph_all(page, address, STRANGERS, size=size, wanted=wanted)
        page.goto(f"{address}/accounts/login/")
        page.fill("[name=username]", CREDENTIALS["username"])
        page.fill("[name=password]", CREDENTIALS["password"])
        page.locator("main [type=submit]").first.click()
        page.wait_for_url("**/library/")
        yield from _photograph_all(page, address, pages(shown), size=size, wanted=wanted)
        context.close()


def _photograph_all(
    page: Any, address: str, places: dict[str, str], *, size: str, wanted: set[str]
) -> Iterator[tuple[str, bytes]]:
    for name, place in places.items():
        if wanted and name not in wanted:
            continue
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.goto(address + place, wait_until="load")
            page.wait_for_function(SEEN)
            yield f"{name}-{size}-{scheme}", page.screenshot()


def keep(name: str, png: bytes) -> None:
    """Replace what the documentation shows, as a small file without visible loss."""
    if name in KEPT:
        Image.open(io.BytesIO(png)).convert("RGB").save(KEPT[name], quality=QUALITY, method=6)


def main(arguments: list[str]) -> int:
    """Write the pictures into `--to`; return 1 when the project could not start."""
    parser = argparse.ArgumentParser(prog="bin/screenshots", description=__doc__)
    parser.add_argument("pages", nargs="*", help="only these pages")
    parser.add_argument("--to", type=Path, default=ROOT / "var/screenshots/pictures")
    parser.add_argument("--keep", action="store_true", help="replace those of the documentation")
    options = parser.parse_args(arguments)
    console = Console()
    stop_on_signals()
    options.to.mkdir(parents=True, exist_ok=True)
    try:
        with (
            serving(read_settings(), console, any_port=True, with_samples=True) as session,
            browsing() as browser,
        ):
            shown = populate(session, console)
            for name, png in photograph(browser, session.address, shown, wanted=set(options.pages)):
                (options.to / f"{name}.png").write_bytes(png)
                if options.keep:
                    keep(name, png)
                console.print(name)
    except LaunchError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    return 0
