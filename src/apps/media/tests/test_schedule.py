"""What is done by the clock does some at a time, and where there is more goes on at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from apps.core.ids import id_at
from apps.core.requestbody import RequestBody
from apps.core.storage import new_key
from apps.media import dispatch, services
from apps.media.models import (
    Emptying,
    Job,
    MediaFile,
    MediaVersion,
    ShareLink,
    Tombstone,
    Upload,
    WebhookDelivery,
)
from apps.media.schedule import BEAT_SCHEDULE
from apps.media.services import reconciling
from apps.media.storage import incoming_key, store_of
from apps.media.tests.hooks import hook_of

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=400)
TEXT = b"words"
Make = Callable[..., MediaFile]


def _deliveries(owner: Any, upload: Make) -> None:
    hook, ended = hook_of(owner), {"state": "failed", "finished_at": LONG_AGO}
    for _ in range(3):
        WebhookDelivery.objects.create(webhook=hook, payload="{}", due_at=LONG_AGO, **ended)


def _jobs(owner: Any, upload: Make) -> None:
    media, ended = upload(TEXT, "0.txt"), {"state": "done", "finished_at": LONG_AGO}
    for _ in range(3):
        Job.objects.create(
            pk=id_at(LONG_AGO), media=media, version=1, kind="scan", due_at=LONG_AGO, **ended
        )


def _tombstones(owner: Any, upload: Make) -> None:
    for _ in range(3):
        Tombstone.objects.create(storage="media", key=new_key("original"), due_at=LONG_AGO)


def _trash(owner: Any, upload: Make) -> None:
    for number in range(3):
        upload(TEXT, f"{number}.txt")
    MediaFile.objects.update(deleted_at=LONG_AGO)


def _emptied(owner: Any, upload: Make) -> None:
    _trash(owner, upload)
    Emptying.objects.create(owner=owner, asked_at=timezone.now())


def _unused(owner: Any, upload: Make) -> None:
    for number in range(3):
        upload(TEXT, f"{number}.txt", for_use=True)
    MediaFile.objects.update(expires_at=LONG_AGO)


def _unmarked(owner: Any, upload: Make) -> None:
    _unused(owner, upload)
    MediaFile.objects.update(expires_at=None)


def _versions(owner: Any, upload: Make) -> None:
    media = upload(TEXT, "0.txt")
    for number in range(1, 4):
        file = ContentFile(b"%d" % number, name=f"{number}.txt")
        services.replace_media(user=owner, media=media, file=file)
    MediaFile.objects.update(published_version=None)
    MediaVersion.objects.exclude(replaced_at=None).update(replaced_at=LONG_AGO)


def _uploads(owner: Any, upload: Make) -> None:
    for _ in range(3):
        announced = services.Announcement(name="a.txt", length=len(TEXT))
        services.begin_upload(user=owner, announced=announced)
    Upload.objects.update(expires_at=LONG_AGO)


def _whole_uploads(owner: Any, upload: Make) -> None:
    for _ in range(3):
        announced = services.Announcement(name="a.txt", length=len(TEXT))
        begun = services.begin_upload(user=owner, announced=announced)
        body = RequestBody({"wsgi.input": io.BytesIO(TEXT), "CONTENT_LENGTH": str(len(TEXT))})
        services.append_to_upload(upload=begun, piece=services.Piece(offset=0, body=body))
    Upload.objects.update(updated_at=LONG_AGO)


def _shares(owner: Any, upload: Make) -> None:
    media = upload(TEXT, "0.txt")
    for _ in range(3):
        services.create_share_link(user=owner, media=media)
    ShareLink.objects.update(expires_at=LONG_AGO)


def _strays(owner: Any, upload: Make) -> None:
    for _ in range(3):
        with store_of("media").writer(incoming_key()) as writer:
            writer.write(TEXT)


# What each of them does, and three that are due for it.
SWEEPS: dict[str, tuple[Callable[..., int], Callable[[Any, Make], None]]] = {
    dispatch.EXPIRE_DELIVERIES: (services.expire_deliveries, _deliveries),
    dispatch.EXPIRE_JOBS: (services.expire_jobs, _jobs),
    dispatch.BURY: (services.bury_tombstones, _tombstones),
    dispatch.EMPTY_TRASH: (services.empty_trash, _trash),
    dispatch.SWEEP_EMPTIED: (services.sweep_emptied, _emptied),
    dispatch.EXPIRE_UNUSED: (services.expire_unused, _unused),
    dispatch.MARK_UNUSED: (services.mark_unused, _unmarked),
    dispatch.EXPIRE_VERSIONS: (services.expire_versions, _versions),
    dispatch.EXPIRE_UPLOADS: (services.expire_uploads, _uploads),
    dispatch.FINISH_UPLOADS: (services.finish_whole_uploads, _whole_uploads),
    dispatch.SWEEP_ENDED_SHARES: (services.sweep_ended_shares, _shares),
    dispatch.SWEEP_UNFINISHED: (services.sweep_unfinished, _strays),
}
# Every ten seconds 500 hints, or, of erasures, what a dead process has left.
UNHURRIED = {
    "media.sweep_jobs",
    "media.sweep_imports",
    "media.sweep_deliveries",
    "media.sweep_erasures",
}


def test_everything_in_it_is_known_here() -> None:
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} == SWEEPS.keys() | UNHURRIED


@pytest.mark.parametrize(("limit", "is_sent"), [(3, True), (4, False)])
@pytest.mark.parametrize("name", SWEEPS)
def test_who_did_as_much_as_it_may_is_sent_again(
    name: str,
    limit: int,
    is_sent: bool,
    owner: Any,
    upload: Make,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda name, *args, **rest: sent.append(name) or True)
    monkeypatch.setattr(reconciling, "GRACE", timedelta(seconds=-60))
    sweep, make_due = SWEEPS[name]
    make_due(owner, upload)
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep(limit=limit) == 3
    assert (name in sent) == is_sent
