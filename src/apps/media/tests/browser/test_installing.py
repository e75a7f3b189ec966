"""The site as a program: its worker keeps style and script, waits with shared files, and shows a
page where there is no network. What belongs to somebody is in no cache, ever.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from apps.media.models import MediaFile

PASSWORD = "correct horse battery staple"
At = Callable[[str], str]
# Pages are the worker's from the next one on, once it is not only there but also in service.
READY = """async () => {
  const {active} = await navigator.serviceWorker.ready;
  while (active.state !== "activated")
    await new Promise((resolve) => active.addEventListener("statechange", resolve, {once: true}));
}"""
CACHED = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const {url} of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
  return found;
}"""
LEFT = "indexedDB.databases().then((all) => all.map(({name}) => name))"


@pytest.fixture(scope="module")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "service_workers": "allow"}


@pytest.fixture
def installed(page: Page, at: At, complaints: list[str]) -> Page:
    """A page of a browser that knows the site's worker."""
    page.goto(at("/accounts/login/"))
    page.evaluate(READY)
    return page


def _share(page: Page, at: At, files: list[Path]) -> None:
    """As a telephone does: a form of no page of ours, sent to the address of the manifest."""
    page.goto(at("/accounts/login/"))
    page.evaluate(
        """() => {
          const form = document.createElement("form");
          form.method = "post";
          form.enctype = "multipart/form-data";
          form.action = "/library/upload/shared/";
          form.innerHTML = '<input type="file" name="files" multiple id="sent">';
          document.body.replaceChildren(form);
        }"""
    )
    page.locator("#sent").set_input_files(files)
    page.evaluate("document.querySelector('form').submit()")


def _sign_in(page: Page) -> None:
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def test_shared_files_outlast_signing_in_and_wait_for_a_word(
    installed: Page, at: At, owner: Any, two_files: list[Path]
) -> None:
    _share(installed, at, two_files)
    expect(installed.get_by_text("What you shared waits in this browser")).to_be_visible()
    _sign_in(installed)
    expect(installed.get_by_role("heading", name="2 files were shared")).to_be_visible()
    expect(installed.get_by_text("first.jpg")).to_be_visible()
    assert not MediaFile.objects.exists()
    installed.get_by_label("Tags").fill("holiday")
    installed.get_by_role("button", name="Upload them").click()
    expect(installed.get_by_text("2 files uploaded").first).to_be_visible()
    assert {media.original_name for media in MediaFile.objects.filter(tags__name="holiday")} == {
        "first.jpg",
        "second.png",
    }
    installed.goto(at("/library/upload/"))
    expect(installed.get_by_role("button", name="Choose files")).to_be_visible()
    expect(installed.get_by_role("button", name="Upload them")).to_be_hidden()


def test_shared_files_that_nobody_wants_are_gone(
    installed: Page, at: At, owner: Any, sign_in: Callable[[Any], None], two_files: list[Path]
) -> None:
    sign_in(owner)
    # Who is in is led away from the door: any page of the site will do to send the form from.
    _share(installed, at, two_files)
    installed.get_by_role("button", name="Discard").click()
    installed.goto(at("/library/upload/"))
    expect(installed.get_by_role("button", name="Choose files")).to_be_visible()
    expect(installed.get_by_role("button", name="Upload them")).to_be_hidden()
    assert not MediaFile.objects.exists()


def test_without_a_network_there_is_a_page_that_gives_way(
    installed: Page, at: At, owner: Any, sign_in: Callable[[Any], None], complaints: list[str]
) -> None:
    sign_in(owner)
    installed.context.set_offline(True)
    installed.goto(at("/library/"))
    expect(installed.get_by_role("heading", name="No connection")).to_be_visible()
    assert installed.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") != "400"
    assert installed.get_by_role("link", name="Try again").evaluate("(link) => link.href") == at(
        "/library/"
    )
    installed.context.set_offline(False)
    expect(installed.get_by_role("heading", name="Your library is empty")).to_be_visible()
    installed.context.set_offline(True)
    expect(installed.get_by_text("You are offline.")).to_be_visible()
    complaints.clear()  # the browser tells of every request that failed


def test_nothing_of_anybody_is_in_a_cache(
    installed: Page,
    at: At,
    owner: Any,
    sign_in: Callable[[Any], None],
    ready_photo: Callable[..., MediaFile],
    two_files: list[Path],
) -> None:
    media = ready_photo("secret.jpg")
    sign_in(owner)
    for path in ("/library/", media.get_absolute_url(), "/collections/", "/library/upload/"):
        installed.goto(at(path))
        installed.wait_for_load_state("load")
    installed.evaluate("fetch('/api/v1/media/').then((answer) => answer.json())")
    installed.evaluate(f"fetch('/media/{media.pk}/original').then((answer) => answer.blob())")

    def kept() -> list[str]:
        found: list[str] = installed.evaluate(CACHED)
        return [path for path in found if not path.startswith("/static/")]

    assert any(path.startswith("/static/") for path in installed.evaluate(CACHED))
    assert kept() == ["/offline/"]
    page = installed.evaluate("caches.match('/offline/').then((answer) => answer.text())")
    assert owner.username not in page
    _share(installed, at, two_files)
    expect(installed.get_by_role("button", name="Discard")).to_be_visible()
    installed.get_by_label("Account of").click()
    installed.get_by_role("button", name="Sign out").click()
    expect(installed.get_by_role("link", name="Sign in").first).to_be_visible()
    assert kept() == ["/offline/"]
    assert "shared-files" not in installed.evaluate(LEFT)


def test_the_worker_sees_every_page_and_the_policy_stays(installed: Page, at: At) -> None:
    scope = installed.evaluate("navigator.serviceWorker.ready.then(({scope}) => scope)")
    assert urlsplit(scope).path == "/"
