"""Benchmark of the library page with 100 000 files: `bench/run library`.

A person's library in Chromium, from the page's first bytes to its middle: first page, a leap by
the scale, steady scrolling, a filter, a search. What is watched all the time are long tasks, layout
shifts and the number of elements. It needs PostgreSQL (DATABASE_URL), where it makes and drops a
database of its own, and Chromium (CHROMIUM).
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.metadata
import os
import platform
import secrets
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import benchmark
import project
from benchmark import ROOT, Found
from figures import Figure
from playwright.sync_api import Page, sync_playwright
from report import Table, Verdict

HEADING = "The library page with a hundred thousand files"
LONGEST_TASK = 200  # ms
MOST_SHIFT = 0.02  # CLS
MOST_ELEMENTS = 6_000
BUDGET = 200_000  # bytes of script and style, compressed
WATCH = """
window.seen = {tasks: [], shift: 0};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.seen.tasks.push(Math.round(entry.duration));
}).observe({type: "longtask", buffered: true});
new PerformanceObserver((list) => {
  for (const {hadRecentInput, value} of list.getEntries()) {
    if (!hadRecentInput) window.seen.shift += value;
  }
}).observe({type: "layout-shift", buffered: true});
"""
# Every place in the window has its picture.
FULL = """() => {
  const isIn = (one) => {
    const {top, bottom} = one.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  if ([...document.querySelectorAll(".grid__waiting")].some(isIn)) return false;
  const cards = [...document.querySelectorAll("#grid .card")].filter(isIn);
  const images = cards.flatMap((card) => [...card.querySelectorAll("img")]);
  return cards.length > 0 && images.every((image) => image.complete);
}"""
LOADED = """() => performance.getEntriesByType("resource").map((one) => one.name)
  .filter((name) => /\\.(js|css)(\\?|$)/.test(name))"""
FRAMES = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""
FIRST = "first page, with all pictures in the window"
VIEWS = {"desktop": (1280, 800), "phone": (390, 844)}


def main() -> int:
    chosen = _options()
    address = project.postgresql()
    line = benchmark.circumstances("django", others=[project.postgresql_version(address)])
    settings = {
        "DEBUG": "false",
        "HTTPS": "false",
        "STATIC_FROM_SOURCE": "true",
        "SECRET_KEY": secrets.token_urlsafe(48),
    }
    with project.own_project("library", address, **settings) as folder:
        session = importlib.import_module("shelves").fill(chosen.rows)
        found = _measure(folder, session, chosen)
    return benchmark.conclude("library", f"{HEADING}\n\n{line}", found, chosen)


def _measure(folder: Path, session: str, arguments: argparse.Namespace) -> Found:
    receivers = importlib.import_module("receivers")
    place = importlib.import_module("launch.place").Place(folder)
    place.make()
    port = receivers.free_port()
    environment = os.environ | {"PORT": str(port), "PYTHONPATH": str(ROOT / "src")}
    log = (folder / "web.log").open("wb")
    command = receivers.gunicorn("config.wsgi:application", place)
    options = {"env": environment, "cwd": ROOT, "stdout": log, "stderr": log}
    tables, verdicts, figures = [], [], []
    with receivers.started(command, port, **options), sync_playwright() as driver:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for view, (width, height) in VIEWS.items():
            runs = []
            for _ in range(arguments.rounds):
                context = browser.new_context(viewport={"width": width, "height": height})
                url = f"http://127.0.0.1:{port}"
                context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
                context.add_init_script(WATCH)
                runs.append(_walk(context.new_page(), url, arguments.rows))
                context.close()
            table, found = _table(view, runs, browser.version, arguments.rows)
            tables.append(table)
            verdicts += found
            figures += _figures(view, runs)
        browser.close()
    return Found(tables, verdicts, figures)


def _walk(page: Page, url: str, rows: int) -> dict[str, float]:
    seen: dict[str, float] = {"elements": 0}

    def step(name: str, act: Callable[[], Any]) -> None:
        start = time.perf_counter()
        act()
        page.wait_for_function(FULL)
        seen[name] = (time.perf_counter() - start) * 1000
        elements = page.evaluate("document.getElementsByTagName('*').length")
        seen["elements"] = max(seen["elements"], elements)

    step(FIRST, lambda: page.goto(f"{url}/library/"))
    loaded = (page.request.get(name).body() for name in page.evaluate(LOADED))
    seen["transfer"] = sum(len(gzip.compress(body)) for body in loaded)
    start = time.perf_counter()
    page.wait_for_selector(".scrubber", state="attached")
    seen["then until the scale is there"] = (time.perf_counter() - start) * 1000
    step("to the middle by the scale", lambda: _leap(page, 0.5))
    step("to the end by the scale", lambda: _leap(page, 0.99))
    step("back to the top", lambda: page.keyboard.press("Home"))
    step("5 s of steady scrolling, then until all is there", lambda: _scroll(page))
    step("to the middle again", lambda: _leap(page, 0.5))
    step("a filter: films only", lambda: _and_answered(page, lambda: _choose(page, "Videos")))
    step("a search for a rare word", lambda: _and_answered(page, lambda: _search(page)))
    found = page.evaluate("window.seen")
    seen["longest task"] = max(found["tasks"], default=0)
    seen["tasks over 50 ms"] = len(found["tasks"])
    seen["shift"] = found["shift"]
    return seen


def _leap(page: Page, at: float) -> None:
    page.evaluate(
        """(at) => {
          const scale = document.querySelector(".scrubber");
          const {top, left, height} = scale.getBoundingClientRect();
          const where = {
            clientX: left + 5, clientY: top + height * at, bubbles: true, pointerId: 1,
          };
          scale.setPointerCapture = () => {};
          for (const name of ["pointerdown", "pointermove", "pointerup"]) {
            scale.dispatchEvent(new PointerEvent(name, where));
          }
        }""",
        at,
    )
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def _scroll(page: Page) -> None:
    page.mouse.move(200, 400)
    end = time.perf_counter() + 5
    while time.perf_counter() < end:
        page.mouse.wheel(0, 240)
        page.wait_for_timeout(30)


def _and_answered(page: Page, act: Callable[[], Any]) -> None:
    with page.expect_response(lambda answer: "/library/?" in answer.url):
        act()
    page.wait_for_selector("media-grid.is-placed")


def _choose(page: Page, words: str) -> None:
    page.get_by_label(words, exact=True).check(force=True)


def _search(page: Page) -> None:
    page.get_by_label("Search", exact=True).fill("zanzibar")


def _figures(view: str, runs: list[dict[str, float]]) -> list[Figure]:
    units = {"elements": "most elements", "transfer": "bytes of script and style"}
    told = [
        Figure(f"{view}: {words}", tuple(run[name] for run in runs))
        for name, words in units.items()
    ]
    return [*told, Figure(f"{view}: first page, ms", tuple(run[FIRST] for run in runs))]


def _table(
    view: str, runs: list[dict[str, float]], chromium: str, rows: int
) -> tuple[Table, list[Verdict]]:
    kept = ("elements", "longest task", "tasks over 50 ms", "shift", "transfer")
    steps = [name for name in runs[0] if name not in kept]
    lines = tuple(
        (
            name,
            f"{statistics.median(run[name] for run in runs):.0f}",
            f"{max(run[name] for run in runs):.0f}",
        )
        for name in steps
    )
    most = {name: max(run[name] for run in runs) for name in kept}
    ours = f"Django {importlib.metadata.version('django')}, Python {platform.python_version()}"
    note = (
        f"{rows} files; Chromium {chromium}, {ours}; {os.cpu_count()} cores that browser, server "
        f"and database share; {len(runs)} rounds, each with an empty cache. "
        f"At most {most['elements']:.0f} elements, "
        f"{most['tasks over 50 ms']:.0f} tasks over 50 ms in a round."
    )
    table = Table(f"On a {view}", ("step", "ms, median", "ms, most"), lines, note)
    longest, shift, size = most["longest task"], most["shift"], most["transfer"]
    return table, [
        Verdict(f"{view}: no task over {LONGEST_TASK} ms: {longest:.0f}", longest <= LONGEST_TASK),
        Verdict(f"{view}: CLS under {MOST_SHIFT}: {shift:.4f}", shift < MOST_SHIFT),
        Verdict(
            f"{view}: at most {MOST_ELEMENTS} elements: {most['elements']:.0f}",
            most["elements"] <= MOST_ELEMENTS,
        ),
        Verdict(f"{view}: script and style under 200 KB: {size / 1000:.0f}", 0 < size < BUDGET),
    ]


def _options() -> argparse.Namespace:
    parser = benchmark.options(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
