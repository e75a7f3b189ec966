"""The API of webhooks: whose they are, what they tell, what is refused."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.media import dispatch, services
from apps.media.exceptions import TooManyWebhooksError
from apps.media.models import Webhook, WebhookDelivery
from apps.media.rates import WebhookRate
from apps.media.tests.hooks import hook_of, receiving
from apps.media.tests.views.test_access_matrix import HOOKED

URL = "/api/v1/webhooks/"
HOOK = "https://hooks.example/in?a=1"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "send", lambda *args, **kwargs: True)


def make(api: APIClient, **fields: Any) -> Any:
    return api.post(URL, {"url": HOOK, **fields}, format="json")


class TestOne:
    def test_is_made_and_its_secret_is_told_once(self, api: APIClient) -> None:
        made = make(api, events=["media.ready"], description="Mine")
        assert made.status_code == 201
        body = made.json()
        secret = body.pop("secret")
        assert secret.startswith("whsec_")
        assert (body["url"], body["events"], body["enabled"]) == (HOOK, ["media.ready"], True)
        shown = api.get(f"{URL}{body['id']}/")
        assert shown.json() == body == api.get(URL).json()["results"][0]
        assert secret not in shown.content.decode()
        assert secret.removeprefix("whsec_") not in str(Webhook.objects.values().get())

    def test_wants_everything_unless_it_says(self, api: APIClient) -> None:
        assert make(api).json()["events"] == ["media.ready", "media.rejected", "media.deleted"]

    def test_is_changed_and_turned_on_again(self, api: APIClient) -> None:
        address = f"{URL}{make(api).json()['id']}/"
        Webhook.objects.update(
            enabled=False, disabled_reason="failing", failing_since="2026-01-01T00:00:00Z"
        )
        changed = api.patch(address, {"enabled": True, "events": ["media.deleted"]}, format="json")
        body = changed.json()
        assert (body["enabled"], body["disabled_reason"], body["failing_since"]) == (True, "", None)
        assert (body["events"], body["url"]) == (["media.deleted"], HOOK)

    def test_goes_with_its_messages(self, api: APIClient) -> None:
        address = f"{URL}{make(api).json()['id']}/"
        api.post(f"{address}ping/")
        assert api.delete(address).status_code == 204
        assert api.get(address).status_code == 404
        assert not WebhookDelivery.objects.exists()

    def test_its_secret_is_rotated(self, api: APIClient) -> None:
        made = make(api).json()
        answer = api.post(f"{URL}{made['id']}/secret/")
        assert answer.status_code == 201
        assert answer.json()["secret"] != made["secret"]
        assert api.get(f"{URL}{made['id']}/").json()["old_secret_until"] is not None


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"url": ""}, 400, "invalid"),
        ({"url": "http://hooks.example/"}, 422, "url_not_allowed"),
        ({"url": "https://hooks.example:8443/"}, 422, "url_not_allowed"),
        ({"url": "https://user:pass@hooks.example/"}, 422, "url_not_allowed"),
        ({"url": "ftp://hooks.example/"}, 422, "url_not_allowed"),
        ({"url": "https://hooks.example/" + "x" * 2048}, 400, "invalid"),
        ({"events": []}, 400, "invalid"),
        ({"events": ["media.stolen"]}, 400, "invalid"),
        ({"events": "media.ready"}, 400, "invalid"),
        ({"description": "x" * 201}, 400, "invalid"),
    ],
)
def test_what_is_refused_leaves_nothing(
    api: APIClient, fields: dict[str, Any], status: int, code: str
) -> None:
    refused = make(api, **fields)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Webhook.objects.exists()


def test_a_refused_change_changes_nothing(api: APIClient) -> None:
    address = f"{URL}{make(api).json()['id']}/"
    before = Webhook.objects.values().get()
    refused = api.patch(address, {"url": "http://127.0.0.1/", "description": "x"}, format="json")
    assert refused.status_code == 422
    assert Webhook.objects.values().get() == before


class TestMessages:
    def test_a_ping_is_sent_listed_and_replayed(self, api: APIClient, owner: Any) -> None:
        with receiving("500 Oh No", "204 No Content") as receiver:
            hook = hook_of(owner, receiver.url)
            address = f"{URL}{hook.pk}/"
            ping = api.post(f"{address}ping/")
            assert (ping.status_code, ping.json()["state"]) == (202, "queued")
            services.run_delivery(ping.json()["id"], reach=receiver.reach)
            replay = f"{address}deliveries/{ping.json()['id']}/replay/"
            refused = api.post(replay)
            assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
            WebhookDelivery.objects.update(state="failed")
            Webhook.objects.update(resting_until=None)
            again = api.post(replay)
            assert (again.status_code, again.json()["state"]) == (202, "queued")
            assert again.json()["attempts"] == 0
            services.run_delivery(ping.json()["id"], reach=receiver.reach)
        listed = api.get(f"{address}deliveries/").json()["results"]
        assert [row["state"] for row in listed] == ["delivered"]
        shown = api.get(f"{address}deliveries/{ping.json()['id']}/").json()
        assert shown.pop("payload") == receiver.messages[1] == receiver.messages[0]
        assert shown == listed[0]
        assert receiver.header("webhook-id", 0) == receiver.header("webhook-id", 1)
        assert shown["message_id"] == receiver.header("webhook-id")
        assert receiver.messages[0]["type"] == "webhook.ping"

    @pytest.mark.parametrize("what", ["ping/", "deliveries/{}/replay/"])
    def test_nothing_is_sent_while_it_is_off(self, api: APIClient, owner: Any, what: str) -> None:
        hook = hook_of(owner)
        ping = api.post(f"{URL}{hook.pk}/ping/").json()
        WebhookDelivery.objects.update(state="failed")
        Webhook.objects.update(enabled=False)
        refused = api.post(f"{URL}{hook.pk}/" + what.format(ping["id"]))
        assert refused.status_code == 409
        assert WebhookDelivery.objects.get().state == "failed"

    def test_are_listed_in_a_fixed_number_of_queries(
        self, api: APIClient, owner: Any, django_assert_max_num_queries: Any
    ) -> None:
        hook = hook_of(owner)
        for _ in range(10):
            services.ping_webhook(user=owner, webhook=hook)
        with django_assert_max_num_queries(3):
            assert len(api.get(f"{URL}{hook.pk}/deliveries/").json()["results"]) == 10


def _address(name: str, delivery: WebhookDelivery) -> str:
    last = [delivery.pk] if name in {"media:webhook-delivery", "media:webhook-replay"} else []
    return reverse(name, args=[delivery.webhook_id, *last])


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
@pytest.mark.parametrize("name", sorted(HOOKED))
def test_nobody_else_sees_or_changes_one(
    name: str,
    method: str,
    owner: Any,
    stranger: Any,
    staff: Any,
    browser_of: Callable[[Any], Client],
) -> None:
    hook = hook_of(owner)
    delivery = services.ping_webhook(user=owner, webhook=hook)
    WebhookDelivery.objects.update(state="failed")
    before = [list(Webhook.objects.values()), list(WebhookDelivery.objects.values())]
    for user in (stranger, staff):
        client = browser_of(user)
        answer = getattr(client, method)(_address(name, delivery))
        missing = getattr(client, method)(
            _address(name, WebhookDelivery(pk=uuid.uuid4(), webhook_id=uuid.uuid4()))
        )
        assert answer.status_code in {404, 405}
        assert (answer.status_code, answer.content) == (missing.status_code, missing.content)
    anonymous = getattr(browser_of(None), method)(_address(name, delivery))
    assert anonymous.status_code in {401, 405}
    assert [list(Webhook.objects.values()), list(WebhookDelivery.objects.values())] == before


def test_messages_are_those_of_the_webhook_in_the_address(
    api: APIClient, owner: Any, stranger: Any
) -> None:
    foreign = services.ping_webhook(user=stranger, webhook=hook_of(stranger))
    own = hook_of(owner)
    for end in ("", "replay/"):
        address = f"{URL}{own.pk}/deliveries/{foreign.pk}/{end}"
        assert (api.post(address) if end else api.get(address)).status_code == 404


def test_a_user_has_so_many_and_no_more(api: APIClient, settings: Any) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "WEBHOOKS_PER_USER": 2}
    assert [make(api).status_code for _ in range(3)] == [201, 201, 409]
    assert make(api).json()["code"] == "too_many_webhooks"
    assert Webhook.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_so_many_also_at_once(owner: Any, settings: Any) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "WEBHOOKS_PER_USER": 1}
    start, refused = threading.Barrier(4), []

    def work() -> None:
        start.wait(30)
        try:
            services.create_webhook(user=owner, url=HOOK, events=["media.ready"])
        except TooManyWebhooksError:
            refused.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert (Webhook.objects.count(), len(refused)) == (1, 3)


def test_what_is_made_and_sent_is_counted(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebhookRate, "rate", "2/min")
    assert [make(api).status_code for _ in range(3)] == [201, 201, 429]
    assert api.get(URL).status_code == 200


def test_operators_see_no_secret_and_no_message(
    owner: Any, staff: Any, browser_of: Callable[[Any], Client]
) -> None:
    hook = hook_of(owner)
    delivery = services.ping_webhook(user=owner, webhook=hook)
    client = browser_of(staff)
    for model, pk in (("webhook", hook.pk), ("webhookdelivery", delivery.pk)):
        assert client.get(f"/admin/media/{model}/").status_code == 200
        page = client.get(f"/admin/media/{model}/{pk}/change/")
        assert page.status_code == 200
        assert hook.secret not in page.content.decode()
        assert "webhook.ping&quot;" not in page.content.decode()
