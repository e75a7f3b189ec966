"""Signed addresses in JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.media.services.signing import AN_HOUR, LONGEST


class SignedUrlCreateSerializer(serializers.Serializer[Any]):
    rendition = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=64,
        help_text="Its name, or `hls` for the stream. Without it, or by `original`: the original "
        "and the whole tree.",
    )
    expires_in = serializers.IntegerField(
        default=AN_HOUR, min_value=1, max_value=LONGEST, help_text="Seconds."
    )
    download = serializers.BooleanField(default=False, help_text="As an attachment.")


class SignedUrlSerializer(serializers.Serializer[Any]):
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
