"""Webhooks on pages: made, tried out, changed, removed; the secret is shown once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.media import dispatch, services
from apps.media.models import Webhook, WebhookDelivery

URL = "/webhooks/"
HOOK = "https://hooks.example/in?a=1"


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "send", lambda *args, **kwargs: True)


@pytest.fixture
def client(owner: Any, browser_of: Callable[[Any], Client]) -> Client:
    return browser_of(owner)


@pytest.fixture
def webhook(owner: Any) -> Webhook:
    webhook, _ = services.create_webhook(user=owner, url=HOOK, events=["media.ready"])
    return webhook


def press(client: Client, webhook: Webhook, button: str, **fields: Any) -> Any:
    return client.post(f"{URL}{webhook.pk}/", {"do": button, **fields})


def secret_in(page: bytes) -> list[str]:
    return re.findall(r'value="(whsec_[^"]+)"', page.decode())


def test_is_made_and_its_secret_is_shown_once(client: Client) -> None:
    answer = client.post(URL, {"url": HOOK, "events": ["media.ready"], "description": "Mine"})
    webhook = Webhook.objects.get()
    assert (webhook.url, webhook.events, webhook.description) == (HOOK, ["media.ready"], "Mine")
    assert len(secret_in(answer.content)) == 1
    assert "no-store" in answer["Cache-Control"]
    assert secret_in(client.get(f"{URL}{webhook.pk}/").content) == []
    assert HOOK in client.get(URL).content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "nonsense", "events": ["media.ready"]},
        {"url": HOOK, "events": []},
        {"url": HOOK, "events": ["media.other"]},
        {"url": "http://hooks.example/", "events": ["media.ready"]},
    ],
)
def test_what_is_refused_is_explained(client: Client, fields: Any) -> None:
    answer = client.post(URL, fields)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not Webhook.objects.exists()


def test_buttons(client: Client, webhook: Webhook) -> None:
    assert press(client, webhook, "ping").status_code == 302
    assert WebhookDelivery.objects.get().event == "webhook.ping"
    press(client, webhook, "off")
    webhook.refresh_from_db()
    assert not webhook.enabled
    assert press(client, webhook, "ping").status_code == 409
    press(client, webhook, "on")
    press(client, webhook, "save", url=HOOK, events=["media.deleted"], description="New")
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.events, webhook.description) == (
        True,
        ["media.deleted"],
        "New",
    )
    assert len(secret_in(press(client, webhook, "renew").content)) == 1
    assert press(client, webhook, "dance").status_code == 400
    press(client, webhook, "remove")
    assert not Webhook.objects.exists()


def test_a_message_is_sent_again(client: Client, webhook: Webhook, owner: Any) -> None:
    delivery = services.ping_webhook(user=owner, webhook=webhook)
    WebhookDelivery.objects.update(
        state="failed", attempts=9, answer_status=500, finished_at=timezone.now()
    )
    page = client.get(f"{URL}{webhook.pk}/").content.decode()
    assert "Given up: 500" in page
    client.post(f"{URL}{webhook.pk}/{delivery.pk}/")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("queued", 0)


def test_is_nobody_elses(
    webhook: Webhook, owner: Any, stranger: Any, browser_of: Callable[[Any], Client]
) -> None:
    delivery = services.ping_webhook(user=owner, webhook=webhook)
    other = browser_of(stranger)
    assert HOOK not in other.get(URL).content.decode()
    assert other.get(f"{URL}{webhook.pk}/").status_code == 404
    assert press(other, webhook, "remove").status_code == 404
    assert other.post(f"{URL}{webhook.pk}/{delivery.pk}/").status_code == 404
    assert browser_of(None).get(f"{URL}{webhook.pk}/").status_code == 302
    assert Webhook.objects.exists()
