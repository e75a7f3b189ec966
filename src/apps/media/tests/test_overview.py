"""What operators see of the whole site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.core.ids import first_id, new_id
from apps.media import selectors, services
from apps.media.models import Job, MediaFile

Upload = Callable[..., MediaFile]


def test_the_least_id_of_a_moment() -> None:
    before, after = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(seconds=1)
    assert first_id(before) < new_id() < first_id(after)


def test_work_and_failures(upload: Upload, owner: Any) -> None:
    for number in range(3):
        upload(b"%d" % number, f"{number}.txt")
    waiting = Job.objects.filter(state="queued").count()
    failed = Job.objects.filter(state="queued").first()
    assert failed
    Job.objects.filter(pk=failed.pk).update(state="failed", error_code="timeout")
    seen = selectors.get_overview()
    assert sum(queue.waiting for queue in seen.queues) == waiting - 1
    assert min(queue.since for queue in seen.queues if queue.since) <= timezone.now()
    assert seen.failures == [("timeout", 1)]


def test_failures_have_their_day(upload: Upload) -> None:
    upload(b"1", "a.txt")
    Job.objects.update(state="failed", error_code="timeout")
    failed = selectors.get_overview().failed.bars
    assert [bar.count for bar in failed] == [0] * 13 + [Job.objects.count()]
    assert [(band.kind, band.height) for band in failed[-1].bands] == [("failed", 100)]


def test_how_much_was_waiting_in_each_hour(upload: Upload) -> None:
    media = upload(b"words", "a.txt")
    Job.objects.all().delete()
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)

    def job(born: int, ended: int | None = None) -> None:
        """Hours ago."""
        moment = this_hour - timedelta(hours=born)
        done = None if ended is None else this_hour - timedelta(hours=ended)
        state = "queued" if done is None else "done"
        made = Job(pk=first_id(moment), media=media, kind="render", subject=f"{born}", version=1)
        made.state, made.finished_at, made.due_at = state, done, moment
        made.save()
        Job.objects.filter(pk=made.pk).update(created_at=moment)

    job(30)
    job(3)
    job(2, ended=1)
    depths = selectors.get_overview().depths.bars
    assert [bar.count for bar in depths] == [1] * 20 + [2, 3, 2, 2]
    assert [bar.first for bar in depths][-1] == this_hour


def test_what_came_and_who_stores_most(
    upload: Upload, owner: Any, stranger: Any, run_jobs: Callable[[], int]
) -> None:
    upload(b"1" * 300, "a.txt")
    upload(b"2" * 100, "b.txt", user=stranger)
    seen = selectors.get_overview()
    assert (seen.files, seen.bytes) == (2, 400)
    assert (seen.days.bars[-1].count, seen.days.bars[-1].amount, seen.days.bars[-1].height) == (
        2,
        400,
        100,
    )
    assert all(day.count == 0 for day in seen.days.bars[:-1])
    assert [(row.name, row.bytes) for row in seen.owners] == [("olga", 300), ("sam", 100)]
    assert [(row.count, row.bytes, row.width) for row in seen.kinds] == [(2, 400, 100)]
    assert [row.name for row in seen.kinds] == ["Documents"]


def test_who_stores_most_is_called_by_whatever_names_users(
    upload: Upload, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(b"words", "a.txt")
    type(owner).objects.filter(pk=owner.pk).update(email="olga@example.org")
    monkeypatch.setattr(type(owner), "USERNAME_FIELD", "email")
    assert [row.name for row in selectors.get_overview().owners] == ["olga@example.org"]


def test_what_is_older_is_not_counted(upload: Upload) -> None:
    media = upload(b"words", "a.txt")
    services.delete_media(user=media.owner, media=media, permanent=True)
    old = first_id(timezone.now() - timedelta(days=30))
    MediaFile.objects.create(
        pk=old, owner=media.owner, original_name="old.txt", media_type="document", size=9
    )
    assert sum(day.count for day in selectors.get_overview().days.bars) == 0


def test_the_page(staff: Any, upload: Upload, browser_of: Callable[[Any], Client]) -> None:
    upload(b"words", "a.txt")
    client = browser_of(staff)
    assert reverse("admin:media_overview") in (
        client.get(reverse("admin:media_mediafile_changelist")).content.decode()
    )
    page = client.get(reverse("admin:media_overview"))
    assert page.status_code == 200
    assert "olga" in page.content.decode()


@pytest.mark.parametrize("is_staff", [True, False])
def test_for_those_alone_who_may_see_every_file(
    is_staff: bool, owner: Any, browser_of: Callable[[Any], Client]
) -> None:
    owner.is_staff = is_staff
    owner.save()
    answer = browser_of(owner).get(reverse("admin:media_overview"))
    assert answer.status_code == (403 if is_staff else 302)
