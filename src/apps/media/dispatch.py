"""Hands work to the broker by name, after commit. The names are those of `tasks`.

A message that cannot be sent is no failure: the job's row stays queued and the sweep sends again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.media.models import Erasure, Job, Upload, WebhookDelivery

logger = logging.getLogger(__name__)

RUN_JOB = "media.run_job"
BURY = "media.bury_tombstones"
EXPIRE_UNUSED = "media.expire_unused"
RUN_IMPORT = "media.run_import"
DELIVER = "media.deliver"
RUN_ERASURE = "media.run_erasure"
TRANSFER = "media.transfer"  # the queue of what waits for other servers
# No broker is configured, as for a command by hand: messages would pile up in this process, unread.
NOWHERE = "memory://"


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


def send(name: str, *args: str, queue: str | None = None) -> bool:
    """Send one message now; return whether the broker took it. Never waits for long."""
    if current_app.conf.broker_url == NOWHERE:
        return False
    try:
        current_app.send_task(name, args=args, queue=queue, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("broker away, the sweep will send %s again: %s", name, error)
        return False
    return True


def _after_commit(callback: Callable[[], object]) -> None:
    transaction.on_commit(callback, robust=True)
