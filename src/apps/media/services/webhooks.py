"""Webhooks: made, changed, given a new secret, tried out, and removed by their owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.core.cipher import UnreadableSecretError, conceal, renew
from apps.core.errors import UrlNotAllowedError
from apps.core.outbound import PUBLIC, parse_url
from apps.core.webhooksigning import new_secret
from apps.core.words import gettext_noop as _
from apps.media import dispatch
from apps.media.conf import options
from apps.media.exceptions import (
    BadRequestError,
    ForbiddenError,
    NotVisibleError,
    TooManyWebhooksError,
    WrongStateError,
)
from apps.media.models import Webhook, WebhookDelivery
from apps.media.policies import Visitor, is_active
from apps.media.services.announcing import payload_of, queue_delivery

SECRETS = "media.webhook"  # what they are encrypted for
ENDED = (WebhookDelivery.State.DELIVERED, WebhookDelivery.State.FAILED)


@transaction.atomic
def create_webhook(
    *, user: Visitor, url: str, events: Sequence[str], description: str = ""
) -> tuple[Webhook, str]:
    """A new webhook of `user`, and its secret, which is shown now and never again.

    Raises `ForbiddenError`, `TooManyWebhooksError`, `UrlNotAllowedError`, `BadRequestError`.
    """
    if not is_active(user):
        raise ForbiddenError(user)
    said = {"url": _checked_url(url), "events": _checked_events(events)}
    # The lock of the account, so that of two that come at once the second is counted right.
    get_user_model()._default_manager.select_for_update().get(pk=user.pk or 0)
    if Webhook.objects.filter(owner_id=user.pk).count() >= options().webhooks_per_user:
        raise TooManyWebhooksError(user.pk)
    secret = new_secret()
    concealed = conceal(secret, purpose=SECRETS)
    webhook = Webhook.objects.create(
        owner_id=user.pk or 0, description=description, secret=concealed, **said
    )
    return webhook, secret


@transaction.atomic
def update_webhook(*, user: Visitor, webhook: Webhook, **fields: Any) -> Webhook:
    """Change `url`, `events`, `description`, `enabled`. Turned on again it begins anew.

    Raises as `create_webhook`, and `NotVisibleError` when it is gone.
    """
    locked = _lock(user, webhook)
    checks = {"url": _checked_url, "events": _checked_events}
    for name, value in fields.items():
        setattr(locked, name, checks[name](value) if name in checks else value)
    if fields.get("enabled"):
        locked.disabled_reason, locked.failing_since, locked.resting_until = "", None, None
    locked.save()
    return locked


@transaction.atomic
def delete_webhook(*, user: Visitor, webhook: Webhook) -> None:
    """Remove it with all that it was told. Raises `ForbiddenError`, `NotVisibleError`."""
    _lock(user, webhook).delete()


@transaction.atomic
def rotate_webhook_secret(*, user: Visitor, webhook: Webhook) -> str:
    """A new secret, shown now and never again; the one before signs beside it for a while.

    Raises `ForbiddenError`, `NotVisibleError`.
    """
    locked, secret = _lock(user, webhook), new_secret()
    locked.old_secret, locked.secret = locked.secret, conceal(secret, purpose=SECRETS)
    locked.old_secret_until = timezone.now() + timedelta(seconds=options().webhook_overlap)
    locked.save()
    return secret


def renew_webhook_secrets() -> tuple[int, list[UUID]]:
    """Close all secrets by the present SECRET_KEY. Returns how many, and those whose key is gone.

    One row at a time under its lock: a secret that is changed meanwhile is not undone.
    """
    renewed, lost = 0, []
    for pk in Webhook.objects.order_by("pk").values_list("pk", flat=True).iterator():
        try:
            renewed += _renew_secrets(pk)
        except UnreadableSecretError:
            lost.append(pk)
    return renewed, lost


@transaction.atomic
def _renew_secrets(pk: UUID) -> int:
    """How many there were: none where it has gone meanwhile."""
    webhook = Webhook.objects.select_for_update().filter(pk=pk).first()
    if webhook is None:
        return 0
    webhook.secret = renew(webhook.secret, purpose=SECRETS)
    until = webhook.old_secret_until
    if webhook.old_secret and until and until > timezone.now():
        webhook.old_secret = renew(webhook.old_secret, purpose=SECRETS)
    else:  # it signs no more, and its key may be gone
        webhook.old_secret = ""
    webhook.save(update_fields=["secret", "old_secret"])
    return 1


@transaction.atomic
def ping_webhook(*, user: Visitor, webhook: Webhook) -> WebhookDelivery:
    """Send a message that tells nothing. Raises `WrongStateError` where nothing is sent."""
    locked = _lock(user, webhook)
    _ensure_enabled(locked)
    event = WebhookDelivery.PING
    payload = payload_of(event, {"webhook": {"id": locked.pk}})
    return queue_delivery(locked, event=event, payload=payload)


@transaction.atomic
def replay_delivery(*, user: Visitor, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a message again that was delivered or given up, with all its attempts.

    It keeps its id, by which receivers know it. Raises `WrongStateError` while it is still to be
    sent, or nothing is; `ForbiddenError`, `NotVisibleError`.
    """
    _ensure_enabled(_lock(user, delivery.webhook))
    ended = WebhookDelivery.objects.filter(pk=delivery.pk, state__in=ENDED)
    if not ended.update(
        state=WebhookDelivery.State.QUEUED,
        attempts=0,
        due_at=Now(),
        sent_at=Now(),
        finished_at=None,
        error_code="",
        answer_status=None,
    ):
        raise WrongStateError(delivery.pk, detail=_("This message is still to be sent."))
    dispatch.deliver_later(delivery)
    delivery.refresh_from_db()
    return delivery


def _lock(user: Visitor, webhook: Webhook) -> Webhook:
    locked = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    if locked is None:
        raise NotVisibleError(webhook.pk)
    if not is_active(user) or locked.owner_id != user.pk:
        raise ForbiddenError(webhook.pk)
    return locked


def _ensure_enabled(webhook: Webhook) -> None:
    if not webhook.enabled:
        raise WrongStateError(webhook.pk, detail=_("This webhook is turned off."))


def _checked_url(url: str) -> str:
    """As far as can be told without asking anybody; the rest is checked whenever it is sent."""
    target = parse_url(url)
    if target.scheme != "https":
        detail = _("Messages are sent to https addresses only: they tell of private files.")
        raise UrlNotAllowedError("scheme", detail=detail)
    if target.port not in PUBLIC.ports:
        raise UrlNotAllowedError("port", detail=_("Messages are sent to the usual ports only."))
    return url


def _checked_events(events: Sequence[str]) -> list[str]:
    if not events or not set(events) <= set(Webhook.Event.values):
        known = ", ".join(Webhook.Event.values)
        raise BadRequestError(
            detail=_("Choose at least one of these events: %(known)s."), values={"known": known}
        )
    return [event for event in Webhook.Event.values if event in events]
