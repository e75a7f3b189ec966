"""SECRET_KEY replaced: with the old one as a fallback nobody notices; without it, what was sealed
by it is worth nothing, and what only has to be read was closed anew before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from knox.models import get_token_model

from apps.media import services
from apps.media.models import MediaFile, WebhookDelivery
from apps.media.tests import samples
from apps.media.tests.hooks import hook_of, receiving
from apps.notifications.exceptions import NotThereError
from apps.notifications.tokens import read_token, token_for

pytestmark = pytest.mark.django_db
PASSWORD = "sesame, please"


@pytest.fixture
def photo(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    media = upload(samples.photo_jpeg(64, 48))
    run_jobs()
    return media


@pytest.fixture
def rotate(settings: Any) -> Callable[..., None]:
    """The next key; with `keep` the ones before still open."""

    def turn(*, keep: bool) -> None:
        old = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        settings.SECRET_KEY = "the next key, of more than fifty characters, that nobody saw"
        settings.SECRET_KEY_FALLBACKS = old if keep else []

    return turn


class Held:
    """What people hold that was made under the first key."""

    def __init__(self, owner: Any, photo: MediaFile, session: Client) -> None:
        self.owner, self.photo, self.session = owner, photo, session
        self.signed = services.create_signed_url(user=owner, media=photo)
        self.link = services.create_share_link(user=owner, media=photo, password=PASSWORD)
        self.visitor = Client()
        self.visitor.post(self.link.get_absolute_url(), {"password": PASSWORD})
        self.unsubscribe = token_for(owner.pk, "all")
        self.reset = default_token_generator.make_token(owner)
        self.token = get_token_model().objects.create(user=owner)[1]

    def works(self) -> dict[str, bool]:
        """Which of it still does what it was given for."""
        program = {"HTTP_AUTHORIZATION": f"Token {self.token}"}
        link = self.visitor.get(self.link.get_absolute_url())
        return {
            "session": self.session.get("/api/v1/me/usage/").status_code == 200,
            "signed address": Client().get(self.signed).status_code == 200,
            "unlocked link": b'type="password"' not in link.content,
            "unsubscribing": _reads(self.unsubscribe),
            "password reset": default_token_generator.check_token(self.owner, self.reset),
            "token": Client().get("/api/v1/me/usage/", **program).status_code == 200,
        }


def _reads(token: str) -> bool:
    try:
        return bool(read_token(token))
    except NotThereError:
        return False


@pytest.fixture
def held(owner: Any, photo: MediaFile, browser_of: Any) -> Held:
    return Held(owner, photo, browser_of(owner))


def test_everything_works_before(held: Held) -> None:
    assert all(held.works().values()), held.works()


def test_with_the_old_key_beside_nobody_notices(held: Held, rotate: Callable[..., None]) -> None:
    rotate(keep=True)
    assert all(held.works().values()), held.works()


def test_without_it_only_what_needs_no_key_works(held: Held, rotate: Callable[..., None]) -> None:
    rotate(keep=False)
    assert [name for name, works in held.works().items() if works] == ["token"]
    page = held.visitor.get(held.link.get_absolute_url())
    assert page.status_code == 200  # the link stands, and asks for its password again
    login = held.session.get(reverse("media:library"))
    assert login.status_code == 302


def test_messages_to_webhooks_outlive_the_old_key(
    owner: Any, photo: MediaFile, rotate: Callable[..., None], settings: Any
) -> None:
    with receiving() as receiver:
        hook = hook_of(owner, receiver.url)
        rotate(keep=True)
        call_command("media_rotate_keys")
        settings.SECRET_KEY_FALLBACKS = []
        delivery = services.ping_webhook(user=owner, webhook=hook)
        assert services.run_delivery(delivery.pk, reach=receiver.reach) == 1
    assert WebhookDelivery.objects.get(pk=delivery.pk).state == "delivered"
