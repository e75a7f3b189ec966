"""What webhooks are told: one message for each that wants it, in the transaction of the change."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models.functions import Now
from django.utils import timezone

from apps.media import dispatch, links
from apps.media.models import MediaFile, Webhook, WebhookDelivery

# Names and values are those of a media file in the API.
_FACTS = (
    "title original_name media_type mime_type size sha256 width height duration status visibility "
    "version created_at updated_at"
).split()


def announce_to_webhooks(event: Webhook.Event, media: MediaFile) -> None:
    """Write a message about `media` to each of its owner's webhooks that want `event`.

    Whoever changes the file calls it in the same transaction.
    """
    # Locked, so that none of them is removed before its message is written.
    rows = Webhook.objects.select_for_update(no_key=True).filter(
        owner_id=media.owner_id, enabled=True
    )
    wanting = [webhook for webhook in rows if event in webhook.events]
    if not wanting:
        return
    told = _gone(media) if event == Webhook.Event.DELETED else _facts(media)
    payload = payload_of(event, told)
    for webhook in wanting:
        queue_delivery(webhook, event=event, payload=payload, media_id=media.pk)


def queue_delivery(
    webhook: Webhook, *, event: str, payload: str, media_id: Any = None
) -> WebhookDelivery:
    """Write one message, to be sent after commit."""
    delivery = WebhookDelivery.objects.create(
        webhook=webhook,
        event=event,
        media_id=media_id,
        payload=payload,
        due_at=Now(),
        sent_at=Now(),
    )
    dispatch.deliver_later(delivery)
    return delivery


def payload_of(event: str, data: dict[str, Any]) -> str:
    """The text of a message, as the scheme wants it."""
    message = {"type": event, "timestamp": timezone.now(), "data": data}
    return json.dumps(message, cls=DjangoJSONEncoder, separators=(",", ":"))


def _gone(media: MediaFile) -> dict[str, Any]:
    return {"id": media.pk, "owner": {"id": media.owner_id}}


def _facts(media: MediaFile) -> dict[str, Any]:
    failure = {"code": media.failure_code, "message": media.failure_message}
    return {
        **_gone(media),
        **{name: getattr(media, name) for name in _FACTS},
        "failure": failure if media.failure_code else None,
        "urls": {"self": links.api_url(media)},
    }
