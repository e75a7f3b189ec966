"""Sends what webhooks are to be told. The rows are the truth, messages of the broker only hints.

A message is sent at least once: a worker that dies between the answer and the note of it leaves a
lease behind, and another sends again, under the same id. No lock and no transaction is held while
the other side is asked.
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from apps.core.cipher import UnreadableSecretError, reveal
from apps.core.errors import AppError
from apps.core.outbound import PUBLIC, Limits, Reach, post_to_url
from apps.core.webhooksigning import signed_headers
from apps.media import dispatch, signals
from apps.media.conf import options
from apps.media.models import Webhook, WebhookDelivery
from apps.media.services.resending import is_unsent
from apps.media.services.webhooks import SECRETS

logger = logging.getLogger(__name__)

# Before each further attempt: nearly a day in all, as the scheme recommends.
DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 2 * 3600, 5 * 3600, 8 * 3600, 8 * 3600)
)
LIMITS = Limits(
    max_bytes=16 * 1024,
    connect_seconds=5,
    head_seconds=15,
    silence_seconds=5,
    total_seconds=20,
    head_bytes=16 * 1024,
)
LEASE = timedelta(seconds=90)  # longer than LIMITS let one attempt last
LONGEST_REST = timedelta(minutes=5)
AT_ONCE = 4  # messages to one webhook; one while it fails
TURN = 30.0  # seconds after which a worker looks for other work
CANDIDATES = 5
BATCH = 500
_State = WebhookDelivery.State


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: a status, or the code of what was in the way."""

    status: int | None = None
    code: str = ""

    @property
    def is_success(self) -> bool:
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)


def run_delivery(delivery_id: uuid.UUID | str, *, reach: Reach = PUBLIC) -> int:
    """Send what is due to the webhook of that message; return how many were tried.

    It goes on while they are taken, for a turn. `reach` is for tests.
    """
    hinted = WebhookDelivery.objects.filter(pk=delivery_id).only("webhook_id").first()
    if hinted is None:
        return 0
    tried, end = 0, time.monotonic() + TURN
    while delivery := _claim(hinted.webhook_id):
        tried += 1
        if not _attempt(delivery, reach) or time.monotonic() > end:
            break
    return tried


def sweep_deliveries(*, limit: int = BATCH) -> int:
    """Free messages whose worker is gone and hint at what is due; return how many.

    Safe to run anywhere at any time, also twice at once.
    """
    freed = sum(_free_expired(delivery) for delivery in _expired()[:limit])
    waiting = _sendable().filter(Exists(_unsent().filter(webhook=OuterRef("pk"))))
    return freed + sum(_resend(webhook) for webhook in waiting[:limit])


def expire_deliveries(*, limit: int = BATCH) -> int:
    """Forget messages that ended longer ago than the option says; return how many."""
    before = timezone.now() - timedelta(seconds=options().delivery_lifetime)
    old = WebhookDelivery.objects.filter(finished_at__lt=before)
    gone, _ = old.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return dispatch.maybe_sweep_again(dispatch.EXPIRE_DELIVERIES, done=gone, limit=limit)


# -- claiming ----------------------------------------------------------------------------------


def _sendable() -> QuerySet[Webhook]:
    rested = Q(resting_until=None) | Q(resting_until__lte=Now())
    return Webhook.objects.filter(rested, enabled=True, owner__is_active=True)


def _due() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(state=_State.QUEUED, due_at__lte=Now())


def _claim(webhook_id: uuid.UUID) -> WebhookDelivery | None:
    webhook = _sendable().filter(pk=webhook_id).first()
    if webhook is None or _is_busy(webhook):
        return None
    candidates = _due().filter(webhook=webhook).order_by("due_at").values_list("pk", flat=True)
    claims = (_take(pk) for pk in list(candidates[:CANDIDATES]))
    return next((claim for claim in claims if claim), None)


def _is_busy(webhook: Webhook) -> bool:
    """Roughly: nobody who does not answer holds many workers. Exactness is not worth a lock."""
    running = WebhookDelivery.objects.filter(webhook=webhook, state=_State.RUNNING).count()
    return running >= (1 if webhook.failing_since else AT_ONCE)


def _take(pk: uuid.UUID) -> WebhookDelivery | None:
    free = WebhookDelivery.objects.filter(pk=pk, state=_State.QUEUED)
    token = uuid.uuid4()
    if not free.update(
        state=_State.RUNNING, lease=token, lease_until=Now() + LEASE, attempts=F("attempts") + 1
    ):
        return None
    return _held(pk, token).select_related("webhook").first()


def _held(pk: uuid.UUID, token: uuid.UUID | None) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(pk=pk, state=_State.RUNNING, lease=token)


# -- one attempt -------------------------------------------------------------------------------


def _attempt(delivery: WebhookDelivery, reach: Reach) -> bool:
    """Whether the message was taken."""
    outcome = _send(delivery, reach)
    _note(delivery, outcome)
    return outcome.is_success


