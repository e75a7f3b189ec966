"""A real browser on a real server. Skips where there is no Chromium or no built front end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from apps.media.models import MediaFile
from apps.media.tests import samples

STATIC = Path(settings.BASE_DIR) / "src/apps/media/static/media/dist"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
# A camera that shows a pattern, and nobody who has to allow it.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
FLAGS = ["--no-sandbox", "--disable-gpu", *CAMERA]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def needs() -> None:
    """Say what is missing instead of failing with somebody else's words."""
    if not Path(CHROMIUM).is_file():
        pytest.skip("no Chromium: install it, or name it in CHROMIUM")
    if not (STATIC / "main.js").is_file():
        pytest.skip("the front end is not built: run bin/setup")


@pytest.fixture(scope="session", autouse=True)
def sync_database_calls() -> Iterator[None]:
    """The browser's driver keeps an event loop in this thread; our queries are still ours alone."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=20_000)  # milliseconds: other tests run beside these
    yield
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # gone if another app's tests ended first


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Without the site's worker, which would stand between pages and what tests do to requests."""
    return {**browser_context_args, "service_workers": "block"}


@pytest.fixture
def complaints(context: BrowserContext, live_server: Any) -> Iterator[list[str]]:
    """What the browser found wrong: refused by the policy, failed, or sent to another host.

    The test fails with it at the end, unless it has emptied the list.
    """
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        blocked = "Service Worker registration blocked" in message.text  # by these tests
        if message.type in {"error", "warning"} and not blocked:
            found.append(message.text)

    def watch(request: Request) -> None:
        if not request.url.startswith((live_server.url, "data:", "blob:")):
            found.append(f"left the host: {request.url}")

    context.on("console", hear)
    context.on("request", watch)
    context.on("weberror", lambda error: found.append(str(error.error)))
    yield found
    assert found == []


@pytest.fixture
def sign_in(
    context: BrowserContext, live_server: Any, browser_of: Callable[[Any], Any]
) -> Callable[[Any], None]:
    """Give the browser the session of a user."""

    def enter(user: Any) -> None:
        value = browser_of(user).cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}]
        )

    return enter


@pytest.fixture
def site(page: Page, owner: Any, sign_in: Callable[[Any], None], complaints: list[str]) -> Page:
    """A page in the owner's browser, at no address yet; complaints fail the test."""
    # Dialogues for files are waited for from the start: what begins with `expect_file_chooser`
    # may reach the browser after the key that opens one.
    page.on("filechooser", lambda _: None)
    sign_in(owner)
    return page


@pytest.fixture
def at(live_server: Any) -> Callable[[str], str]:
    """The full address of a path."""
    return lambda path: f"{live_server.url}{path}"


@pytest.fixture
def ready_photo(
    live_server: Any, upload: Callable[..., MediaFile], run_jobs: Callable[[], int]
) -> Callable[..., MediaFile]:
    """A processed photograph of the owner; fields as in `services.upload_media`."""

    def make(name: str = "photo.jpg", **fields: Any) -> MediaFile:
        media = upload(samples.photo_jpeg(640, 480, quality=60), name, **fields)
        run_jobs()
        media.refresh_from_db()
        return media

    return make


@pytest.fixture
def photos(
    live_server: Any, owner: Any, ready_photo: Callable[..., MediaFile]
) -> Callable[[int], list[MediaFile]]:
    """Many files at the price of one: rows without pictures."""

    def make(count: int) -> list[MediaFile]:
        rows = [
            MediaFile(
                owner=owner,
                original_name=f"{n:03}.jpg",
                media_type="image",
                mime_type="image/jpeg",
                size=1,
                width=600,
                height=400,
                status="ready",
            )
            for n in range(count)
        ]
        return MediaFile.objects.bulk_create(rows)

    return make


@pytest.fixture
def two_files(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "first.jpg", tmp_path / "second.png"]
    files[0].write_bytes(samples.photo_jpeg(640, 480))
    files[1].write_bytes(samples.photo_png(400, 600))
    return files
