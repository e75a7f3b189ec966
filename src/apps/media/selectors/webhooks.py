"""What can be known of webhooks: by their owner alone."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from apps.media.exceptions import NotVisibleError
from apps.media.models import Webhook, WebhookDelivery
from apps.media.policies import Visitor


def list_webhooks(*, user: Visitor) -> QuerySet[Webhook]:
    """The user's webhooks, the newest first."""
    return Webhook.objects.filter(owner=user.pk).order_by("-pk")


def get_webhook(*, user: Visitor, webhook_id: uuid.UUID) -> Webhook:
    """Raises `NotVisibleError`."""
    found = list_webhooks(user=user).filter(pk=webhook_id).first()
    if found is None:
        raise NotVisibleError(webhook_id)
    return found


def list_deliveries(*, user: Visitor, webhook_id: uuid.UUID) -> QuerySet[WebhookDelivery]:
    """What a webhook of the user was or is to be told, the newest first. Raises
    `NotVisibleError`."""
    webhook = get_webhook(user=user, webhook_id=webhook_id)
    return webhook.deliveries.order_by("-pk")


def get_delivery(
    *, user: Visitor, webhook_id: uuid.UUID, delivery_id: uuid.UUID
) -> WebhookDelivery:
    """Raises `NotVisibleError`."""
    rows = list_deliveries(user=user, webhook_id=webhook_id).select_related("webhook")
    found = rows.filter(pk=delivery_id).first()
    if found is None:
        raise NotVisibleError(delivery_id)
    return found
