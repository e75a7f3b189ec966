"""What somebody is told, in a real browser: the bell, the list, the preferences, the mail."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from apps.core.storage import ObjectStore
from apps.events import services as events
from apps.events.models import Event
from apps.media.models import MediaFile
from apps.media.tests.browser.test_accessibility import violations
from apps.media.tests.views.test_access_matrix import whole_photo
from apps.notifications import dispatch, mailing, selectors, services
from apps.notifications.kinds import Email, Kind
from apps.notifications.models import Mail, Notification
from apps.notifications.services import News
from apps.notifications.tests.test_announcing import announce_all
from apps.users.models import User

SHOTS = os.environ.get("SHOTS", "")  # a folder for pictures of the pages, to be looked at
NARROW, DESK = {"width": 320, "height": 700}, {"width": 1280, "height": 800}
BELL = "**/notifications/bell/**"
SHOWN = "document.body.dispatchEvent(new CustomEvent('shown'))"


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "send", lambda name, *args, queue: True)


@pytest.fixture
def host(live_server: Any) -> User:
    return User.objects.create_user(username="hanna", display_name="Hanna Berg")


@pytest.fixture
def event(host: User, owner: User) -> Event:
    starts_at = timezone.now() + timedelta(days=7)
    event = events.create_event(user=host, title="Summer on the lake", starts_at=starts_at)
    events.invite_guest(user=host, event=event, name=owner.username)
    announce_all()
    return event


@pytest.fixture
def photo(
    upload: Callable[..., MediaFile], own_storage: ObjectStore, host: User, event: Event
) -> MediaFile:
    media = whole_photo(upload, own_storage)
    MediaFile.objects.filter(pk=media.pk).update(
        owner=host, alt_text="A lake with a boat", published_version=1
    )
    events.add_photos(user=host, event=event, media_ids=[media.pk])
    return media


@pytest.fixture
def told(owner: User, host: User, event: Event, photo: MediaFile) -> list[Notification | None]:
    """What the owner is told beside being invited: photos of that event, files, a webhook."""
    of_event = {"actor_id": host.pk, "target": "event", "target_id": event.pk}
    every = [
        News(kind=Kind.WEBHOOK_OFF, key="1"),
        News(kind=Kind.MEDIA_REFUSED, key="1", group="own", count=3, target="media"),
        News(kind=Kind.EVENT_MEDIA, key="1", count=12, picture_id=photo.pk, **of_event),
    ]
    return [services.notify(recipient=owner, news=news) for news in every]


def _shots(page: Page, name: str) -> Iterator[str]:
    """Each look of the page: pictures if wanted, and what a program finds wrong with it."""
    for scheme in ("light", "dark"):
        for size in (NARROW, DESK):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            if SHOTS:
                at = Path(SHOTS) / f"{name}-{scheme}-{size['width']}.png"
                page.screenshot(path=str(at), full_page=True)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                yield f"{name} is wider than {size['width']}"
            if (scheme, size) in (("light", NARROW), ("dark", DESK)):
                yield from violations(page)


def test_from_the_bell_to_what_it_tells_of(
    site: Page, at: Any, owner: User, event: Event, told: list[Notification]
) -> None:
    site.goto(at("/events/"))
    bell = site.locator("#bell-link")
    expect(bell).to_have_accessible_name("Notifications, 4 unread")
    services.notify(recipient=owner, news=News(kind=Kind.WEBHOOK_OFF, key="2"))
    site.evaluate(SHOWN)  # as when somebody comes back to the tab
    expect(bell).to_have_accessible_name("Notifications, 5 unread")
    bell.click()
    photos = site.get_by_role("button", name="Unread: Hanna Berg added 12 photos")
    expect(photos).to_be_visible()
    assert list(_shots(site, "list")) == []
    photos.click()
    site.wait_for_url(at(event.get_absolute_url()))
    expect(bell).to_have_accessible_name("Notifications, 4 unread")
    bell.click()
    site.get_by_role("button", name="Mark all as read").click()
    expect(bell).to_have_accessible_name("Notifications")
    expect(site.get_by_text("Unread:")).to_have_count(0)
    expect(site.get_by_role("button", name="Mark all as read")).to_have_count(0)

    site.get_by_role("link", name="Preferences").click()
    group = site.get_by_role("group", name="New photos of an event of yours")
    group.get_by_label("In the page").uncheck()
    group.get_by_label("By e-mail").select_option("At once")
    site.get_by_role("button", name="Save").click()
    expect(site.locator(".message")).to_have_text("Changes saved.")
    expect(group.get_by_label("In the page")).not_to_be_checked()
    way = selectors.ways_of(owner)[Kind.EVENT_MEDIA]
    assert (way.in_page, way.email) == (False, Email.NOW)
    assert list(_shots(site, "preferences")) == []


def test_the_bell_rests_in_hidden_tabs_and_while_the_server_has_trouble(
    site: Page, at: Any, complaints: list[str]
) -> None:
    asked: list[str] = []

    def fail(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503)

    site.route(BELL, fail)
    site.clock.install()
    site.goto(at("/events/"))
    site.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    site.clock.run_for(180_000)
    assert asked == []
    site.evaluate("Object.defineProperty(document, 'hidden', {value: false})")
    for _ in range(20):  # ten minutes
        site.clock.run_for(30_000)
        expect(site.locator("#bell")).not_to_have_class(re.compile("htmx-request"))
    assert 3 <= len(asked) <= 6, asked  # after 30, 60, 120, 240, 480 seconds
    complaints.clear()  # the browser says that it was a 503


def test_the_mail_is_fit_for_readers(
    page: Page, live_server: Any, settings: Any, owner: User, told: Any, mailoutbox: list[Any]
) -> None:
    settings.SITE_URL = live_server.url
    User.objects.filter(pk=owner.pk).update(email="olga@example.org")
    Notification.objects.update(email=Email.DIGEST, mail=None)
    mailing.queue_digests()
    assert mailing.send_mail(Mail.objects.get(is_digest=True).pk)
    html = mailoutbox[0].alternatives[0][0]
    page.set_content(html, wait_until="networkidle")
    picture = page.get_by_role("img", name="A lake with a boat")
    assert picture.evaluate("image => image.naturalWidth") > 0
    assert list(_shots(page, "mail")) == []
