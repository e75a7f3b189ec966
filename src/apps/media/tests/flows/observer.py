"""A process beside the site that looks into its database and storage, and nudges its services.

`python -m apps.media.tests.flows.observer` in the site's environment: one JSON array
`[command, argument…]` per line comes in, one JSON value per line goes out. Tests ask it instead of
touching the site's database themselves, so that they need no second Django in their own process.
"""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.contrib.auth import get_user_model
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models.signals import pre_delete
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from apps.core.requestbody import RequestBody
from apps.core.storage import UnfinishedStore, object_store
from apps.core.storage.local import LocalStore
from apps.media import dispatch, services
from apps.media.models import Job, MediaFile, MediaVersion, Quota, Rendition, Tombstone, Upload
from apps.media.selectors.belongings import rows_naming, rows_of
from apps.media.services import erasing, reconciling
from apps.media.testing import PIXEL, make_media

LONG_AGO = timedelta(days=1)


def person(name: str) -> dict[str, Any]:
    """Create an account and a token for it."""
    user = get_user_model().objects.create_user(username=name)
    return {"id": user.pk, "name": name, "token": AuthToken.objects.create(user)[1]}


def state() -> dict[str, Any]:
    """Every row that explains an object, every job, and every object."""
    before = sorted(item.key for item in object_store("media").walk())
    return {
        "before": before,
        # First: what becomes a file meanwhile is explained by its version then.
        "uploads": _rows(Upload, "id", "owner_id", "state", "key", "final_key", "reserved"),
        "media": _rows(
            MediaFile,
            *("id", "owner_id", "original_name", "status", "failure_code", "version", "sha256"),
        ),
        "versions": _rows(MediaVersion, "media_id", "number", "key", "size", "sha256"),
        "renditions": _rows(
            Rendition,
            *("media_id", "version", "name", "state", "storage", "key", "next_key", "size"),
        ),
        "unfinished": _unfinished(),
        "jobs": _rows(Job, "id", "media_id", "kind", "subject", "state", "attempts"),
        "tombstones": _rows(Tombstone, "key"),
        "quotas": _rows(Quota, "owner_id", "bytes_used", "bytes_reserved", "files_used"),
        "objects": {item.key: item.size for item in object_store("media").walk()},
    }


def media(owner_id: int) -> list[dict[str, Any]]:
    """The status of each of the owner's files: cheap, for waiting."""
    found = MediaFile.objects.filter(owner_id=owner_id)
    return list(found.values("id", "status", "failure_code", "progress"))


def jobs(owner_id: int) -> list[dict[str, Any]]:
    """The owner's jobs: cheap, for waiting."""
    found = Job.objects.filter(media__owner_id=owner_id)
    return list(
        found.values(
            "id", "media_id", "kind", "subject", "queue", "state", "attempts", "error_code"
        )
    )


def send(job_ids: list[str]) -> int:
    """Publish a message for each job, whatever its state; return how many the broker took."""
    queues = dict(Job.objects.filter(pk__in=job_ids).values_list("pk", "queue"))
    return sum(
        dispatch.send(dispatch.RUN_JOB, job_id, queue=queues[uuid.UUID(job_id)])
        for job_id in job_ids
    )


def cancel(job_id: str) -> bool:
    """What the operator's action does."""
    return services.cancel_job(job=Job.objects.get(pk=job_id))


def retry(job_id: str) -> bool:
    """What the operator's action does."""
    return services.retry_job(job=Job.objects.get(pk=job_id))


def stored(alias: str, key: str) -> str:
    """An object's bytes in base64."""
    with object_store(alias).open_object(key) as file:
        return base64.b64encode(file.read()).decode()


