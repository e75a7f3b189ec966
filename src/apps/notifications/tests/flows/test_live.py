"""The bell in a real browser, at a real web server, told of what other processes write."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from apps.media.tests.browser.conftest import browser_type_launch_args, needs
from apps.media.tests.flows.servers import Site, running_site
from apps.notifications.live import EACH

__all__ = ["browser_type_launch_args", "needs"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
STREAM = "/notifications/stream/"
BELL = "/notifications/bell/"
READERS = 100


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(
        tmp_path_factory.mktemp("live"),
        programs=("web",),
        change=lambda env: {**env, "STATIC_FROM_SOURCE": "true"},
        observer="apps.notifications.tests.flows.observer",
    ) as site:
        yield site


@pytest.fixture
def reader(site: Site) -> dict[str, Any]:
    key = site.observer.ask("people")["reader"]
    return {"key": key, "cookie": site.observer.ask("session", key)}


@pytest.fixture
def looking(page: Page, context: BrowserContext, site: Site, reader: dict[str, Any]) -> Page:
    """A page that somebody looks at, whose stream is open; its clock stands still, so that nothing
    is asked by it."""
    context.add_cookies([{**reader["cookie"], "url": site.address}])
    page.clock.install()
    with page.expect_response(f"**{STREAM}") as opened:
        page.goto(f"{site.address}/posts/")
    assert opened.value.status == 200
    return page


def test_what_another_process_writes_appears_by_itself(
    site: Site, reader: dict[str, Any], looking: Page
) -> None:
    asked: list[str] = []
    looking.on("request", lambda request: asked.append(request.url))
    bell = looking.locator("#bell-link")
    expect(bell).to_have_accessible_name("Notifications")
    for number in (1, 2):
        site.observer.ask("tell", reader["key"])
        expect(bell).to_have_accessible_name(f"Notifications, {number} unread")
    assert [address.partition("?")[0] for address in asked] == [f"{site.address}{BELL}"] * 2
    looking.clock.run_for(180_000)
    assert len(asked) == 2  # nobody asks by the clock meanwhile


def test_pages_that_were_left_take_no_room(site: Site, looking: Page) -> None:
    for _ in range(2 * EACH):
        with looking.expect_response(f"**{STREAM}") as opened:
            looking.reload()
        assert opened.value.status == 200


def test_who_gets_no_stream_asks_from_time_to_time(
    site: Site, reader: dict[str, Any], page: Page, context: BrowserContext
) -> None:
    context.add_cookies([{**reader["cookie"], "url": site.address}])
    page.route(f"**{STREAM}", lambda route: route.fulfill(status=204))
    page.clock.install()
    page.goto(f"{site.address}/posts/")
    site.observer.ask("tell", reader["key"])
    page.clock.run_for(31_000)
    expect(page.locator("#bell-link")).to_have_accessible_name("Notifications, 1 unread")


def test_a_hundred_streams_hinder_nobody_and_end_with_the_session(site: Site) -> None:
    """More than there is room for get an answer, too."""
    readers = [site.observer.ask("people")["reader"] for _ in range(READERS)]
    cookies = [site.observer.ask("session", key) for key in readers]
    with ExitStack() as stack:
        limits = httpx.Limits(max_connections=None)
        client = stack.enter_context(
            httpx.Client(base_url=site.address, limits=limits, timeout=60, trust_env=False)
        )
        opened = [
            stack.enter_context(client.stream("GET", STREAM, headers={"Cookie": _header(one)}))
            for one in cookies
        ]
        taken = [answer for answer in opened if answer.status_code == 200]
        assert {answer.status_code for answer in opened} <= {200, 204}
        assert len(taken) >= READERS // 2
        lines = [answer.iter_lines() for answer in taken]
        for one in lines:
            _next_count(one)
        with ThreadPoolExecutor(16) as pool:
            pages = pool.map(lambda _: client.get("/healthz").status_code, range(200))
            assert set(pages) == {200}
        first = readers[opened.index(taken[0])]
        site.observer.ask("tell", first)
        assert _next_count(lines[0]) == 1
        last = readers[opened.index(taken[-1])]
        assert site.observer.ask("sign_out", last) == 1
        site.observer.ask("tell", last)
        assert [line for line in lines[-1] if "data" in line] == []
    assert site.terminate("web") < 20
    site.start("web")
    site.wait_ready()


def _header(cookie: dict[str, str]) -> str:
    return f"{cookie['name']}={cookie['value']}"


def _next_count(lines: Iterator[str]) -> int:
    return next(int(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
