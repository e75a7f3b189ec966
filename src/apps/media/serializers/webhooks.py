"""Webhooks and their messages in JSON, for their owner."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media.models import Webhook, WebhookDelivery


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A webhook; its secret is told only when it is made."""

    events = serializers.ListField(child=serializers.ChoiceField(choices=Webhook.Event.choices))

    class Meta:
        model = Webhook
        fields = [
            "id",
            "url",
            "description",
            "events",
            "enabled",
            "disabled_reason",
            "failing_since",
            "old_secret_until",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class WebhookCreateSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=2048)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Webhook.Event.choices),
        default=lambda: list(Webhook.Event.values),
        allow_empty=False,
        max_length=16,
    )
    description = serializers.CharField(max_length=200, allow_blank=True, default="")


class WebhookUpdateSerializer(serializers.Serializer[Any]):
    """What is left out stays."""

    url = serializers.CharField(max_length=2048, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Webhook.Event.choices),
        required=False,
        allow_empty=False,
        max_length=16,
    )
    description = serializers.CharField(max_length=200, allow_blank=True, required=False)
    enabled = serializers.BooleanField(required=False)


class WebhookSecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Told once: keep it.")


class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="Told once: keep it.")

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """One message. Of the answer only the status is kept."""

    message_id = serializers.SerializerMethodField()
    next_attempt_at = serializers.SerializerMethodField()

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "message_id",
            "event",
            "media_id",
            "state",
            "attempts",
            "answer_status",
            "error_code",
            "next_attempt_at",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_message_id(self, delivery: WebhookDelivery) -> str:
        return f"msg_{delivery.pk.hex}"

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: WebhookDelivery) -> Any:
        is_waiting = delivery.state == WebhookDelivery.State.QUEUED
        return delivery.due_at if is_waiting else None


class WebhookMessageSerializer(WebhookDeliverySerializer):
    """One message with what it says."""

    payload = serializers.SerializerMethodField()

    class Meta(WebhookDeliverySerializer.Meta):
        fields = [*WebhookDeliverySerializer.Meta.fields, "payload"]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField())
    def get_payload(self, delivery: WebhookDelivery) -> Any:
        return json.loads(delivery.payload)
