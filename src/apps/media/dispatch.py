"""Hands work to the broker by name, after commit. The names are those of `tasks`.

A message that cannot be sent is no failure: the job's row stays queued and the sweep sends again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.core.origins import origin_now
from apps.media.models import Erasure, Job, Upload, WebhookDelivery

logger = logging.getLogger(__name__)

ORIGIN = "media_origin"  # the header of a message that says what caused it
RUN_JOB = "media.run_job"
BURY = "media.bury_tombstones"
EMPTY_TRASH = "media.empty_trash"
EXPIRE_DELIVERIES = "media.expire_deliveries"
EXPIRE_JOBS = "media.expire_jobs"
EXPIRE_UNUSED = "media.expire_unused"
EXPIRE_UPLOADS = "media.expire_uploads"
EXPIRE_VERSIONS = "media.expire_versions"
FINISH_UPLOADS = "media.finish_uploads"
MARK_UNUSED = "media.mark_unused"
SWEEP_EMPTIED = "media.sweep_emptied"
SWEEP_ENDED_SHARES = "media.sweep_ended_shares"
SWEEP_UNFINISHED = "media.sweep_unfinished"
RUN_IMPORT = "media.run_import"
DELIVER = "media.deliver"
RUN_ERASURE = "media.run_erasure"
TRANSFER = "media.transfer"  # the queue of what waits for other servers
# No broker is configured, or, as for a command by hand, one of this process alone, where messages
# would pile up unread.
NOWHERE = frozenset({None, "", "memory://"})
# What carries messages instead of the broker: their name and arguments.
Carrier = Callable[..., object]
_carriers: list[Carrier] = []


def run_job_later(job: Job) -> None:
    """Send the job to its queue once the transaction has committed."""
    job_id, queue = str(job.pk), job.queue
    _after_commit(lambda: send(RUN_JOB, job_id, queue=queue))


def run_import_later(upload: Upload) -> None:
    """Have a worker fetch the upload once the transaction has committed."""
    upload_id = str(upload.pk)
    _after_commit(lambda: send(RUN_IMPORT, upload_id, queue=TRANSFER))


def deliver_later(delivery: WebhookDelivery) -> None:
    """Have a worker send the message once the transaction has committed."""
    delivery_id = str(delivery.pk)
    _after_commit(lambda: send(DELIVER, delivery_id, queue=TRANSFER))


def run_erasure_later(erasure: Erasure) -> None:
    """Have a worker erase the user once the transaction has committed."""
    erasure_id = str(erasure.pk)
    _after_commit(lambda: send(RUN_ERASURE, erasure_id))


def bury_later() -> None:
    """Have due tombstones executed soon after the transaction has committed."""
    _after_commit(lambda: send(BURY))


def sweep_emptied_later() -> None:
    """Have a worker remove what lay in an emptied trash once the transaction has committed."""
    _after_commit(lambda: send(SWEEP_EMPTIED))


def maybe_sweep_again(name: str, *, done: int, limit: int) -> int:
    """Have a sweep that did as much as it may at a time go on at once, not when the clock says so.

    Returns `done`.
    """
    if done >= limit:
        _after_commit(lambda: send(name))
    return done


def has_broker() -> bool:
    """Whether messages of this process go to a broker."""
    return current_app.conf.broker_url not in NOWHERE


def has_unread_setting() -> bool:
    """Whether the settings name a broker that this process knows nothing of."""
    named = getattr(settings, "CELERY_BROKER_URL", None)
    return named not in NOWHERE and not has_broker()


@contextmanager
def carried_by(carrier: Carrier) -> Iterator[None]:
    """Inside, messages of this process go to `carrier`, not to the broker."""
    _carriers.append(carrier)
    try:
        yield
    finally:
        _carriers.remove(carrier)


def send(name: str, *args: str, queue: str | None = None) -> bool:
    """Send one message now; return whether the broker took it. Never waits for long."""
    if _carriers:
        _carriers[-1](name, *args)
        return True
    if not has_broker():
        return False
    try:
        current_app.send_task(
            name,
            args=args,
            queue=queue,
            retry=False,
            ignore_result=True,
            headers={ORIGIN: origin_now()},
        )
    except (OperationalError, OSError) as error:
        logger.warning("broker away, the sweep will send %s again: %s", name, error)
        return False
    return True


def _after_commit(callback: Callable[[], object]) -> None:
    transaction.on_commit(callback, robust=True)
