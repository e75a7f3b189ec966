"""The OpenAPI description: every operation documents the problems it can answer with."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers

MEDIA_TYPE = "application/problem+json"


class HeaderTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # no types
    """Describes the project's token authentication; found by the generator by being defined."""

    target_class = "apps.core.authentication.HeaderTokenAuthentication"
    name = "token"


PROBLEM = inline_serializer(
    "Problem",
    {
        "type": serializers.CharField(),
        "title": serializers.CharField(),
        "status": serializers.IntegerField(),
        "detail": serializers.CharField(),
        "code": serializers.CharField(help_text="Stable; programs decide by it."),
        "errors": serializers.DictField(required=False, help_text="Messages by field."),
    },
)
EVERYWHERE = {
    "400": "Not valid",
    "401": "Not signed in",
    "403": "Not allowed",
    "404": "Missing or hidden",
    "429": "Too many requests; try again after `Retry-After`",
    "503": "A part of the service is away; try again after `Retry-After`",
}
WITH_BODY = {"415": "Media type not understood or not accepted"}
METHODS = {"get", "put", "post", "patch", "delete"}


def problem(status: int, text: str) -> dict[tuple[int, str], OpenApiResponse]:
    """One more documented problem answer, for `extend_schema(responses=…)`."""
    return {(status, MEDIA_TYPE): OpenApiResponse(PROBLEM, description=text)}


def document_problems(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Add the answers that any operation can give; a hook of the schema generator."""
    for path in result["paths"].values():
        for method in METHODS & path.keys():
            operation = path[method]
            known = EVERYWHERE | (WITH_BODY if "requestBody" in operation else {})
            for status, text in known.items():
                operation["responses"].setdefault(status, _answer(text))
    return result


def _answer(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
