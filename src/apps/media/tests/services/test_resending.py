"""What may be lost is sent again; what only waits for long does not fill the broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F, Model
from django.utils import timezone

from apps.media import services
from apps.media.models import Job, MediaFile, Upload, WebhookDelivery
from apps.media.services.resending import LONGEST, resend_after
from apps.media.tests.hooks import hook_of

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=31)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    calls: list[tuple[str, ...]] = []

    def record(name: str, *args: str, queue: str | None = None) -> bool:
        calls.append((name, *args))
        return True

    monkeypatch.setattr("apps.media.dispatch.send", record)
    return calls


def _job(owner: Any, upload: Callable[..., MediaFile]) -> None:
    upload(b"words", "a.txt")
    Job.objects.filter(kind=Job.Kind.SCAN).delete()


def _delivery(owner: Any, upload: Callable[..., MediaFile]) -> None:
    now = timezone.now()
    WebhookDelivery.objects.create(webhook=hook_of(owner), payload="{}", due_at=now, sent_at=now)


def _import(owner: Any, upload: Callable[..., MediaFile]) -> None:
    services.begin_import(user=owner, url="https://example.com/a.jpg")


def _let_pass(model: type[Model], duration: timedelta) -> None:
    moments = ("created_at", "due_at") if model is Upload else ("created_at", "due_at", "sent_at")
    model._default_manager.update(**{name: F(name) - duration for name in moments})


@pytest.mark.parametrize(
    ("begin", "model", "sweep"),
    [
        (_job, Job, services.sweep_jobs),
        (_delivery, WebhookDelivery, services.sweep_deliveries),
        (_import, Upload, services.sweep_imports),
    ],
    ids=["jobs", "deliveries", "imports"],
)
class TestSweeps:
    def test_send_at_once_what_is_fresh_and_lost(
        self,
        begin: Callable[..., None],
        model: type[Model],
        sweep: Callable[[], int],
        owner: Any,
        upload: Callable[..., MediaFile],
        sent: list[Any],
    ) -> None:
        begin(owner, upload)
        for _ in range(3):
            sent.clear()
            _let_pass(model, STEP)
            assert (sweep(), len(sent)) == (1, 1)
            assert sweep() == 0

    def test_send_ever_more_rarely_what_waits(
        self,
        begin: Callable[..., None],
        model: type[Model],
        sweep: Callable[[], int],
        owner: Any,
        upload: Callable[..., MediaFile],
        sent: list[Any],
    ) -> None:
        """For an hour all workers have other things to do."""
        begin(owner, upload)
        sent.clear()
        for _ in range(120):
            _let_pass(model, STEP)
            sweep()
        assert 10 < len(sent) < 30

    def test_send_soon_what_was_lost_after_days(
        self,
        begin: Callable[..., None],
        model: type[Model],
        sweep: Callable[[], int],
        owner: Any,
        upload: Callable[..., MediaFile],
        sent: list[Any],
    ) -> None:
        begin(owner, upload)
        _let_pass(model, timedelta(days=3))
        assert sweep() == 1
        _let_pass(model, LONGEST - STEP)
        assert sweep() == 0
        _let_pass(model, 2 * STEP)
        assert sweep() == 1


def test_a_longer_setting_counts(settings: Any) -> None:
    settings.MEDIA_APP = {**settings.MEDIA_APP, "JOB_RESEND_AFTER": 3600}
    assert resend_after(timedelta(days=3)) == timedelta(hours=1)
