"""What `media_worker` does by the clock beside the work of media."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from celery.schedules import crontab

from apps.media import dispatch
from apps.media.management import embedded
from apps.media.management.embedded import EmbeddedWorker
from apps.media.schedule import BEAT_SCHEDULE


@pytest.fixture(autouse=True)
def others(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other apps have a timetable, and nobody has a broker."""
    monkeypatch.setattr(dispatch, "has_broker", lambda: False)
    settings.CELERY_BEAT_SCHEDULE = {
        **BEAT_SCHEDULE,
        "often": {"task": "shop.often", "schedule": timedelta(seconds=20), "args": ("a",)},
        "at-night": {"task": "shop.nightly", "schedule": crontab(hour=3)},
    }


def test_without_a_broker_it_does_what_others_have_at_intervals() -> None:
    timetable = embedded._timetable()
    assert set(timetable) == {*BEAT_SCHEDULE, "often"}
    assert embedded._seconds(timetable["often"]) == 20


def test_beside_celery_it_does_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "has_broker", lambda: True)
    assert set(embedded._timetable()) == set(BEAT_SCHEDULE)


def test_what_is_not_ours_keeps_nothing_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[tuple[str, ...]] = []
    monkeypatch.setitem(current_app.tasks, "shop.often", lambda *args: did.append(args))
    monkeypatch.setattr(embedded, "close_old_connections", lambda: None)
    worker = EmbeddedWorker()
    worker._do_by_the_clock("often", embedded._timetable()["often"])
    worker._transfers.shutdown(wait=True)
    assert did == [("a",)]


def test_messages_of_every_installed_app_are_work() -> None:
    EmbeddedWorker()
    assert "notifications.announce" in current_app.tasks
