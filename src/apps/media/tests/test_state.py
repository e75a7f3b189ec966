"""What the app counts and knows of itself, and that its work belongs to the request behind it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.core import Metric

from apps.core.logs import JsonLines, WithOrigin
from apps.core.metrics import COUNTED
from apps.core.origins import knowing
from apps.media import dispatch, services
from apps.media.exceptions import RejectedError
from apps.media.models import Job, MediaFile
from apps.media.selectors.state import collect_state
from apps.media.services import jobs
from apps.media.tests import samples

GIVEN = "0123456789abcdef"


def told(found: list[Metric]) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *one.labels.values()): one.value for metric in found for one in metric.samples
    }


def counted(name: str, **labels: str) -> float:
    return COUNTED.get_sample_value(name, labels) or 0


def test_what_the_database_knows(
    upload: Callable[..., MediaFile], django_assert_max_num_queries: Any
) -> None:
    media = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    with django_assert_max_num_queries(8):
        found = told(list(collect_state()))
    assert found["media_app_jobs", "media.fast", "queued"] == Job.objects.count() > 0
    assert found["media_app_jobs", "media.slow", "running"] == 0
    assert found["media_app_job_wait_seconds", "media.fast"] >= 0
    assert found["media_app_stored_bytes",] == media.size
    assert found["media_app_files",] == 1
    assert found["media_app_accounts_nearly_full",] == 0


def test_an_account_that_is_nearly_full_is_told(
    upload: Callable[..., MediaFile], owner: Any
) -> None:
    media = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    owner.media_quota.bytes_limit = media.size
    owner.media_quota.save()
    assert told(list(collect_state()))["media_app_accounts_nearly_full",] == 1


@pytest.mark.django_db(transaction=True)
def test_uploads_and_jobs_are_counted(upload: Callable[..., MediaFile]) -> None:
    names = (
        ("media_app_uploads_total", {"source": "python"}),
        ("media_app_job_seconds_count", {"kind": "inspect", "outcome": "done"}),
    )
    before = [counted(name, **labels) for name, labels in names]
    media = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    size = counted("media_app_uploaded_bytes_total", source="python")
    assert size >= media.size
    services.run_job(Job.objects.get(media=media, kind="inspect").pk)
    assert [counted(name, **labels) for name, labels in names] == [one + 1 for one in before]


def test_what_is_refused_is_counted_by_its_code(upload: Callable[..., MediaFile]) -> None:
    before = counted("media_app_rejections_total", code="unsupported_type")
    with pytest.raises(RejectedError):
        upload(b"<html><script>1</script></html>", "a.html")
    assert counted("media_app_rejections_total", code="unsupported_type") == before + 1


def test_work_names_the_request_that_caused_it(
    upload: Callable[..., MediaFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what a job has caused in its turn, and in whichever process it is done."""
    with knowing(request_id=GIVEN):
        media = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    lines = []
    real = jobs._attempt

    def noting(claim: Any, handler: Any) -> str:
        record = logging.LogRecord("x", logging.INFO, "f", 1, "at work", (), None)
        assert WithOrigin().filter(record)
        lines.append(json.loads(JsonLines().format(record)))
        return real(claim, handler)

    monkeypatch.setattr(jobs, "_attempt", noting)
    while services.run_next_job(Job.FAST):
        pass
    assert len(lines) > 1
    assert {line["request_id"] for line in lines} == {GIVEN}
    assert {line["media_id"] for line in lines} == {str(media.pk)}
    assert len({line["job_id"] for line in lines}) == len(lines)


def test_messages_carry_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(dispatch, "has_broker", lambda: True)
    monkeypatch.setattr(
        dispatch.current_app, "send_task", lambda name, **options: sent.append(options)
    )
    with knowing(request_id=GIVEN):
        assert dispatch.send(dispatch.RUN_IMPORT, "1")
    assert sent[0]["headers"][dispatch.ORIGIN].split(" ")[0] == GIVEN
