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
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console

from launch.carry import CREDENTIALS
from launch.errors import LaunchError
from launch.exhibits import PRINTED, Shown, pages, populate
from launch.place import ROOT
from launch.session import read_settings, serving, stop_on_signals

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
IMAGES = ROOT / "docs/images"
KEPT = {
    "library-desk-light": IMAGES / "library.webp",
    "event-phone-dark": IMAGES / "event-phone.webp",
    "admin-overview-desk-light": IMAGES / "overview.webp",
}
QUALITY = 86  # of a kept picture, as WebP
Picture = tuple[str, bytes]  # its name and the PNG
# Pictures within sight; those further down come when somebody scrolls.
SEEN = """async () => {
  const near = [...document.images].filter(
    (image) => image.getBoundingClientRect().top < innerHeight && image.checkVisibility());
  await Promise.allSettled(near.map((image) => image.decode()));
  const icons = new Set([...document.querySelectorAll("use")].map((use) => use.href.baseVal));
  await Promise.allSettled([...icons].map((address) => fetch(address)));
  await document.fonts.ready;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}"""


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


def photograph(browser: Any, address: str, shown: Shown, *, wanted: set[str]) -> Iterator[Picture]:
    """Yield each page in each size and both colours, some also as they are printed."""
    for who, places in pages(shown).items():
        chosen = {name: place for name, place in places.items() if not wanted or name in wanted}
        stale = not who and (not wanted or "stale-form" in wanted)
        for size, (width, height) in SIZES.items():
            if not (chosen or stale):
                continue
            context = browser.new_context(
                base_url=address,
                viewport={"width": width, "height": height},
                is_mobile=size == "phone",
                has_touch=size == "phone",
                reduced_motion="reduce",
            )
            page = context.new_page()
            if who:
                _sign_in(page, who)
            for name, place in chosen.items():
                yield from _photograph_one(page, name, place, size=size)
            if stale:
                yield from _photograph_stale_form(page, size=size)
            context.close()


def _sign_in(page: Any, who: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=username]", who)
    page.fill("[name=password]", CREDENTIALS["password"])
    page.locator("main [type=submit]").first.click()
    page.wait_for_url("**/library/")


def _photograph_one(page: Any, name: str, place: str, *, size: str) -> Iterator[Picture]:
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.goto(place, wait_until="load")
        page.evaluate(SEEN)
        yield f"{name}-{size}-{scheme}", page.screenshot()
    if name in PRINTED and size == "desk":
        page.emulate_media(media="print", color_scheme="light")
        page.evaluate(SEEN)
        yield f"{name}-print", page.screenshot(full_page=True)
        page.emulate_media(media="screen")


def _photograph_stale_form(page: Any, *, size: str) -> Iterator[Picture]:
    """What somebody sees whose form has lost its cookie."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.goto("/accounts/login/")
        page.context.clear_cookies()
        page.fill("[name=username]", "demo")
        page.fill("[name=password]", "demo")
        page.locator("main [type=submit]").first.click()
        page.locator(".notice-page").wait_for()
        yield f"stale-form-{size}-{scheme}", page.screenshot()


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
