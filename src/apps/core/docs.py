"""The description of the API; the readable one with a policy that lets its own scripts run."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import translation
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SCHEMA_KWARGS, SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response

LANGUAGE = "en"
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class ApiSchemaView(SpectacularAPIView):
    """The description of the API for programs: in English, whoever asks, and so always the same.

    Its words are those of the code; only what people are told of one request of theirs, such as
    why it was refused, is in their language.
    """

    @extend_schema(**SCHEMA_KWARGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with translation.override(LANGUAGE):
            response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            return response


@extend_schema(exclude=True)
class ApiDocsView(SpectacularSwaggerView):
    """Swagger UI from the project's own static files."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = DOCS_POLICY
        return response
