"""What the library page may cost: bytes before it works, jumps while it loads, waits while it
scrolls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Response, expect
from whitenoise.compress import Compressor

from apps.media.models import MediaFile

KIB = 1024
FIRST_LOAD = 200 * KIB  # bytes of script and style, compressed
SHIFT = 0.02  # cumulative layout shift; "good" ends at 0.1 (web.dev/cls)
LONG = 200  # milliseconds in which a page answers nobody
TRIES = 3  # other programs run beside: the best of these is what the page itself costs
SHAPES = [(64, 48), (48, 64), (96, 40), (40, 40), (64, 36), (30, 64)]
OBSERVE = """
window.shift = 0;
window.tasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.tasks.push(entry.duration);
}).observe({type: "longtask"});
"""
SCROLL = """async () => {
  window.tasks = [];
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  for (let step = 0; step < 60; step += 1) {
    scrollBy({top: innerHeight / 3, behavior: "instant"});
    await frame();
  }
  await new Promise((resolve) => setTimeout(resolve));  // what was observed is told after a task
  scrollTo({top: 0, behavior: "instant"});
  return Math.max(0, ...window.tasks);
}"""


def _weigh(response: Response) -> int:
    """Bytes as WhiteNoise has them when static files are collected; brotli makes them fewer."""
    return len(Compressor.compress_gzip(response.body()))


def test_the_library_page_is_light(
    site: Page, at: Callable[[str], str], ready: Callable[..., MediaFile]
) -> None:
    ready("one.jpg")
    came: list[Response] = []
    site.on("response", lambda one: came.append(one))  # noqa: PLW0108  # drivers want a function
    site.goto(at("/library/"))
    code = {one.url: one for one in came if one.request.resource_type in {"script", "stylesheet"}}
    sizes = {url.rpartition("/")[2]: _weigh(one) for url, one in code.items()}
    assert {"main.js", "main.css"} <= set(sizes)
    assert sum(sizes.values()) < FIRST_LOAD, sizes


def test_nothing_jumps_while_it_loads_and_pictures_come(
    site: Page, at: Callable[[str], str], ready: Callable[..., MediaFile]
) -> None:
    for number, size in enumerate(SHAPES * 2):
        ready(f"{number}.jpg", size=size)
    site.add_init_script(OBSERVE)
    for width in (390, 1280):
        site.set_viewport_size({"width": width, "height": 800})
        site.goto(at("/library/"))
        expect(site.locator(".card img").last).to_have_js_property("complete", True)
        assert site.evaluate("shift") < SHIFT


def test_scrolling_never_waits_long(
    site: Page, at: Callable[[str], str], owner: Any, complaints: list[str]
) -> None:
    facts = {"media_type": "image", "mime_type": "image/jpeg", "size": 1, "status": "ready"}
    MediaFile.objects.bulk_create(
        MediaFile(owner=owner, original_name=f"{n}.jpg", width=600, height=400 + n % 300, **facts)
        for n in range(400)
    )
    site.add_init_script(OBSERVE)
    site.goto(at("/library/"))
    assert min(site.evaluate(SCROLL) for _ in range(TRIES)) < LONG
    complaints.clear()  # these rows have no pictures
