"""What webhooks are told: signed, at least once, patiently, and never for ever."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core.outbound import Reach
from apps.core.tests.outbound.sources import Source
from apps.media import dispatch, services, signals
from apps.media.models import MediaFile, Webhook, WebhookDelivery
from apps.media.services import deliveries
from apps.media.services.announcing import announce_to_webhooks
from apps.media.tests import samples
from apps.media.tests.hooks import SECRET, hook_of, receiving

LONG_AGO = timezone.now() - timedelta(days=60)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed to the broker."""
    messages: list[tuple[Any, ...]] = []
    monkeypatch.setattr(dispatch, "send", lambda *args, **kwargs: messages.append(args) or True)
    return messages


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(samples.photo_jpeg(64, 48), "sea.jpg", title="Sea", alt_text="Waves")


def announce(media: MediaFile, event: Webhook.Event = Webhook.Event.READY) -> WebhookDelivery:
    with transaction.atomic():
        announce_to_webhooks(event, media)
    return WebhookDelivery.objects.order_by("-pk")[0]


def signature(receiver: Any, key: str = SECRET) -> str:
    signed = ".".join(
        [receiver.header("webhook-id"), receiver.header("webhook-timestamp"), ""]
    ).encode()
    raw = base64.b64decode(key.removeprefix("whsec_"))
    digest = hmac.new(raw, signed + receiver.bodies[-1], hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


class TestWriting:
    def test_a_file_that_gets_ready_is_told_of(
        self, owner: Any, media: MediaFile, run_jobs: Callable[[], int]
    ) -> None:
        hook_of(owner)
        run_jobs()
        delivery = WebhookDelivery.objects.get()
        assert (delivery.event, delivery.media_id, delivery.state) == (
            "media.ready",
            media.pk,
            "queued",
        )

    def test_a_file_that_is_refused_is_told_of(
        self, owner: Any, upload: Callable[..., MediaFile], run_jobs: Callable[[], int]
    ) -> None:
        hook_of(owner)
        upload(samples.truncated_jpeg(), "broken.jpg")
        run_jobs()
        with receiving() as receiver:
            Webhook.objects.update(url=receiver.url)
            delivery = WebhookDelivery.objects.get()
            assert delivery.event == "media.rejected"
            services.run_delivery(delivery.pk, reach=receiver.reach)
        told = receiver.messages[0]["data"]
        assert (told["status"], told["failure"]["code"]) == ("failed", "corrupt_file")

    def test_a_file_that_is_removed_is_told_of_by_its_id_alone(
        self, owner: Any, media: MediaFile
    ) -> None:
        hook_of(owner)
        services.delete_media(user=owner, media=media)
        assert not WebhookDelivery.objects.exists()
        pk = media.pk
        services.delete_media(user=owner, media=media, permanent=True)
        delivery = WebhookDelivery.objects.get()
        assert delivery.event == "media.deleted"
        assert "sea.jpg" not in delivery.payload
        assert str(pk) in delivery.payload

    def test_only_the_owners_that_are_on_and_want_it(
        self, owner: Any, stranger: Any, media: MediaFile
    ) -> None:
        hook_of(stranger)
        hook_of(owner, enabled=False)
        hook_of(owner, events=["media.deleted"])
        wanted = hook_of(owner, events=["media.ready"])
        assert announce(media).webhook == wanted
        assert WebhookDelivery.objects.count() == 1

    def test_a_change_that_is_taken_back_tells_nothing(
        self, owner: Any, media: MediaFile, sent: list[Any]
    ) -> None:
        hook_of(owner)
        with pytest.raises(RuntimeError), transaction.atomic():
            announce_to_webhooks(Webhook.Event.READY, media)
            raise RuntimeError
        assert not WebhookDelivery.objects.exists()
        assert sent == []

    def test_is_handed_on_after_commit_and_not_before(
        self,
        owner: Any,
        media: MediaFile,
        sent: list[Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        hook_of(owner)
        with django_capture_on_commit_callbacks() as callbacks:
            delivery = announce(media)
        assert sent == []
        for callback in callbacks:
            callback()
        assert sent == [("media.deliver", str(delivery.pk))]

    def test_an_account_that_goes_takes_its_webhooks_along(
        self, owner: Any, media: MediaFile
    ) -> None:
        hook_of(owner)
        announce(media)
        owner.delete()
        connection.check_constraints()
        assert not Webhook.objects.exists()
        assert not WebhookDelivery.objects.exists()


class TestSending:
    def test_says_what_the_api_says_and_is_signed(self, owner: Any, media: MediaFile) -> None:
        with receiving() as receiver:
            hook_of(owner, receiver.url)
            delivery = announce(media)
            assert services.run_delivery(delivery.pk, reach=receiver.reach) == 1
        message = receiver.messages[0]
        assert set(message) == {"type", "timestamp", "data"}
        assert message["type"] == "media.ready"
        assert message["data"]["id"] == str(media.pk)
        assert message["data"]["title"] == "Sea"
        assert message["data"]["urls"] == {"self": f"/api/v1/media/{media.pk}/"}
        assert not {"key", "storage", "search_text", "owner_text"} & set(message["data"])
        assert receiver.header("webhook-id") == f"msg_{delivery.pk.hex}"
        assert abs(int(receiver.header("webhook-timestamp")) - timezone.now().timestamp()) < 60
        assert receiver.header("webhook-signature") == signature(receiver)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts, delivery.answer_status) == ("delivered", 1, 204)

    def test_once_and_no_more(self, owner: Any, media: MediaFile) -> None:
        with receiving() as receiver:
            hook_of(owner, receiver.url)
            delivery = announce(media)
            services.run_delivery(delivery.pk, reach=receiver.reach)
            assert services.run_delivery(delivery.pk, reach=receiver.reach) == 0
        assert len(receiver.bodies) == 1

    def test_one_hint_sends_all_that_wait(self, owner: Any, media: MediaFile) -> None:
        with receiving() as receiver:
            hook_of(owner, receiver.url)
            for _ in range(7):
                delivery = announce(media)
            assert services.run_delivery(delivery.pk, reach=receiver.reach) == 7
        assert len(set(receiver.source.requests)) == 7

    def test_the_old_secret_signs_beside_the_new_one_for_a_day(
        self, owner: Any, media: MediaFile
    ) -> None:
        with receiving() as receiver:
            hook = hook_of(owner, receiver.url)
            secret = services.rotate_webhook_secret(user=owner, webhook=hook)
            services.run_delivery(announce(media).pk, reach=receiver.reach)
            both = receiver.header("webhook-signature").split(" ")
            assert both == [signature(receiver, secret), signature(receiver)]
            Webhook.objects.update(old_secret_until=LONG_AGO)
            services.run_delivery(announce(media).pk, reach=receiver.reach)
            assert receiver.header("webhook-signature") == signature(receiver, secret)

    def test_nothing_is_sent_for_who_may_not_sign_in(self, owner: Any, media: MediaFile) -> None:
        with receiving() as receiver:
            hook_of(owner, receiver.url)
            delivery = announce(media)
            type(owner).objects.update(is_active=False)
            assert services.run_delivery(delivery.pk, reach=receiver.reach) == 0
        assert receiver.bodies == []

    def test_nothing_inside_is_asked(self, owner: Any, media: MediaFile) -> None:
        with receiving() as receiver:
            hook_of(owner, receiver.url.replace("hooks.example", "127.0.0.1"))
            delivery = announce(media)
            reach = Reach(ports=receiver.reach.ports)
            services.run_delivery(delivery.pk, reach=reach)
            assert receiver.source.connects == 0
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("queued", "url_not_allowed")

    def test_nothing_of_the_answer_is_kept(self, owner: Any, media: MediaFile) -> None:
        with receiving("500 Oh No") as receiver:
            hook_of(owner, receiver.url)
            delivery = announce(media)
            services.run_delivery(delivery.pk, reach=receiver.reach)
        row = WebhookDelivery.objects.filter(pk=delivery.pk).values().get()
        assert "secret of the other side" not in str(row)
        assert row["answer_status"] == 500

    def test_a_key_that_is_gone_is_said(self, owner: Any, media: MediaFile, settings: Any) -> None:
        hook_of(owner)
        delivery = announce(media)
        settings.SECRET_KEY = "y" * 50
        services.run_delivery(delivery.pk)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("queued", "secret_unreadable")


def wake() -> None:
    """Time passes until the next attempt."""
    WebhookDelivery.objects.filter(state="queued").update(due_at=LONG_AGO)
    Webhook.objects.update(resting_until=None)


class TestTryingAgain:
    def test_waits_longer_each_time_for_about_a_day(self, owner: Any, media: MediaFile) -> None:
        waits: list[float] = []
        with receiving("503 Busy") as receiver:
            hook_of(owner, receiver.url)
            delivery = announce(media)
            for _ in deliveries.DELAYS:
                began = timezone.now()
                services.run_delivery(delivery.pk, reach=receiver.reach)
                delivery.refresh_from_db()
                waits.append(round((delivery.due_at - began).total_seconds(), -1))
                assert delivery.state == "queued"
                wake()
            services.run_delivery(delivery.pk, reach=receiver.reach)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("failed", 9)
        assert waits == sorted(waits)
        assert 20 * 3600 < sum(waits) < 28 * 3600
        assert len({receiver.header("webhook-id", n) for n in range(9)}) == 1

    def test_a_redirect_is_no_success(self, owner: Any, media: MediaFile) -> None:
        with receiving("302 Found") as receiver:
            hook_of(owner, receiver.url)
            delivery = announce(media)
            services.run_delivery(delivery.pk, reach=receiver.reach)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.answer_status) == ("queued", 302)

    def test_who_does_not_answer_rests(self, owner: Any, media: MediaFile) -> None:
        with receiving("500 Oh No", "204 No Content") as receiver:
            hook = hook_of(owner, receiver.url)
            first = announce(media)
            second = announce(media)
            assert services.run_delivery(first.pk, reach=receiver.reach) == 1
            assert services.run_delivery(second.pk, reach=receiver.reach) == 0
            hook.refresh_from_db()
            assert hook.failing_since is not None
            wake()
            assert services.run_delivery(second.pk, reach=receiver.reach) == 2
        hook.refresh_from_db()
        assert (hook.failing_since, hook.resting_until) == (None, None)

    def test_who_fails_holds_one_worker_at_most(self, owner: Any, media: MediaFile) -> None:
        hook = hook_of(owner, failing_since=LONG_AGO)
        announce(media)
        delivery = announce(media)
        assert deliveries._claim(hook.pk) is not None
        assert deliveries._claim(hook.pk) is None
        Webhook.objects.update(failing_since=None)
        assert deliveries._claim(hook.pk) == delivery

    def test_gone_is_believed(self, owner: Any, media: MediaFile, told: list[Webhook]) -> None:
        with receiving("410 Gone") as receiver:
            hook = hook_of(owner, receiver.url)
            delivery = announce(media)
            announce(media)
            services.run_delivery(delivery.pk, reach=receiver.reach)
        hook.refresh_from_db()
        assert (hook.enabled, hook.disabled_reason) == (False, "gone")
        codes = WebhookDelivery.objects.filter(state="failed").values_list("error_code", flat=True)
        assert sorted(codes) == ["", "webhook_disabled"]

    @pytest.mark.parametrize("end", ["late", "lost"])
    def test_what_was_under_way_when_it_ended_waits_for_nothing(
        self, owner: Any, media: MediaFile, end: str
    ) -> None:
        hook = hook_of(owner)
        first, second = self._two_under_way(hook, media)
        deliveries._note(first, deliveries.Outcome(status=410))
        if end == "late":
            deliveries._note(second, deliveries.Outcome(code="source_too_slow"))
        else:
            WebhookDelivery.objects.filter(pk=second.pk).update(lease_until=LONG_AGO)
            assert services.sweep_deliveries() == 1
        second.refresh_from_db()
        assert (second.state, second.attempts) == ("failed", 1)
        assert second.finished_at is not None
        services.update_webhook(user=owner, webhook=hook, enabled=True)
        assert services.replay_delivery(user=owner, delivery=second).state == "queued"

    def test_what_was_under_way_when_its_owner_turned_it_off_waits_with_the_others(
        self, owner: Any, media: MediaFile
    ) -> None:
        hook = hook_of(owner)
        first, _ = self._two_under_way(hook, media)
        services.update_webhook(user=owner, webhook=hook, enabled=False)
        deliveries._note(first, deliveries.Outcome(status=503))
        first.refresh_from_db()
        assert first.state == "queued"

    def _two_under_way(self, hook: Webhook, media: MediaFile) -> list[WebhookDelivery]:
        announce(media)
        announce(media)
        claims = [deliveries._claim(hook.pk), deliveries._claim(hook.pk)]
        return [claim for claim in claims if claim]

    @pytest.mark.django_db(transaction=True)
    def test_after_long_failing_it_ends_and_its_owner_is_told(
        self, owner: Any, media: MediaFile, told: list[Webhook]
    ) -> None:
        with receiving("500 Oh No") as receiver:
            hook = hook_of(owner, receiver.url)
            for since, enabled in ((timezone.now(), True), (LONG_AGO, False)):
                delivery = announce(media)
                WebhookDelivery.objects.update(attempts=len(deliveries.DELAYS))
                Webhook.objects.update(failing_since=since, resting_until=None)
                services.run_delivery(delivery.pk, reach=receiver.reach)
                hook.refresh_from_db()
                assert hook.enabled is enabled
                assert len(told) == (0 if enabled else 1)
        assert told[0].disabled_reason == "failing"


@pytest.fixture
def told() -> Any:
    """The webhooks whose end was told."""
    heard: list[Webhook] = []

    def listen(sender: Any, webhook: Webhook, **kwargs: Any) -> None:
        heard.append(webhook)

    signals.webhook_disabled.connect(listen)
    yield heard
    signals.webhook_disabled.disconnect(listen)


class TestSweep:
    def test_what_was_lost_is_sent_again(
        self, owner: Any, media: MediaFile, sent: list[Any]
    ) -> None:
        hook_of(owner)
        delivery = announce(media)
        assert services.sweep_deliveries() == 0
        WebhookDelivery.objects.update(sent_at=LONG_AGO)
        assert services.sweep_deliveries() == 1
        assert sent == [("media.deliver", str(delivery.pk))]
        assert services.sweep_deliveries() == 0

    def test_nothing_for_who_rests_or_is_off(self, owner: Any, media: MediaFile) -> None:
        hook_of(owner)
        announce(media)
        WebhookDelivery.objects.update(sent_at=LONG_AGO)
        Webhook.objects.update(resting_until=timezone.now() + timedelta(minutes=1))
        assert services.sweep_deliveries() == 0
        Webhook.objects.update(resting_until=None, enabled=False)
        assert services.sweep_deliveries() == 0

    def test_a_worker_that_died_loses_no_message(self, owner: Any, media: MediaFile) -> None:
        with receiving() as receiver:
            hook = hook_of(owner, receiver.url)
            delivery = announce(media)
            dead = deliveries._claim(hook.pk)
            assert dead is not None
            assert services.run_delivery(delivery.pk, reach=receiver.reach) == 0
            WebhookDelivery.objects.update(lease_until=LONG_AGO)
            assert services.sweep_deliveries() >= 1
            assert services.run_delivery(delivery.pk, reach=receiver.reach) == 1
            deliveries._note(dead, deliveries.Outcome(code="late"))
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts, delivery.error_code) == ("delivered", 2, "")

    def test_what_kills_each_worker_ends(self, owner: Any, media: MediaFile) -> None:
        hook = hook_of(owner)
        delivery = announce(media)
        WebhookDelivery.objects.update(attempts=len(deliveries.DELAYS))
        assert deliveries._claim(hook.pk) is not None
        WebhookDelivery.objects.update(lease_until=LONG_AGO)
        services.sweep_deliveries()
        delivery.refresh_from_db()
        assert (delivery.state, delivery.error_code) == ("failed", "worker_lost")

    def test_old_ones_are_forgotten(self, owner: Any, media: MediaFile) -> None:
        hook_of(owner)
        waiting, old = announce(media), announce(media)
        WebhookDelivery.objects.filter(pk=old.pk).update(finished_at=LONG_AGO, state="failed")
        assert services.expire_deliveries() == 1
        assert WebhookDelivery.objects.get() == waiting


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_sends(owner: Any, media: MediaFile) -> None:
    with receiving() as receiver:
        hook_of(owner, receiver.url)
        delivery = announce(media)
        start, tried = threading.Barrier(4), []

        def work() -> None:
            start.wait(30)
            try:
                tried.append(services.run_delivery(delivery.pk, reach=receiver.reach))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
    assert sorted(tried) == [0, 0, 0, 1]
    assert len(receiver.bodies) == 1


def test_the_default_reaches_nothing_inside(
    owner: Any, media: MediaFile, lonely_listener: Source
) -> None:
    hook_of(owner, lonely_listener.url())
    services.run_delivery(announce(media).pk)
    assert lonely_listener.connects == 0


@pytest.fixture
def lonely_listener() -> Any:
    with receiving() as receiver:
        yield receiver.source