def upload_and_die(owner_id: int, path: str) -> None:
    """Upload a file and be killed when all is committed, but before any message is sent."""
    user = get_user_model().objects.get(pk=owner_id)
    with dispatch.carried_by(lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
        services.import_media_from_path(user=user, path=Path(path))


def own_files(name: str, count: int) -> dict[str, Any]:
    """A new account with so many files, ready without any processing; who they are."""
    user = get_user_model().objects.create_user(username=name)
    for number in range(count):
        make_media(owner=user, content=PIXEL + b"%s %d" % (name.encode(), number))
    return {"id": user.pk, "name": name}


def erase_and_die(owner_id: int, where: str, count: int) -> None:
    """Erase a user and be killed: when `count` rows are about to go in an open transaction
    ("row"), after that many committed steps ("step"), or objects gone ("object")."""
    left = [count]

    def maybe_die(*args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    remove = LocalStore.remove

    def remove_and_maybe_die(store: LocalStore, key: str) -> None:
        remove(store, key)
        maybe_die()

    erasing.BATCH = 2  # so that a few files take many steps
    if where == "row":
        pre_delete.connect(maybe_die, sender=MediaVersion)
    if where == "object":
        LocalStore.remove = remove_and_maybe_die  # type: ignore[method-assign]
    user = get_user_model().objects.get(pk=owner_id)
    services.erase_user(
        user=user, by=None, on_progress=maybe_die if where == "step" else lambda count: None
    )


def belongings(owner_id: int) -> dict[str, int]:
    """How many rows are a user's or name them, whether or not the account is still there."""
    user = SimpleNamespace(pk=owner_id)
    every = [*rows_of(user), *(rows for rows, _ in rows_naming(user))]
    found = {rows.model._meta.label_lower: rows.count() for rows in every}
    found["account"] = get_user_model().objects.filter(pk=owner_id).count()
    return {label: count for label, count in found.items() if count}


def violations() -> list[str]:
    """What `media_reconcile --strict --hash` finds, however young it is."""
    found = [
        violation
        for alias in services.storages_to_reconcile()
        for violation in services.find_storage_violations(
            alias, grace=timedelta(), with_hashes=True
        )
    ]
    return [str(one) for one in (*found, *services.find_inconsistencies(before=timezone.now()))]


def expire_uploads() -> int:
    """Let the time of every upload pass, and drop what is unfinished."""
    Upload.objects.update(expires_at=timezone.now() - LONG_AGO)
    return services.expire_uploads()


def bury() -> int:
    """Let the grace of every tombstone pass, and remove their objects."""
    Tombstone.objects.update(due_at=timezone.now() - LONG_AGO)
    return services.bury_tombstones()


def arrive(owner_id: int, text: str) -> str:
    """A whole upload of `text` of which no file has been made; the address of it."""
    user, data = get_user_model().objects.get(pk=owner_id), text.encode()
    announced = services.Announcement(name="words.txt", length=len(data))
    upload = services.begin_upload(user=user, announced=announced)
    body = RequestBody({"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))})
    services.append_to_upload(upload=upload, piece=services.Piece(offset=0, body=body))
    return reverse("media:tus-upload", args=[upload.token]) + "/"


def is_held(owner_id: int) -> bool:
    """Whether a request is writing to an upload of the owner."""
    return Upload.objects.filter(owner_id=owner_id, lock__isnull=False).exists()


def finish_uploads() -> int:
    """What the sweep does, without the wait that spares it work in vain."""
    Upload.objects.update(updated_at=timezone.now() - LONG_AGO)
    return services.finish_whole_uploads()


def sweep_unfinished() -> int:
    """What the sweep does, without the day of grace."""
    reconciling.GRACE = timedelta()
    return services.sweep_unfinished()


def limit_quota(owner_id: int, size: int) -> None:
    """Let the owner keep `size` bytes and no more."""
    services.set_quota(user=None, owner_id=owner_id, bytes_limit=size)


def drop_connections() -> int:
    """Break every connection to this PostgreSQL database but one's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def hold(owner_id: int) -> None:
    """Lock the owner's files and jobs in a transaction that is never ended."""
    transaction.set_autocommit(False)
    list(Job.objects.filter(media__owner_id=owner_id).select_for_update())
    list(MediaFile.objects.filter(owner_id=owner_id).select_for_update())


def nothing_is_locked() -> bool:
    """Whether nobody is in the middle of a transaction that would make others wait."""
    is_sqlite = connection.vendor == "sqlite"
    try:
        with connection.cursor() as cursor:
            if is_sqlite:
                cursor.execute("PRAGMA busy_timeout = 200")
            with transaction.atomic():  # which locks all of an SQLite database
                if not is_sqlite:
                    list(Job.objects.select_for_update(nowait=True))
                    list(MediaFile.objects.select_for_update(nowait=True))
    except OperationalError:
        return False
    finally:
        connection.close()
    return True


def empty_storage() -> int:
    """Remove every object, at the end."""
    store = object_store("media")
    keys = [item.key for item in store.walk()]
    for key in keys:
        store.remove(key)
    return len(keys)


def _unfinished() -> list[str]:
    """Keys of what was begun in parts and is in no listing."""
    store = object_store("media")
    is_kept = isinstance(store, UnfinishedStore)
    return [item.key for item in store.walk_unfinished()] if is_kept else []


def _rows(model: Any, *fields: str) -> list[dict[str, Any]]:
    return list(model.objects.order_by("pk").values(*fields))


COMMANDS: dict[str, Callable[..., Any]] = {
    command.__name__: command
    for command in (
        person,
        state,
        media,
        jobs,
        send,
        cancel,
        retry,
        stored,
        upload_and_die,
        violations,
        own_files,
        erase_and_die,
        belongings,
        expire_uploads,
        finish_uploads,
        is_held,
        arrive,
        drop_connections,
        limit_quota,
        sweep_unfinished,
        bury,
        hold,
        nothing_is_locked,
        empty_storage,
    )
}


def main() -> None:
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        close_old_connections()  # which may have broken since
        answer = json.dumps(COMMANDS[name](*arguments), default=str)
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
