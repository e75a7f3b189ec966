"""Every page of the site: WCAG 2.2 AA as far as a program can check it, on a telephone and a desk,
in light and dark, under a policy that lets no inline script or style in, and from one host alone.

The table of pages is complete: a page without a row fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django.utils.http import urlsafe_base64_encode
from playwright.sync_api import Page

from apps.events.models import Event
from apps.events.services import add_photos
from apps.media import services
from apps.media.models import MediaFile
from apps.media.tests.browser.test_accessibility import AXE, DESK, PHONE, violations
from apps.notifications.kinds import Kind
from apps.notifications.tokens import token_for
from apps.posts.services import create_post
from apps.users.services import propose_email

# Who looks at a page → its name → what its address ends in, of the things in `world`.
PAGES: dict[str, dict[str, str]] = {
    "nobody": {
        "media:home": "",
        "media:share": "link",
        "media:share-media": "shelf_link media",
        "media:share-collection": "shelf_link shelf",
        "users:login": "",
        "users:signup": "",
        "users:forgotten-password": "",
        "users:new-password": "uid password_token",
        "installable:offline": "",
        "notifications:unsubscribe": "token",
    },
    "owner": {
        "media:library": "",
        "media:upload": "",
        "media:storage": "",
        "media:copies": "",
        "media:lookalikes": "",
        "media:unused": "",
        "media:trash": "",
        "media:detail": "media",
        "media:activity": "media",
        "media:webhooks-page": "",
        "media:webhook-page": "webhook",
        "media:collections": "",
        "media:collection": "shelf",
        "users:profile": "name",
        "users:edit": "",
        "users:security": "",
        "users:email": "",
        "users:confirm-email": "email_token",
        "users:delete": "",
        "posts:feed": "",
        "posts:new": "",
        "posts:post": "post",
        "posts:edit": "post",
        "events:events": "",
        "events:new": "",
        "events:event": "event",
        "events:edit": "event",
        "events:words": "event",
        "notifications:list": "",
        "notifications:preferences": "",
    },
}
QUERIES = {"events:words": "?ids={media}"}
# What answers GET and is no page of the frame: parts of pages, other people's pages, programs.
NO_PAGES = {
    "media:choose",
    "media:media-cards",
    "media:media-ids",
    "media:media-outline",
    "media:media-suggestions",
    "media:tag-suggestions",
    "media:code-of-link",
    "media:collection-code-of-link",
    "media:status",
    "media:oembed",
    "installable:manifest",
    "installable:worker",
    "installable:shared",  # leads on
    "events:cards",
    "events:card",
    "posts:more",
    "notifications:bell",
    "notifications:stream",
    "notifications:preview",
    "media:collection-archive",
    "set_language",
    "healthz",
    "metrics",
    "readyz",
    "api-schema",
    "api-docs",
}
# Addresses of programs, of bytes, of Django's own pages; and the ends of those of shared bytes.
NOTHING = ("api/v1/", "media/", "admin/")
BYTES = re.compile(r"^share/.*/(original|r/.*|hls/.*)$")
LISTEN = """
window.refused = [];
addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));
"""


def _patterns(resolver: Any, route: str = "", space: str = "") -> Iterator[tuple[str, str, Any]]:
    for entry in resolver.url_patterns:
        whole = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = ":".join(filter(None, [space, entry.namespace or ""]))
            yield from _patterns(entry, whole, inner)
        elif isinstance(entry, URLPattern):
            yield whole, ":".join(filter(None, [space, entry.name or ""])), entry.callback


def _answers_get(view: Any) -> bool:
    kind = getattr(view, "view_class", None)
    return kind is None or (hasattr(kind, "get") and "get" in kind.http_method_names)


def test_every_page_has_its_row() -> None:
    found = {
        name
        for route, name, view in _patterns(get_resolver())
        if _answers_get(view) and not (route.startswith(NOTHING) or BYTES.match(route))
    }
    rows = {name for names in PAGES.values() for name in names}
    assert found - NO_PAGES == rows
    assert found >= NO_PAGES


@pytest.fixture
def world(
    owner: Any, ready: Callable[..., MediaFile], event: Event, live_server: Any
) -> dict[str, Any]:
    """One of each thing that has a page."""
    media = ready("Boats.jpg", alt_text="Boats in a harbour", visibility="public")
    services.delete_media(user=owner, media=ready("Thrown away.jpg"))
    shelf = services.create_collection(user=owner, title="Summer")
    services.add_items(user=owner, collection=shelf, media_ids=[media.pk])
    add_photos(user=owner, event=event, media_ids=[media.pk])
    link = services.create_share_link(user=owner, media=media)
    shelf_link = services.create_share_link(user=owner, media=shelf)
    webhook, _secret = services.create_webhook(
        user=owner, url="https://example.org/hook", events=["media.ready"]
    )
    change = propose_email(
        user=owner, address="o@example.org", password="correct horse battery staple"
    )
    post = create_post(author=owner, text="Here is where we were")
    return {
        "media": media.pk,
        "shelf": shelf.pk,
        "link": link.get_absolute_url().strip("/").split("/")[-1],
        "shelf_link": shelf_link.get_absolute_url().strip("/").split("/")[-1],
        "webhook": webhook.pk,
        "token": token_for(owner.pk, Kind.MEDIA_READY),
        "email_token": change.token,
        "uid": urlsafe_base64_encode(str(owner.pk).encode()),
        "password_token": default_token_generator.make_token(owner),
        "post": post.pk,
        "event": event.pk,
        "name": owner.username,
    }


def _check(page: Page, address: str) -> list[str]:
    found = []
    for scheme, size in product(("light", "dark"), (PHONE, DESK)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, answer.status
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        found += [f"{scheme} {size['width']}: {rule}" for rule in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            found.append(f"{size['width']}: wider than the screen")
        found += page.evaluate("refused")
    return found


@pytest.mark.parametrize(
    ("who", "name"), [(who, name) for who, names in PAGES.items() for name in names]
)
def test_a_page(
    who: str,
    name: str,
    page: Page,
    at: Callable[[str], str],
    world: dict[str, Any],
    owner: Any,
    sign_in: Callable[[Any], None],
    complaints: list[str],
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run bin/setup")
    if who == "owner":
        sign_in(owner)
    page.add_init_script(LISTEN)
    address = reverse(name, args=[world[thing] for thing in PAGES[who][name].split()])
    address += QUERIES.get(name, "").format(**world)
    assert _check(page, at(address)) == []


@pytest.mark.parametrize("path", ["/nowhere/", "/library/00000000-0000-0000-0000-000000000000/"])
def test_a_page_that_is_not_there(
    path: str,
    page: Page,
    at: Callable[[str], str],
    owner: Any,
    sign_in: Callable[[Any], None],
    complaints: list[str],
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run bin/setup")
    sign_in(owner)
    page.goto(at(path))
    assert violations(page) == []
    complaints.clear()  # the browser tells of every 404