def _send(delivery: WebhookDelivery, reach: Reach) -> Outcome:
    text = delivery.payload.encode()
    try:
        signed = signed_headers(
            message_id=f"msg_{delivery.pk.hex}",
            timestamp=int(time.time()),
            text=text,
            keys=_keys(delivery.webhook),
        )
        headers = {"Content-Type": "application/json", **signed}
        return Outcome(
            post_to_url(
                delivery.webhook.url, content=text, headers=headers, limits=LIMITS, reach=reach
            )
        )
    except AppError as error:
        return Outcome(code=error.code)
    except UnreadableSecretError:
        return Outcome(code="secret_unreadable")
    except Exception:  # the outermost edge of work: nothing may kill the worker
        logger.exception("message %s failed unexpectedly", delivery.pk)
        return Outcome(code="unexpected")


def _keys(webhook: Webhook) -> list[str]:
    keys = [webhook.secret]
    if webhook.old_secret_until and webhook.old_secret_until > timezone.now():
        keys.append(webhook.old_secret)
    return [reveal(key, purpose=SECRETS) for key in keys]


@transaction.atomic
def _note(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Write down how it went, unless another worker has taken the message over."""
    webhook = Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
    if webhook is None:
        return
    gone = outcome.status == HTTPStatus.GONE
    given_up = gone or _is_last(delivery, webhook)
    if not _held(delivery.pk, delivery.lease).update(**_end(delivery, outcome, given_up)):
        return
    if outcome.is_success:
        _note_health(webhook, failing_since=None, resting_until=None)
        return
    _note_failing(webhook, delivery)
    if gone:
        _disable(webhook, Webhook.Ending.GONE)
    elif given_up and _is_beyond_patience(webhook):
        _disable(webhook, Webhook.Ending.FAILING)


def _is_last(delivery: WebhookDelivery, webhook: Webhook) -> bool:
    """Whether no attempt follows: there were enough, or we have stopped sending there meanwhile.

    What its owner has turned off waits until they turn it on.
    """
    return delivery.attempts > len(DELAYS) or bool(webhook.disabled_reason)


def _end(delivery: WebhookDelivery, outcome: Outcome, given_up: bool) -> dict[str, Any]:
    said = {
        "lease": None,
        "lease_until": None,
        "answer_status": outcome.status,
        "error_code": outcome.code,
    }
    if outcome.is_success:
        return {**said, "state": _State.DELIVERED, "finished_at": Now()}
    if given_up:
        return {**said, "state": _State.FAILED, "finished_at": Now()}
    due = Now() + DELAYS[delivery.attempts - 1]
    return {**said, "state": _State.QUEUED, "due_at": due, "sent_at": None}


def _note_failing(webhook: Webhook, delivery: WebhookDelivery) -> None:
    delay = DELAYS[min(delivery.attempts, len(DELAYS)) - 1]
    _note_health(
        webhook,
        failing_since=Coalesce(F("failing_since"), Now()),
        resting_until=Now() + min(delay, LONGEST_REST),
    )


def _note_health(webhook: Webhook, **values: Any) -> None:
    changed = Webhook.objects.filter(pk=webhook.pk)
    if values["failing_since"] is None:
        changed = changed.exclude(failing_since=None)
    changed.update(**values)


def _is_beyond_patience(webhook: Webhook) -> bool:
    patience = timedelta(seconds=options().webhook_patience)
    return bool(webhook.failing_since and webhook.failing_since < timezone.now() - patience)


def _disable(webhook: Webhook, reason: Webhook.Ending) -> None:
    """Send nothing any more, what waits included, and tell."""
    if not Webhook.objects.filter(pk=webhook.pk, enabled=True).update(
        enabled=False, disabled_reason=reason
    ):
        return
    waiting = WebhookDelivery.objects.filter(webhook=webhook, state=_State.QUEUED)
    waiting.update(state=_State.FAILED, error_code="webhook_disabled", finished_at=Now())
    webhook.enabled, webhook.disabled_reason = False, reason
    signals.webhook_disabled.tell(Webhook, webhook=webhook)


# -- what was lost -----------------------------------------------------------------------------


def _expired() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(state=_State.RUNNING, lease_until__lt=Now())


@transaction.atomic
def _free_expired(delivery: WebhookDelivery) -> bool:
    """Its worker is gone: as an attempt that had no answer."""
    webhook = Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
    if webhook is None:
        return False
    given_up = _is_last(delivery, webhook)
    ended = _end(delivery, Outcome(code="worker_lost"), given_up)
    still = _expired().filter(pk=delivery.pk, lease=delivery.lease)
    return bool(still.update(**{**ended, **({} if given_up else {"due_at": Now()})}))


def _unsent() -> QuerySet[WebhookDelivery]:
    return _due().filter(is_unsent())


def _resend(webhook: Webhook) -> bool:
    """Hint at as many as may be sent to it at a time; whoever does one goes on with the next."""
    due = _unsent().filter(webhook=webhook).order_by("due_at").values_list("pk", flat=True)
    sent = [pk for pk in list(due[:AT_ONCE]) if _unsent().filter(pk=pk).update(sent_at=Now())]
    taken = [dispatch.send(dispatch.DELIVER, str(pk), queue=dispatch.TRANSFER) for pk in sent]
    return any(taken)
