"""What happened to a file in JSON, for those who may share it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media.models import AuditEvent
from apps.media.selectors import Deed


class DeedSerializer(serializers.Serializer[Any]):
    """One act. `actor` is null where nobody is known or named, `recipient` where there is none any
    more; which `details` there are depends on the act."""

    id = serializers.UUIDField()
    act = serializers.ChoiceField(choices=AuditEvent.Act.choices)
    actor = serializers.SerializerMethodField()
    recipient = serializers.SerializerMethodField()
    details = serializers.DictField()
    created_at = serializers.DateTimeField(source="at")

    @extend_schema_field({"type": "string", "nullable": True})
    def get_actor(self, deed: Deed) -> str | None:
        return deed.who or None

    @extend_schema_field({"type": "string", "nullable": True})
    def get_recipient(self, deed: Deed) -> str | None:
        return deed.recipient or None
